"""The one frozen dataset behind every rendering of a report: its values, its bytes and its hash.

What a treasurer signs, a regulator files and a program reads are views of the same bytes. The bytes
are JSON in the canonical form of RFC 8785 (keys sorted, no white space, UTF-8), so that anybody can
make them again from an exported file and hash them, without this program.
"""

import hashlib
from datetime import date, datetime

import msgspec

from recon_streams.reports.account_day import AccountDay
from recon_streams.reports.account_window import AccountWindow
from recon_streams.reports.parts import Backing, Change, require_utc

ALL_ACCOUNTS = "all"


class EodDataset(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag="eod",
    tag_field="kind",
):
    """The reconciliation statements of one day.

    Attributes:
        on: The day.
        scope: `all`, or what names the accounts it is about.
        version: 1, and one more with each correction.
        corrects: SHA-256 of the version before; null in the first.
        cause: Why it was corrected, in words; empty in the first.
        changes: What is otherwise than in the version before.
        inputs_through_at: Every input up to here is in it. Not the time of printing.
        accounts: One statement each, by account and currency.
        backing: One to one over all accounts, by currency.
        schema_version: Of this form.
    """

    on: date
    inputs_through_at: datetime
    accounts: tuple[AccountDay, ...]
    backing: tuple[Backing, ...]
    version: int = 1
    corrects: str | None = None
    cause: str = ""
    changes: tuple[Change, ...] = ()
    scope: str = ALL_ACCOUNTS
    schema_version: int = 1

    def __post_init__(self) -> None:
        """Refuse what would have two spellings, and a correction of nothing."""
        require_utc(self.inputs_through_at)
        assert (self.version > 1) is (self.corrects is not None), (
            "a correction names what it corrects"
        )


class IntradayDataset(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag="intraday",
    tag_field="kind",
):
    """The positions at the end of one sweep window.

    Attributes:
        window_from: Start of the window.
        window_until: Its end, not in it.
        scope: `all`, or what names the accounts it is about: those swept every 30 minutes, say.
        version: 1, and one more with each correction.
        corrects: SHA-256 of the version before; null in the first.
        cause: Why it was corrected, in words; empty in the first.
        changes: What is otherwise than in the version before.
        inputs_through_at: Every input up to here is in it.
        accounts: One each, by account and currency.
        backing: One to one over all accounts, by currency.
        schema_version: Of this form.
    """

    window_from: datetime
    window_until: datetime
    inputs_through_at: datetime
    accounts: tuple[AccountWindow, ...]
    backing: tuple[Backing, ...]
    version: int = 1
    corrects: str | None = None
    cause: str = ""
    changes: tuple[Change, ...] = ()
    scope: str = ALL_ACCOUNTS
    schema_version: int = 1

    def __post_init__(self) -> None:
        """Refuse what would have two spellings, and a correction of nothing."""
        require_utc(self.window_from, self.window_until, self.inputs_through_at)
        assert self.window_from < self.window_until, "a window ends after its start"
        whole = self.window_from.microsecond == self.window_until.microsecond == 0
        assert whole, "the id of a window names seconds"
        assert (self.version > 1) is (self.corrects is not None), (
            "a correction names what it corrects"
        )


Dataset = EodDataset | IntradayDataset

_ENCODER = msgspec.json.Encoder(order="sorted", decimal_format="string")
_DECODER: msgspec.json.Decoder[Dataset] = msgspec.json.Decoder(Dataset)


def dataset_bytes(dataset: Dataset) -> bytes:
    """Return the canonical bytes: what is stored, hashed, and embedded in every JSON export."""
    return _ENCODER.encode(dataset)


def dataset_from_bytes(content: bytes) -> Dataset:
    """Return the dataset that `content` spells.

    Raises:
        msgspec.ValidationError: it is no dataset of this form, or an amount is no amount.
    """
    return _DECODER.decode(content)


def digest_of(content: bytes) -> str:
    """Return the SHA-256 of `content` in lower-case hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def period_of(dataset: Dataset) -> str:
    """Return what the report is of, as its id spells it: a day, or a window in UTC."""
    match dataset:
        case EodDataset():
            return dataset.on.isoformat()
        case IntradayDataset():
            return f"{_compact(dataset.window_from)}-{_compact(dataset.window_until)}"


def kind_of(dataset: Dataset) -> str:
    """Return `eod` or `intraday`."""
    return "eod" if isinstance(dataset, EodDataset) else "intraday"


def series_of(dataset: Dataset) -> str:
    """Return what all versions of this report have in common."""
    scope = "" if dataset.scope == ALL_ACCOUNTS else f"-{dataset.scope}"
    return f"{kind_of(dataset)}-{period_of(dataset)}{scope}"


def report_id(dataset: Dataset) -> str:
    """Return the name of the report, such as `eod-2026-11-20-v1`.

    It says what the report is of and which version, and nothing of its content: the same id with
    other content is an error, not another report.
    """
    return f"{series_of(dataset)}-v{dataset.version}"


def _compact(instant: datetime) -> str:
    return f"{instant:%Y%m%dT%H%M%S}Z"
