"""What the files of one delivery say about each other: chains, days seen twice, twins."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Final

import msgspec

from recon_streams.bankfiles.figures import spelled
from recon_streams.bankfiles.inspection import Inspected
from recon_streams.bankfiles.printed import Printed
from recon_streams.bankfiles.reckoning import Movement, ReportFacts
from recon_streams.kernel.money import ZERO, add, subtract

# Pairs of balances between which a report's day lies; the last is a central bank's own habit.
_DAYS: Final = (("OPBD", "CLBD"), ("PRCD", "CLBD"), ("OPAV", "INFO"))
_NUMBERS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


class _Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One report of one file."""

    file: str
    type: str
    version: str
    message_id: str | None
    account: str
    facts: ReportFacts

    @property
    def day(self) -> str:
        """The day it is about, as printed."""
        period = self.facts.shown["period"]
        start = period[0] if isinstance(period, list) else None
        text = start or self.facts.shown["created"] or ""
        return str(text)[:10]


class Related:
    """Collects files and finds how they relate."""

    def __init__(self) -> None:
        """Begin without files."""
        self._seen: list[_Seen] = []

    def add(self, inspected: Inspected) -> None:
        """Take in a file that could be read."""
        if "refused" in inspected.shown:
            return
        header = inspected.shown.get("group_header")
        message_id = header.get("msg_id") if isinstance(header, dict) else None
        for facts in inspected.reports:
            account = facts.shown["account"]
            assert isinstance(account, dict), "an account is shown as an object"
            name = account["iban"] or account["other"]
            seen = _Seen(
                file=inspected.name,
                type=inspected.type,
                version=str(inspected.shown.get("message") or "")[-2:],
                message_id=message_id,
                account="".join((name or "").split()),
                facts=facts,
            )
            self._seen.append(seen)

    def found(self) -> list[Printed]:
        """Return all relations: first those that do not hold, then one kind after another."""
        found = [
            *self._days(),
            *self._moved_twice(),
            *self._same_movements(),
            *self._twins(),
            *self._ambiguous(),
            *self._chains(),
        ]
        return sorted(found, key=lambda relation: not is_broken(relation))

    def _by_account(self, *types: str) -> dict[str, list[_Seen]]:
        groups: dict[str, list[_Seen]] = defaultdict(list)
        for seen in self._seen:
            if seen.type in types:
                groups[seen.account].append(seen)
        return groups

    def _days(self) -> Iterator[Printed]:
        notices: dict[tuple[str, str], list[_Seen]] = defaultdict(list)
        for seen in self._seen:
            if seen.type == "camt.054" and seen.day and seen.account:
                notices[seen.account, seen.day].append(seen)
        for report in self._seen:
            pair = _pair_of(report)
            own = notices.get((report.account, report.day), [])
            if report.type != "camt.052" or pair is None or not own:
                continue
            opening, closing = pair
            moved = subtract(_signed(closing), _signed(opening))
            net = ZERO
            for notice in own:
                net = add(net, notice.facts.net)
            yield {
                "kind": "intraday report against notification of the same account and day",
                "date": report.day,
                "report": report.file,
                f"report_opening_{opening['type']}": opening["amount"],
                f"report_closing_{closing['type']}": closing["amount"],
                "report_movement": spelled(moved),
                "notification": own[0].file if len(own) == 1 else [each.file for each in own],
                "notification_net": spelled(net),
                "notification_tx_count": sum(each.facts.transactions for each in own),
                "agree": moved == net,
                "difference": spelled(subtract(moved, net)),
            }

    def _moved_twice(self) -> Iterator[Printed]:
        kind = (
            "one movement in two messages: same AcctSvcrRef, same amount, different booking date "
            "and different MsgId"
        )
        first: dict[tuple[str, ...], tuple[_Seen, Movement]] = {}
        for seen in self._seen:
            for movement in seen.facts.movements:
                if movement.reference is None or not seen.account:
                    continue
                key = (
                    seen.account,
                    movement.reference,
                    movement.amount,
                    movement.currency,
                    movement.indicator,
                )
                other, earlier = first.setdefault(key, (seen, movement))
                if other.message_id != seen.message_id and earlier.booking != movement.booking:
                    yield {
                        "kind": kind,
                        "acct_svcr_ref": movement.reference,
                        "amount": movement.amount,
                        "files": [other.file, seen.file],
                    }

    def _same_movements(self) -> Iterator[Printed]:
        for group in self._by_account("camt.052", "camt.053").values():
            for report in group:
                for statement in group:
                    if (report.type, statement.type) != ("camt.052", "camt.053"):
                        continue
                    if _movements(report) and _movements(report) == _movements(statement):
                        count = len(report.facts.movements)
                        word = _NUMBERS[count] if count < len(_NUMBERS) else str(count)
                        yield {
                            "kind": f"the same {word} movements as intraday report and as "
                            "statement",
                            "acct_svcr_refs": [m.reference for m in report.facts.movements],
                            "files": [report.file, statement.file],
                        }

    def _twins(self) -> Iterator[Printed]:
        words = {"camt.052": "report", "camt.053": "statement", "camt.054": "notification"}
        first: dict[object, _Seen] = {}
        for seen in self._seen:
            shown = seen.facts.shown
            key = (seen.account, seen.type, _movements(seen), str(shown["balances"]))
            if not seen.facts.movements or not seen.version:
                continue
            other = first.setdefault(key, seen)
            if other.version != seen.version:
                old, new = sorted((other, seen), key=lambda each: each.version)
                uetr = any(_has_uetr(each) for each in (new,)) and not _has_uetr(old)
                yield {
                    "kind": f"the same {words[seen.type]} in version {old.version} and in version "
                    f"{new.version}" + (f" (UETR only in {new.version})" if uetr else ""),
                    "files": [old.file, new.file],
                }

    def _ambiguous(self) -> Iterator[Printed]:
        for seen in self._seen:
            groups: dict[str, list[str]] = defaultdict(list)
            for movement in seen.facts.movements:
                if movement.reference is not None:
                    groups[movement.reference].append(movement.amount)
            for reference, amounts in groups.items():
                if len(amounts) > 1:
                    yield {
                        "kind": "two different entries of one statement carry the same AcctSvcrRef",
                        "acct_svcr_ref": reference,
                        "amounts": amounts,
                        "files": [seen.file],
                    }

    def _chains(self) -> Iterator[Printed]:
        for account, group in self._by_account("camt.052", "camt.053").items():
            if not account:
                continue
            links = [(pair, seen) for seen in group if (pair := _pair_of(seen)) is not None]
            links.sort(key=lambda link: (str(link[0][1]["date"]), str(link[0][0]["date"])))
            for (before, first), (after, second) in pairwise(links):
                closing, opening = before[1], after[0]
                is_other_kind = first.type != second.type or closing["type"] != after[1]["type"]
                if is_other_kind or before == after or closing["currency"] != opening["currency"]:
                    continue
                yield {
                    "kind": "daily chain: closing of the first equals opening of the second",
                    "account": account,
                    "files": [first.file, second.file],
                    "closing": closing["amount"],
                    "opening": opening["amount"],
                    "holds": _signed(closing) == _signed(opening),
                }


def is_broken(relation: Printed) -> bool:
    """Whether `relation` is between files that should fit and do not."""
    return relation.get("holds") is False or relation.get("agree") is False


def _movements(seen: _Seen) -> tuple[tuple[object, ...], ...]:
    return tuple(
        sorted((m.reference or "", m.amount, m.currency, m.indicator) for m in seen.facts.movements)
    )


def _has_uetr(seen: _Seen) -> bool:
    entries = seen.facts.shown["entries"]
    assert isinstance(entries, list)
    return any("UETR" in tx for entry in entries for tx in entry["tx"])


def _pair_of(seen: _Seen) -> tuple[Printed, Printed] | None:
    balances = seen.facts.shown["balances"]
    assert isinstance(balances, list), "balances are shown as a list"
    first = {each["type"]: each for each in reversed(balances)}
    for opening, closing in _DAYS:
        if opening in first and closing in first:
            return first[opening], first[closing]
    return None


def _signed(balance: Printed) -> Decimal:
    amount = Decimal(str(balance["amount"]))
    return subtract(ZERO, amount) if balance["indicator"] == "DBIT" else amount
