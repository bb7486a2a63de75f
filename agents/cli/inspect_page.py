"""The page `inspect` shows a person: balances, sums, the equation, and what is odd."""

from typing import Any

from agents.cli.layout import Rows
from agents.cli.output import out, plain, print_wrapped


def print_file(shown: dict[str, Any]) -> None:
    """Print what is known of one file."""
    kind = shown.get("message") or shown.get("type") or "not a known message"
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
        text = f"{finding['code']} {finding['path']}: {finding['text']}"
        print_wrapped(f"  [yellow]finding[/] {plain(_line(text))}", indent=4)
    out.print()


def print_relations(relations: list[dict[str, Any]]) -> None:
    """Print what files say about each other; nothing where they say nothing."""
    if not relations:
        return
    print_wrapped(f"[bold]{len(relations)} relations between files[/]")
    for relation in relations:
        text = "; ".join(f"{name} {_said(value)}" for name, value in relation.items())
        print_wrapped(f"  {plain(_line(text.removeprefix('kind ')))}", indent=4)


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
    counts = ", ".join(f"{n} {status}" for status, n in statement["status_counts"].items())
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
            text = f"    {name} {balance['amount']} {balance['currency']} {balance['indicator']}"
            print_wrapped(plain(_line(text)), indent=4)


def _said(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _line(text: object) -> str:
    """Return `text`, which a stranger wrote, as one line that a terminal only shows."""
    return "".join(each if each.isprintable() else "?" for each in str(text))
