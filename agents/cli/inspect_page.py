"""The page `inspect` shows a person: balances, sums, the equation, and what is odd."""

from typing import Any, Final

from agents.cli.layout import Rows
from agents.cli.output import out, plain, print_wrapped
from recon_streams.bankfiles.relation_words import sentence_of
from recon_streams.bankfiles.relations import is_broken
from recon_streams.iso20022.values import FindingCode

_NO_STATUS: Final = "without a status"


def print_file(shown: dict[str, Any]) -> None:
    """Print what is known of one file."""
    kind = _kind_of(shown)
    print_wrapped(f"[bold]{plain(_line(shown['file']))}[/]  {plain(_line(kind))}")
    for statement in shown.get("statements", ()):
        _print_statement(statement)
    for message in shown.get("messages", ()):
        _print_mt(message)
    refused = shown.get("refused")
    if refused is not None:
        where = f" at {refused['field']}" if refused["field"] else ""
        found = f" ({refused['detail']})" if refused["detail"] else ""
        text = f"{refused['code']}{where}: {refused['rule']}{found}"
        print_wrapped(f"  [bold red]refused[/] {plain(_line(text))}", indent=4)
    for finding in shown.get("findings", ()):
        if finding["code"] == FindingCode.TEST_MESSAGE.value:
            text = "  [bold yellow]TEST[/] the bank marks this as a test; the books refuse it"
            print_wrapped(f"{text} unless limits.accept_test_messages is set", indent=4)
        text = f"{finding['code']} {finding['path']}: {finding['text']}"
        print_wrapped(f"  [yellow]finding[/] {plain(_line(text))}", indent=4)
    out.print()


def print_relations(relations: list[dict[str, Any]]) -> None:
    """Print what files say about each other, first what does not fit; nothing if they say nothing.

    Args:
        relations: In the order of `Related.found`: those that do not hold come first.
    """
    if not relations:
        return
    broken = sum(is_broken(each) for each in relations)
    verdict = f"[bold red]{broken} do not fit[/]" if broken else "[green]all of them fit[/]"
    print_wrapped(f"[bold]{len(relations)} relations between files[/], {verdict}")
    for relation in relations:
        mark = "[bold red]does not fit[/]" if is_broken(relation) else "fits"
        print_wrapped(f"  {mark}  {plain(_line(sentence_of(relation)))}", indent=4)


def _kind_of(shown: dict[str, Any]) -> str:
    named = shown.get("message") or shown.get("type")
    kinds = {each["type"] for each in shown.get("messages", ())}
    if named or kinds:
        return named or " and ".join(sorted(kinds))
    # Of what could not be opened nobody knows what it is.
    return "not a known message" if "bytes" in shown else "not read"


def _print_statement(statement: dict[str, Any]) -> None:
    account = statement["account"]
    name = account["iban"] or account["other"] or "no account"
    sequence = f", number {statement['electronic_seq']}" if statement["electronic_seq"] else ""
    text = f"{name} {account['currency'] or ''} statement {statement['id'] or '?'}{sequence}"
    print_wrapped(f"  {plain(_line(text))}")
    rows = Rows("  balance", "date", "amount", "")
    for balance in statement["balances"]:
        cells = (balance["type"], balance["date"], balance["amount"], balance["indicator"])
        kind, day, amount, indicator = (plain(_line(cell or "?")) for cell in cells)
        currency = plain(_line(balance["currency"] or ""))
        rows.add_row(f"  {kind}", day, f"{amount} {currency}", indicator)
    if rows:
        rows.print(out)
    booked = statement["booked"]
    counts = ", ".join(
        f"{n} {_NO_STATUS if status == 'None' else status}"
        for status, n in statement["status_counts"].items()
    )
    print_wrapped(
        plain(
            _line(
                f"  {statement['entry_count']} entries ({counts or 'none'}); booked "
                f"+{booked['sum_credits']} -{booked['sum_debits']}"
            )
        ),
        indent=4,
    )
    _print_equation(statement.get("equation"))


def _print_equation(equation: dict[str, Any] | None) -> None:
    if equation is None or equation["difference"] is None:
        print_wrapped("  no opening and closing that can be compared", indent=4)
        return
    verdict = "[green]exact[/]"
    if equation["difference"] != "0":
        verdict = f"[bold red]differs by {plain(equation['difference'])}[/]"
    text = (
        f"  {equation['opening_code']} {equation['opening']} + booked {equation['booked']} = "
        f"{equation['closing_code']} {equation['closing']} {equation['currency']}: "
    )
    print_wrapped(f"{plain(_line(text))} {verdict}", indent=4)


def _print_mt(message: dict[str, Any]) -> None:
    text = (
        f"  {message['type']} {message['account']} number {message['sequence']}: "
        f"{message['entry_count']} entries, +{message['sum_credits']} -{message['sum_debits']}"
    )
    print_wrapped(plain(_line(text)), indent=4)
    for name in ("opening", "closing", "available"):
        balance = message[name]
        if balance is not None:
            amount = _amount(balance)
            text = f"    {name} {amount} {balance['currency']} {balance['indicator']}"
            print_wrapped(plain(_line(text)), indent=4)
    _print_mt_equation(message)


def _print_mt_equation(message: dict[str, Any]) -> None:
    opening, closing = message["opening"], message["closing"]
    if message["balance_check"] is None:
        print_wrapped("  no opening and closing that can be compared", indent=4)
        return
    difference = message["balance_difference"]
    verdict = "[green]exact[/]"
    if not message["balance_check"]:
        verdict = f"[bold red]differs by {plain(difference)}[/]"
    credited, debited = message["sum_credits"], message["sum_debits"]
    text = (
        f"  {message['opening_tag']} {_signed(opening)} + credits {credited} - debits {debited} "
        f"= {message['closing_tag']} {_signed(closing)} {closing['currency']}: "
    )
    print_wrapped(f"{plain(_line(text))} {verdict}", indent=4)


def _amount(balance: dict[str, Any]) -> str:
    """Return the amount without the zeros before it, which fill a field of fifteen characters."""
    whole, point, fraction = str(balance["amount"]).partition(".")
    return f"{whole.lstrip('0') or '0'}{point}{fraction}"


def _signed(balance: dict[str, Any]) -> str:
    return ("-" if balance["indicator"] == "DBIT" else "") + _amount(balance)


def _line(text: object) -> str:
    """Return `text`, which a stranger wrote, as one line that a terminal only shows."""
    return "".join(each if each.isprintable() else "?" for each in str(text))
