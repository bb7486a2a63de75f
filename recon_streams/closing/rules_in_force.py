"""Which matching rules a run of a day goes by: the newest that were applied, else those shipped."""

from importlib.resources import files

from recon_streams.book.connection import Session
from recon_streams.matching.rules import MatchingRules
from recon_streams.matching.rules_file import rules_from_text

_NEWEST = "SELECT version, source, content FROM matching.rule_version ORDER BY version DESC LIMIT 1"


class RulesInForce:
    """The rules, parsed again only when there are newer ones."""

    def __init__(self) -> None:
        """Read at first use."""
        self._known: MatchingRules | None = None

    async def __call__(self, connection: Session) -> MatchingRules:
        """Return the rules in force for the transaction of `connection`."""
        row = await connection.fetchrow(_NEWEST)
        version = 0 if row is None else row["version"]
        if self._known is None or self._known.version != version:
            if row is None:
                text = files("config").joinpath("matching.yaml").read_text("utf-8")
                self._known = rules_from_text("matching.yaml", text, version=0)
            else:
                self._known = rules_from_text(row["source"], row["content"], version=version)
        return self._known
