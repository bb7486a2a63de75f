"""Checks an exported report without this program: its hash, and every total, from the file alone.

Uses nothing but the standard library and shares no code with what made the report, so that an
auditor can read it in one sitting, and run it anywhere as `python verify.py report.json`.
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation, localcontext
from pathlib import Path
from typing import Any

EXIT_DIFFERENCES = 5

# The sign of what an amount explains of bank less ledger, by whose books it stands in.
_SIGN = {"BANK": Decimal(1), "LEDGER": Decimal(-1), "BOTH": Decimal(1)}
# Rounding is an error here: a total that ties only after rounding does not tie.
_EXACT = Context(prec=60, traps=[Inexact, InvalidOperation])


@dataclass(frozen=True)
class Verified:
    """What was found.

    Attributes:
        kind: `eod` or `intraday`.
        sha256: Of the dataset in the file, as computed here.
        totals: How many totals were added up again.
        problems: What does not agree, in words; empty if all does.
    """

    kind: str
    sha256: str
    totals: int
    problems: tuple[str, ...]


class NotAReport(Exception):
    """The file is no exported report; the message says why."""


def verify_file(content: bytes) -> Verified:
    """Check an exported report: the hash it names against its dataset, and all totals.

    Raises:
        NotAReport: it is not JSON, or not an export of a report.
    """
    export = _json(content)
    if not isinstance(export, dict) or not isinstance(export.get("dataset"), dict):
        raise NotAReport("there is no dataset in it; export the report with `--format json`")
    found = verify_dataset(canonical(export["dataset"]))
    problems = list(found.problems)
    if export.get("sha256") != found.sha256:
        problems.insert(
            0, f"the file names the hash {export.get('sha256')}, its dataset has {found.sha256}"
        )
    named = export.get("report_id")
    if named != (expected := _report_id(export["dataset"])):
        problems.append(f"the file names the report {named}, its dataset is {expected}")
    return Verified(found.kind, found.sha256, found.totals, tuple(problems))


def verify_dataset(content: bytes) -> Verified:
    """Check the bytes of a dataset: whether they are canonical, and all totals.

    Raises:
        NotAReport: they are no dataset.
    """
    dataset = _json(content)
    if not isinstance(dataset, dict) or dataset.get("kind") not in {"eod", "intraday"}:
        raise NotAReport("it is no dataset of a report")
    problems = [] if canonical(dataset) == content else ["the bytes are not in canonical form"]
    totals = 0
    try:
        with localcontext(_EXACT):
            for what, given, added in _totals(dataset):
                totals += 1
                if given != added:
                    problems.append(f"{what}: given {given}, added up {added}")
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise NotAReport(f"the dataset is not of the form of a report: {error!r}") from error
    return Verified(dataset["kind"], hashlib.sha256(content).hexdigest(), totals, tuple(problems))


def canonical(value: Any) -> bytes:  # noqa: ANN401 - whatever JSON can spell
    """Return the bytes that are hashed: keys sorted, no white space, UTF-8 (RFC 8785)."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise NotAReport("it contains half a character") from error


def main(arguments: list[str]) -> int:
    """Check the files named, say what was found, and return 0, 2 for wrong use, 5 for a problem."""
    if not arguments:
        sys.stderr.write("usage: python verify.py REPORT.json...\n")
        return 2
    code = 0
    for name in arguments:
        try:
            found = verify_file(Path(name).read_bytes())
        except NotAReport as error:
            sys.stdout.write(f"{name}: {error}\n")
            code = EXIT_DIFFERENCES
            continue
        for problem in found.problems:
            sys.stdout.write(f"{name}: {problem}\n")
            code = EXIT_DIFFERENCES
        sys.stdout.write(f"{name}: sha256 {found.sha256}, {found.totals} totals added up again\n")
    return code


def _json(content: bytes) -> Any:  # noqa: ANN401 - whatever JSON can spell
    def refuse(text: str) -> Decimal:
        raise NotAReport(f"{text} is a binary number; amounts are text")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        # Of two equal keys every reader picks another one; a report has none.
        if len({key for key, _ in pairs}) != len(pairs):
            raise NotAReport("an object names a key twice")
        return dict(pairs)

    try:
        return json.loads(
            content, parse_float=refuse, parse_constant=refuse, object_pairs_hook=once
        )
    except (ValueError, RecursionError) as error:
        raise NotAReport(f"it is not JSON: {error}") from error


def _report_id(dataset: dict[str, Any]) -> str:
    if dataset["kind"] == "eod":
        period = dataset["on"]
    else:
        ends = (dataset["window_from"], dataset["window_until"])
        period = "-".join(end.replace("-", "").replace(":", "") for end in ends)
    scope = "" if dataset["scope"] == "all" else f"-{dataset['scope']}"
    return f"{dataset['kind']}-{period}{scope}-v{dataset['version']}"


_Total = tuple[str, object, object]


def _totals(dataset: dict[str, Any]) -> Iterator[_Total]:
    """Yield what a total is, what the report says of it, and what the parts add up to."""
    keys = [(account["account_id"], account["currency"]) for account in dataset["accounts"]]
    yield "accounts, in order and each once", keys, sorted(set(keys))
    for account in dataset["accounts"]:
        where = f"{account['account_id']} {account['currency']}: "
        totals = _of_day(account) if dataset["kind"] == "eod" else _of_window(account)
        for what, given, added in totals:
            yield where + what, given, added
    currencies = sorted({currency for _, currency in keys})
    yield "currencies of the backing", [row["currency"] for row in dataset["backing"]], currencies
    for row in dataset["backing"]:
        own = [each for each in dataset["accounts"] if each["currency"] == row["currency"]]
        for what, given, added in _of_backing(row, own):
            yield f"{row['currency']} backing: {what}", given, added


