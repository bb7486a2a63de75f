"""Proves agreements, and remembers which it has proven: nothing in the book changes them."""

from collections.abc import Collection

import asyncpg

from recon_streams.approvals import proof_store
from recon_streams.approvals.proof import Agreement, Rolls, flaw_in
from recon_streams.book.connection import Session
from recon_streams.identity.keys import PublicKey


class Prover:
    """Holds agreements of the book against the keys of people."""

    def __init__(self, root: PublicKey) -> None:
        """Believe the operators that `root` has signed."""
        self._root = root
        self._proven: dict[int, Agreement] = {}
        self._rolls = Rolls([], root)
        self._roll_count = 0

    async def rolls(self, connection: Session | asyncpg.Pool) -> Rolls:
        """Return the operators of the book."""
        count = await proof_store.roll_count(connection)
        if count != self._roll_count:
            rows = await proof_store.roll_rows(connection)
            self._rolls, self._roll_count = Rolls(rows, self._root), len(rows)
        return self._rolls

    async def prove(
        self, connection: Session | asyncpg.Pool, request_ids: Collection[int]
    ) -> dict[int, Agreement | str]:
        """Return each agreement that holds, by number; in words what is wrong with the others."""
        unknown = set(request_ids) - self._proven.keys()
        found: dict[int, Agreement | str] = {
            number: self._proven[number] for number in set(request_ids) - unknown
        }
        if not unknown:
            return found
        # The operators are read after what they have signed: they came into the book before.
        agreements = await proof_store.agreements(connection, unknown)
        rolls = await self.rolls(connection)
        for number in unknown:
            agreement = agreements.get(number)
            flaw = "nobody agreed to it" if agreement is None else flaw_in(agreement, rolls)
            if flaw is not None or agreement is None:
                found[number] = flaw or ""
            else:
                found[number] = self._proven[number] = agreement
        return found
