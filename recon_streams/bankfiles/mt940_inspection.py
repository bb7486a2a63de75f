"""What an MT940 or MT942 file prints: fields as they stand, with sums and the equation."""

from contextlib import suppress
from decimal import Decimal
from typing import Final

from recon_streams.bankfiles import printed
from recon_streams.bankfiles.figures import ENTRIES_SHOWN, spelled
from recon_streams.bankfiles.mt940_fields import Field, looks_like_mt, messages_in
from recon_streams.bankfiles.mt940_reader import kind_of, read_mt
from recon_streams.bankfiles.oddities import Oddities
from recon_streams.bankfiles.printed import Printed, Unprintable
from recon_streams.iso20022.values import Message
from recon_streams.kernel.money import ZERO, add, subtract
from recon_streams.kernel.refusal import Refused
from recon_streams.statements.equation import balance_of

_ENCODINGS: Final = ("ascii", "utf-8-sig", "latin-1")
_OPENINGS: Final = (("FinalOpeningBalance", "60F"), ("IntermediateOpeningBalance", "60M"))
_CLOSINGS: Final = (("FinalClosingBalance", "62F"), ("IntermediateClosingBalance", "62M"))
_CREDITS: Final = frozenset({"C", "RD"})


def is_mt(payload: bytes) -> bool:
    """Whether `payload` begins as an MT940 or MT942 does."""
    return looks_like_mt(payload)


def inspect_mt(payload: bytes) -> tuple[Printed, Message | None, Refused | None]:
    """Return what `payload` prints, with its values or why it is refused."""
    text, encoding = text_of(payload)
    found: Printed = {
        "bytes": len(payload),
        "encoding": encoding.removesuffix("-sig"),
        "crlf": b"\r\n" in payload,
        "swift_envelope": "{4:" in text,
    }
    try:
        messages = messages_in(text)
    except Refused as refusal:
        return found, None, refusal
    # Where a figure cannot be printed, the reader refuses the same field, with a reason.
    with suppress(Unprintable):
        found |= _figures_of(messages)
    try:
        return found, read_mt(text), None
    except Refused as refusal:
        return found, None, refusal


def _figures_of(messages: list[list[Field]]) -> Printed:
    total = sum(field.name == "Statement" for fields in messages for field in fields)
    return {"messages": [_message(fields) for fields in messages], "entry_total": total}


def text_of(payload: bytes) -> tuple[str, str]:
    """Return the text of `payload` and its encoding: ASCII, UTF-8, else Latin-1."""
    for encoding in _ENCODINGS[:-1]:
        try:
            return payload.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    return payload.decode(_ENCODINGS[-1]), _ENCODINGS[-1]


def oddities_of(message: Message) -> Oddities:
    """Return what is odd about the reports of `message`."""
    oddities = Oddities()
    for report in message.reports:
        figures: Printed = {"entry_count": len(report.entries)}
        oddities.see_report(report, balance_of(report), figures)
    return oddities


def _message(fields: list[Field]) -> Printed:
    texts = {field.name: field.text for field in reversed(fields)}
    opening, opening_tag = _balance(fields, _OPENINGS)
    closing, closing_tag = _balance(fields, _CLOSINGS)
    lines = [_line(field) for field in fields if field.name == "Statement"]
    sums = {True: ZERO, False: ZERO}
    for line in lines:
        is_credit = line["mark"] in _CREDITS
        sums[is_credit] = add(sums[is_credit], _decimal(line["amount"]))
    found: Printed = {
        "ref": texts.get("TransactionReferenceNumber"),
        "account": texts.get("AccountIdentification"),
        "sequence": texts.get("StatementNumber"),
        "type": kind_of(fields).upper(),
        "opening": opening,
        "opening_tag": opening_tag,
        "closing": closing,
        "closing_tag": closing_tag,
        "available": _balance(fields, (("AvailableBalance", "64"),))[0],
        "entry_count": len(lines),
        "sum_credits": spelled(sums[True]),
        "sum_debits": spelled(sums[False]),
        "reversal_count": sum(str(line["mark"]).startswith("R") for line in lines),
        "entries": lines[:ENTRIES_SHOWN],
        "balance_check": None,
    }
    if opening is not None and closing is not None:
        net = subtract(sums[True], sums[False])
        difference = subtract(_signed(closing), add(_signed(opening), net))
        found["balance_check"] = not difference
        found["balance_difference"] = spelled(difference)
    return found


def _line(field: Field) -> Printed:
    parts = field.parts
    entry = f"{parts.get('entry_month') or ''}{parts.get('entry_day') or ''}".strip()
    return {
        "value_date": _day(field),
        "entry_date": entry or None,
        "mark": parts["status"],
        "amount": _without_padding(_amount(field)),
        "type": parts.get("id"),
        "ref": (parts.get("customer_reference") or "").strip() or None,
        "bank_ref": (parts.get("bank_reference") or "").strip() or None,
    }


def _balance(
    fields: list[Field], names: tuple[tuple[str, str], ...]
) -> tuple[Printed | None, str | None]:
    for name, tag in names:
        for field in fields:
            if field.name == name:
                indicator = "CRDT" if field.parts["status"] == "C" else "DBIT"
                found: Printed = {
                    "indicator": indicator,
                    "date": _day(field),
                    "currency": field.parts["currency"],
                    "amount": _amount(field),
                }
                return found, tag
    return None, None


def _day(field: Field) -> str:
    return "".join(field.parts[name] or "" for name in ("year", "month", "day"))


def _amount(field: Field) -> str:
    return (field.parts["amount"] or "").replace(",", ".").removesuffix(".")


def _without_padding(amount: str) -> str:
    whole, point, fraction = amount.partition(".")
    return f"{whole.lstrip('0') or '0'}{point}{fraction}"


def _decimal(text: object) -> Decimal:
    return printed.decimal_of(str(text))


def _signed(balance: Printed) -> Decimal:
    amount = _decimal(balance["amount"])
    return subtract(ZERO, amount) if balance["indicator"] == "DBIT" else amount
