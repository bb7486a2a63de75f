"""A ledger of accounts that are in order, until it issues money that nobody paid in."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import msgspec

from recon_streams.kernel.clock import utc_now
from recon_streams.log.record import OutgoingRecord

FUNDS: Final = "1000000.00"
TOO_MUCH: Final = "500000.00"


class PayoutLedger:
    """Numbers the ledger's records."""

    def __init__(self) -> None:
        """Begin with the first."""
        self._sequence = 0

    def balance(self, account: str) -> OutgoingRecord:
        """Return that the ledger's balance of `account` is the bank's."""
        self._sequence += 1
        said = {
            "balance_id": f"b-{self._sequence}",
            "account_id": account,
            "currency": "AED",
            "amount": FUNDS,
            "as_of": utc_now().isoformat(),
            "ledger_sequence": self._sequence,
        }
        return OutgoingRecord("ledger.balances", account.encode(), msgspec.json.encode(said))

    def issue(self, account: str) -> OutgoingRecord:
        """Return the issue of money that the bank does not have."""
        self._sequence += 1
        said = {
            "kind": "issue",
            "movement_id": f"mv-{self._sequence}",
            "account_id": account,
            "currency": "AED",
            "amount": TOO_MUCH,
            "occurred_at": utc_now().isoformat(),
            "ledger_sequence": self._sequence,
        }
        return OutgoingRecord("ledger.movements", account.encode(), msgspec.json.encode(said))

    @staticmethod
    def registry(accounts: Sequence[str]) -> str:
        """Return `accounts` as a registry file."""
        as_of = (utc_now() - timedelta(hours=1)).isoformat()
        lines = ["accounts:"]
        for account in accounts:
            lines += [
                f"  - account_id: {account}",
                "    currency: AED",
                f"    bank_accounts: [{{other: BANK-{account}}}]",
                "    clearing: {dwell_seconds_min: 0}",
                "    silence: {bank_seconds_max: 31536000, ledger_seconds_max: 31536000}",
                f'    opening: {{bank: "{FUNDS}", ledger: "{FUNDS}", as_of: "{as_of}"}}',
            ]
        return "\n".join(lines) + "\n"
