"""Which matching rules a run of a day goes by: the newest that were applied, else those shipped."""

from recon_streams.book.connection import Session
from recon_streams.matching.rule_store import current_rules
from recon_streams.matching.rules import MatchingRules


class RulesInForce:
    """The rules in force, asked for at each run."""

    async def __call__(self, connection: Session) -> MatchingRules:
        """Return the rules in force for the transaction of `connection`."""
        return (await current_rules(connection)).rules
