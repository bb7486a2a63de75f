"""The SQL of what is there twice: left items whose like, same reference and amount, is matched."""

from collections.abc import Iterator
from typing import Final

from recon_streams.matching.rules import SHARED, MatchingRules
from recon_streams.matching.working_tables import rest_tables

# The ledger is indexed by reference: what is matched under it is found whenever it was. Key by key,
# spelled so that the planner cannot turn it into a join: it has not heard yet of what was written.
_REPEATED_BEFORE: Final = """
SELECT w.number, 'B', w.sequence, w.part FROM (
    SELECT DISTINCT number, end_to_end_id, amount FROM {bank}
    WHERE number = ANY($1) AND end_to_end_id IS NOT NULL) AS k
CROSS JOIN LATERAL (SELECT FROM positions.ledger_record AS r
    CROSS JOIN LATERAL (SELECT bank_sequence, bank_part FROM matching.match AS m
        WHERE m.number = k.number AND m.ledger_sequence = r.ledger_sequence
        AND m.released_by IS NULL OFFSET 0) AS m
    CROSS JOIN LATERAL (SELECT FROM positions.bank_entry AS e WHERE e.number = k.number
        AND e.sequence = m.bank_sequence AND e.part = m.bank_part
        AND e.end_to_end_id = k.end_to_end_id AND e.net = k.amount OFFSET 0) AS e
    WHERE r.number = k.number AND r.reference = k.end_to_end_id AND r.amount = k.amount
    LIMIT 1) AS twin
JOIN {bank} AS w USING (number, end_to_end_id, amount)
UNION ALL
SELECT w.number, 'L', w.ledger_sequence, 0 FROM (
    SELECT DISTINCT number, reference, amount FROM {ledger}
    WHERE number = ANY($1) AND reference IS NOT NULL) AS k
CROSS JOIN LATERAL (SELECT FROM positions.ledger_record AS r
    CROSS JOIN LATERAL (SELECT FROM matching.match AS m WHERE m.number = k.number
        AND m.ledger_sequence = r.ledger_sequence AND m.released_by IS NULL OFFSET 0) AS m
    WHERE r.number = k.number AND r.reference = k.reference AND r.amount = k.amount
    LIMIT 1) AS twin
JOIN {ledger} AS w USING (number, reference, amount)
"""


def repeated(rules: MatchingRules) -> Iterator[str]:
    """Yield the queries of left items whose like is matched: in this run, or by id before it."""
    bank, ledger = rest_tables(rules)
    for place, each in enumerate(rules.references):
        if each.bank not in SHARED:
            yield f"""
SELECT w.number, 'B', w.sequence, w.part FROM {bank} AS w
JOIN positions.bank_entry AS e USING (number, sequence, part, arrived_on)
WHERE w.number = ANY($1) AND (w.part = 0 OR e.{each.bank} IS DISTINCT FROM e.entry_reference)
    AND w.h{place} IN (
        SELECT o.h{place} FROM work_bank AS o JOIN work_pair AS p USING (number, sequence, part)
        WHERE o.h{place} IN (SELECT h{place} FROM {bank} WHERE number = ANY($1)))
"""  # noqa: S608 - of our own words
        yield f"""
SELECT w.number, 'L', w.ledger_sequence, 0 FROM {ledger} AS w WHERE w.number = ANY($1)
    AND w.h{place} IN (SELECT o.h{place} FROM work_ledger AS o
        JOIN work_pair AS p USING (number, ledger_sequence)
        WHERE o.h{place} IN (SELECT h{place} FROM {ledger} WHERE number = ANY($1)))
"""  # noqa: S608 - of our own words
        if each.bank == "end_to_end_id" and each.ledger == "reference":
            yield _REPEATED_BEFORE.format(bank=bank, ledger=ledger)
