"""How large a bank message may be is the installation's own limit, whatever the reader's is."""

from datetime import UTC, datetime

import pytest
from bank_messages import entry, notification

from recon_streams.iso20022.safe_xml import BYTES_MAX
from recon_streams.kernel.refusal import RefusalCode, Refused
from recon_streams.log.record import Record
from recon_streams.positions.inputs import BankNotifications

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


def padded(message: str, size: int) -> Record:
    """Return `message` with comments behind it, each below the parser's own limit of 10 MB."""
    comment = b"<!--" + b"-".join([b" " * 999] * 9_000) + b"-->"
    count, rest = divmod(size - len(message), len(comment))
    value = message.encode() + comment * count + b" " * rest
    return Record("bank.notifications", 0, 0, b"k", value, (), NOW)


def test_a_message_above_the_limit_of_the_reader_is_read_where_the_installation_allows_it() -> None:
    large = padded(notification(entry("30.00")), BYTES_MAX + 1)
    assert BankNotifications(bytes_max=BYTES_MAX + 1).read(large).reports
    with pytest.raises(Refused) as caught:
        BankNotifications().read(large)
    assert caught.value.code is RefusalCode.TOO_LARGE