def _of_day(day: dict[str, Any]) -> Iterator[_Total]:
    bank, ledger = _figures(day)
    difference, proof = _number(day["difference"]), _number(day["proof"])
    explained = Decimal(day["explained_total"])
    by_items = sum((_SIGN[i["leg"]] * Decimal(i["amount"]) for i in day["items"]), Decimal(0))
    by_groups = sum((Decimal(group["explains"]) for group in day["groups"]), Decimal(0))
    yield "difference = bank - ledger", difference, _less(bank, ledger)
    yield "explained = the items", explained, by_items
    yield "explained = the groups", explained, by_groups
    yield "proof = difference - explained", proof, _less(difference, explained)
    covers = [item for item in day["items"] if item["covers"]]
    covered = sum((_SIGN[i["leg"]] * Decimal(i["amount"]) for i in covers), Decimal(0))
    left = _number(day["uncovered"])
    yield "uncovered = difference - what covers", left, _less(difference, covered)
    alone = [_SIGN[i["leg"]] * Decimal(i["amount"]) for i in day["items"] if not i["covers"]]
    missing = None if proof is None else sum((e for e in (*alone, proof) if e < 0), Decimal(0))
    yield "shortage = what is below zero and not covered", _number(day["shortage"]), missing
    for group in day["groups"]:
        own = [item for item in day["items"] if item["kind"] == group["kind"]]
        added = sum((_SIGN[i["leg"]] * Decimal(i["amount"]) for i in own), Decimal(0))
        yield group["kind"], Decimal(group["explains"]), added
        yield f"{group['kind']}, how many", group["count"], sum(item["count"] for item in own)
    for rule in day["matched"]:
        added = Decimal(rule["bank_amount"]) - Decimal(rule["ledger_amount"])
        yield f"matched by {rule['rule']}", Decimal(rule["difference"]), added
    if (used := day["statement"]) is not None:
        moved = Decimal(used["opening"]) + Decimal(used["credits"]) - Decimal(used["debits"])
        yield (
            "closing of the statement = opening + credits - debits",
            Decimal(used["closing"]),
            moved,
        )
        yield "bank = closing of the statement", bank, moved
        yield (
            "bank opening = opening of the statement",
            _number(day["bank_opening"]),
            Decimal(used["opening"]),
        )


def _of_window(window: dict[str, Any]) -> Iterator[_Total]:
    bank, ledger = _figures(window)
    difference = _number(window["difference"])
    explained = Decimal(window["explained_total"])
    waiting = sum((Decimal(each["explains"]) for each in window["waiting"]), Decimal(0))
    yield "difference = bank - ledger", difference, _less(bank, ledger)
    yield "explained = what waits", explained, waiting
    yield (
        "unexplained = difference - explained",
        _number(window["unexplained"]),
        _less(difference, explained),
    )
    said = window["bank_balance"]
    apart = _less(_number(said["balance"]), _number(said["ours"]))
    yield "disagreement = the bank's balance - ours", _number(said["disagreement"]), apart
    for side in ("ledger", "bank"):
        moves = window[side]
        if moves["opening"] is not None and moves["closing"] is not None:
            added = Decimal(moves["opening"]) + Decimal(moves["credits"]) - Decimal(moves["debits"])
            yield (
                f"{side} at the end",
                Decimal(moves["closing"]),
                added + Decimal(moves["restated"]),
            )


def _of_backing(row: dict[str, Any], accounts: list[dict[str, Any]]) -> Iterator[_Total]:
    known = [each for each in accounts if each["difference"] is not None]
    differences = [Decimal(each["difference"]) for each in known]
    figures = [_figures(each) for each in known]
    unexplained = "proof" if known and "proof" in known[0] else "unexplained"
    left = [abs(Decimal(each[unexplained])) for each in known]
    short = sorted((d, a["account_id"]) for d, a in zip(differences, known, strict=True) if d < 0)
    yield "accounts", row["accounts"], len(accounts)
    without = [each["account_id"] for each in accounts if each["difference"] is None]
    yield "accounts without a figure", row["without_figure"], without
    yield "bank", Decimal(row["bank"]), sum((bank or Decimal(0) for bank, _ in figures), Decimal(0))
    yield (
        "ledger",
        Decimal(row["ledger"]),
        sum((ledger or Decimal(0) for _, ledger in figures), Decimal(0)),
    )
    yield "difference", Decimal(row["difference"]), sum(differences, Decimal(0))
    yield (
        "surpluses",
        Decimal(row["surplus_total"]),
        sum((d for d in differences if d > 0), Decimal(0)),
    )
    yield "shortages", Decimal(row["shortage_total"]), sum((d for d, _ in short), Decimal(0))
    named = [(Decimal(each["difference"]), each["account_id"]) for each in row["shortages"]]
    yield "shortages one by one", named, short
    yield "unexplained", Decimal(row["unexplained_total"]), sum(left, Decimal(0))


def _figures(account: dict[str, Any]) -> tuple[Decimal | None, Decimal | None]:
    if "bank_closing" in account:
        return _number(account["bank_closing"]), _number(account["ledger_at_cut_off"])
    return _number(account["bank"]["closing"]), _number(account["ledger"]["closing"])


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _less(left: Decimal | None, right: Decimal | None) -> Decimal | None:
    return None if left is None or right is None else left - right


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
