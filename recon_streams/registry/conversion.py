"""From the words of a checked block to the exact numbers of a definition. Pure."""

from decimal import Decimal
from typing import Any

import msgspec

from recon_streams.kernel.money import normal
from recon_streams.registry.blocks import AccountBlock, OpeningBlock
from recon_streams.registry.checks import scale_of
from recon_streams.registry.definition import (
    AccountClearing,
    AccountDefinition,
    AccountInFlight,
    AccountLimits,
    AccountSilence,
    AccountStatements,
    AccountSweep,
    BankAccount,
    Opening,
)


def definition_of(account: AccountBlock) -> AccountDefinition:
    """Return the definition that a block without problems describes."""
    return AccountDefinition(
        account_id=account.account_id,
        currency=account.currency,
        scale=scale_of(account),
        bank_accounts=tuple(
            BankAccount(
                identification=bank.identification,
                scheme="IBAN" if bank.iban else "OTHER",
                servicer_bic=bank.servicer_bic,
            )
            for bank in account.bank_accounts
        ),
        corridors=tuple(sorted(account.corridors)),
        limits=AccountLimits(**_exact(account.limits.model_dump())),
        clearing=AccountClearing(
            clean_evaluations_min=account.clearing.clean_evaluations_min,
            dwell_seconds_min=account.clearing.dwell_seconds_min,
            clear_below_ratio=normal(Decimal(account.clearing.clear_below_ratio)),
        ),
        silence=msgspec.convert(account.silence.model_dump(), AccountSilence),
        in_flight=msgspec.convert(account.in_flight.model_dump(), AccountInFlight),
        statements=msgspec.convert(account.statements.model_dump(), AccountStatements),
        sweep=msgspec.convert(account.sweep.model_dump(), AccountSweep),
        calendar=account.calendar,
        time_zone=account.time_zone,
        opening=None if account.opening is None else _opening_of(account.opening),
    )


def _opening_of(opening: OpeningBlock) -> Opening:
    return Opening(
        as_of=opening.as_of,
        ledger_sequence=opening.ledger_sequence,
        **_exact({"bank": opening.bank, "ledger": opening.ledger}),
    )


def _exact(texts: dict[str, str | None]) -> dict[str, Any]:
    return {name: None if text is None else normal(Decimal(text)) for name, text in texts.items()}
