"""`recon.reports`: one record per report, with its hash, its totals, and itself where it fits."""

from datetime import date
from enum import StrEnum, unique

import msgspec

from topics.positions import Tier
from topics.words import CurrencyCode, Instant, SignedAmountText


@unique
class ReportKind(StrEnum):
    """What a report is of."""

    EOD = "eod"
    INTRADAY = "intraday"


class ReportTotals(msgspec.Struct, frozen=True, kw_only=True):
    """One currency of the report. A surplus of one account never makes up for another's shortage.

    Attributes:
        currency: The currency.
        accounts: How many accounts of it are in the report.
        without_figure: How many of them have no figure of one side; they are in no sum.
        ledger: Tokens in circulation.
        bank: Booked at the bank.
        difference: Bank less ledger.
        shortages: How many accounts are short at the bank.
        shortage_total: Their differences added up; zero or negative.
        surplus_total: The other differences added up.
        unexplained_total: What nothing explains, account by account, without sign: in a report of a
            day the proof amounts. Zero means that every difference is accounted for.
        worst_tier: The worst verdict of its accounts.
    """

    currency: CurrencyCode
    accounts: int
    without_figure: int
    ledger: SignedAmountText
    bank: SignedAmountText
    difference: SignedAmountText
    shortages: int
    shortage_total: SignedAmountText
    surplus_total: SignedAmountText
    unexplained_total: SignedAmountText
    worst_tier: Tier


class ReportRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A report that was made: what it is of, its hash, and what it comes to.

    Attributes:
        report_id: Its name, and what to pass to `recon-streams report show` or `export`.
        kind: Of a day or of a sweep window.
        on: The day it is of; of a window, the UTC day on which the window begins.
        window_from: Start of the window.
        window_until: End of the window, not in it.
        scope: Which accounts: `all`, or what names them.
        version: 1, and one more with each correction. The highest counts.
        sha256: SHA-256 of the dataset's bytes, in hexadecimal; every rendering shows it.
        corrects: The hash of the version before; absent in the first.
        inputs_through_at: Every input up to here is in it.
        totals: One for each currency.
        worst_tier: The worst verdict of all accounts.
        dataset_bytes: How many bytes the dataset has.
        dataset: The dataset as JSON text, if it is small enough for a record. The SHA-256 of its
            UTF-8 bytes is `sha256`. Where it is absent, export the report by its id.
        schema_version: The major version of the contract.
    """

    report_id: str
    kind: ReportKind
    on: date
    scope: str
    version: int
    sha256: str
    inputs_through_at: Instant
    totals: tuple[ReportTotals, ...]
    worst_tier: Tier
    dataset_bytes: int
    window_from: Instant | None = None
    window_until: Instant | None = None
    corrects: str | None = None
    dataset: str | None = None
    schema_version: int = 1
