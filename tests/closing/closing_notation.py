"""The words of the accountant's notation: when something is, and what a bank writes of it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

DUBAI = ZoneInfo("Asia/Dubai")


def moment(day: str) -> datetime:
    """`16`, or `16T09:30`: noon, or that time, in Dubai."""
    on, _, clock = day.partition("T")
    hours, _, minutes = (clock or "12:00").partition(":")
    there = datetime(2026, 11, 1, int(hours), int(minutes), tzinfo=DUBAI)
    return (there + timedelta(days=int(on) - 1)).astimezone(UTC)


def entry_of(word: str, day: str) -> str:
    """`A+100`, or `A+100/15`: booked on another day."""
    word, _, booked = word.partition("/")
    at = min(place for sign in "+-" if (place := word.find(sign)) > 0)
    reference, signed = word[:at], Decimal(word[at:])
    direction = "CRDT" if signed > 0 else "DBIT"
    on = moment(booked or day.partition("T")[0]).date()
    return (
        f"<Ntry><Amt Ccy='AED'>{abs(signed)}</Amt><CdtDbtInd>{direction}</CdtDbtInd>"
        f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{on}</Dt></BookgDt>"
        f"<AcctSvcrRef>{reference}</AcctSvcrRef>"
        "<BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd></Ntry>"
    )


def balance_of(code: str, amount: str, day: str) -> str:
    signed = Decimal(amount)
    direction = "CRDT" if signed >= 0 else "DBIT"
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='AED'>{abs(signed)}</Amt>"
        f"<CdtDbtInd>{direction}</CdtDbtInd><Dt><Dt>{moment(day).date()}</Dt></Dt></Bal>"
    )
