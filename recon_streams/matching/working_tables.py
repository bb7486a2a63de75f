"""The SQL of one run's working tables: what is new or open, and pairs by strong references.

Everything is set-based over many accounts at once. References are compared through 64-bit hashes,
which sort and join in a third of the time, and then as text, so that no collision decides anything.
What this leaves goes to the engine, which would have decided the same; a test compares the two.
"""

from collections.abc import Iterator
from typing import Final

from recon_streams.matching.rules import MatchingRules, ReferencePass

_BANK_FIELDS: Final = {
    "uetr": "lower(e.uetr)",
    "servicer_reference": "e.servicer_reference",
    "entry_reference": "e.entry_reference",
    "clearing_reference": "e.clearing_reference",
    "end_to_end_id": "e.end_to_end_id",
    "batch_reference": "e.batch_reference",
}
_LEDGER_FIELDS: Final = {
    "uetr": "lower(e.uetr)",
    "bank_reference": "e.bank_reference",
    "reference": "e.reference",
    "batch_reference": "e.batch_reference",
}
# As BankItem.content and LedgerItem.content sort, in the order of bytes as Python has it.
_BANK_ORDER: Final = (
    "w.day, coalesce(e.value_on, '0001-01-01'::date), "
    + ", ".join(
        f"coalesce({text}, '') COLLATE \"C\""
        for text in (*_BANK_FIELDS.values(), "e.counterparty", "e.remittance")
    )
    + ", w.sequence, w.part"
)
_LEDGER_ORDER: Final = (
    "w.day, "
    + ", ".join(
        f"coalesce({text}, '') COLLATE \"C\""
        for text in ("lower(e.uetr)", "e.bank_reference", "e.reference", "e.batch_reference")
    )
    + ", w.ledger_sequence"
)

ACCOUNTS = """
CREATE TEMP TABLE work_account ON COMMIT DROP AS
SELECT a.number, a.zone, a.calendar, coalesce(p.through, -1) AS after, a.through
FROM unnest($1::int[], $2::text[], $3::int[], $4::bigint[])
    AS a(number, zone, calendar, through)
LEFT JOIN matching.progress AS p USING (number)
"""
PAIRS = """
CREATE TEMP TABLE work_pair (
    number int, sequence bigint, part int, ledger_sequence bigint, bank_amount numeric,
    ledger_amount numeric, bank_on date, ledger_on date, rule int
) ON COMMIT DROP
"""
DAYS = "CREATE TEMP TABLE work_day (calendar int, day date, ordinal int) ON COMMIT DROP"
DAY_RANGE = """
SELECT min(low) AS first, max(high) AS last FROM (
    SELECT min(day) AS low, max(day) AS high FROM work_bank
    UNION ALL SELECT min(day), max(day) FROM work_ledger) AS r
"""
# What was taken apart by hand has no k-th place; the engine looks at it pair by pair.
APART = """
SELECT DISTINCT b.number, b.bank_sequence, b.bank_part, l.ledger_sequence
FROM matching.match AS b JOIN matching.match AS l USING (number, match_id)
WHERE b.number = ANY($1) AND b.released_by IS NOT NULL AND l.released_by IS NOT NULL
    AND b.bank_sequence IS NOT NULL AND l.ledger_sequence IS NOT NULL
"""
_STATED: Final = """LEFT JOIN stated AS s
    ON s.number = e.number AND s.sequence = e.sequence AND s.part = e.part"""
# Of most of the log a scan is best, and that is what the planner takes, as it cannot know how much
# is new; of the end of a long one its index is, account by account.
HOW_MUCH: Final = """
SELECT 4 * sum(greatest(through - after, 0)) < sum(through) FROM work_account
"""


def bank_table(rules: MatchingRules, *, is_end: bool) -> str:
    """Return the statement that collects the bank items that are new or open.

    `is_end`: what is new is only the end of the log.
    """
    fields = dict.fromkeys(each.bank for each in rules.references)
    columns = "".join(f", {_BANK_FIELDS[field]} AS {field}" for field in fields)
    hashes = "".join(
        f", {_hash(_BANK_FIELDS[each.bank], 'e.net')} AS h{place}"
        for place, each in enumerate(rules.references)
    )
    return f"""
CREATE TEMP TABLE work_bank ON COMMIT DROP AS
WITH stated AS (
    SELECT DISTINCT ON (c.number, c.sequence, c.part) c.number, c.sequence, c.part, c.booked_on
    FROM {_new("entry_confirmation", "c", is_end=is_end)}
        AND c.stated AND NOT c.withdraws AND c.booked_on IS NOT NULL
    ORDER BY c.number, c.sequence, c.part, c.arrived_on DESC, c.booked_on DESC
)
SELECT e.number, e.sequence, e.part, e.arrived_on, coalesce(s.booked_on, e.booked_on) AS day,
    e.net AS amount, e.code = 'WITHDRAWN' AS takes_back{columns}{hashes}
FROM {_new("bank_entry", "e", is_end=is_end, more=_STATED)} AND e.net <> 0
UNION ALL
SELECT e.number, e.sequence, e.part, e.arrived_on, e.day, e.amount, e.takes_back{columns}{hashes.replace("e.net", "e.amount")}
FROM matching.open_item AS o JOIN work_account AS a USING (number)
CROSS JOIN LATERAL (SELECT * FROM matching.bank_item AS b WHERE b.number = o.number
    AND b.sequence = o.sequence AND b.part = o.part AND b.arrived_on = o.arrived_on OFFSET 0) AS e
WHERE o.side = 'B' AND o.sequence <= a.after
"""  # noqa: S608, E501 - of our own words; one expression


def ledger_table(rules: MatchingRules, *, is_end: bool) -> str:
    """Return the statement that collects the ledger items that are new or open."""
    fields = dict.fromkeys(each.ledger for each in rules.references)
    columns = "".join(f", {_LEDGER_FIELDS[field]} AS {field}" for field in fields)
    hashes = "".join(
        f", {_hash(_LEDGER_FIELDS[each.ledger], 'e.amount')} AS h{place}"
        for place, each in enumerate(rules.references)
    )
    chosen = f"""e.number, e.ledger_sequence,
    (e.occurred_at AT TIME ZONE a.zone)::date AS day, e.amount{columns}{hashes}"""
    return f"""
CREATE TEMP TABLE work_ledger ON COMMIT DROP AS
SELECT {chosen}
FROM {_new("ledger_record", "e", is_end=is_end)} AND e.amount <> 0
UNION ALL
SELECT {chosen}
FROM matching.open_item AS o JOIN work_account AS a USING (number)
CROSS JOIN LATERAL (SELECT * FROM positions.ledger_record AS l WHERE l.number = o.number
    AND l.ledger_sequence = o.sequence OFFSET 0) AS e
WHERE o.side = 'L' AND e.sequence <= a.after
"""  # noqa: S608 - of our own words


def _new(table: str, name: str, *, is_end: bool, more: str = "") -> str:
    """Return what reads the rows of `table` that are new, up to a condition that may go on."""
    between = f"{name}.sequence > a.after AND {name}.sequence <= a.through"
    if not is_end:
        joined = f"positions.{table} AS {name} JOIN work_account AS a USING (number)"
        return f"{joined} {more} WHERE {between}"
    return (
        f"work_account AS a CROSS JOIN LATERAL (SELECT * FROM positions.{table} AS {name} "  # noqa: S608 - ours
        f"WHERE {name}.number = a.number AND {between} OFFSET 0) AS {name} {more} WHERE true"
    )


def without_apart(rules: MatchingRules) -> tuple[str, str]:
    """Return the statements that take items which were taken apart out of the passes."""
    none = ", ".join(f"h{place} = NULL" for place in range(len(rules.references)))
    given = (
        "unnest($1::int[], $2::bigint[], $3::int[], $4::bigint[]) "
        "AS k(number, sequence, part, other) WHERE w.number = k.number AND"
    )
    bank = (
        f"UPDATE work_bank AS w SET {none} FROM {given} (w.sequence, w.part) = (k.sequence, k.part)"  # noqa: S608 - ours
    )
    return bank, f"UPDATE work_ledger AS w SET {none} FROM {given} w.ledger_sequence = k.other"  # noqa: S608 - ours


def passes(rules: MatchingRules) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield what to run, in order.

    Either ("always", (statement, "")), or ("repeated", (table, statement)), which has something to
    do only if the table has rows.
    """
    for place in range(len(rules.references)):
        tables = _table("bank", place), _table("ledger", place)
        yield "always", (_twice(place, *tables), "")
        yield "always", (f"ANALYZE work_twice{place}", "")
        yield "always", (_unique_pairs(rules, place, tables), "")
        yield "repeated", (f"work_twice{place}", _repeated_pairs(rules, place, tables))
        yield "always", (_rest_of_bank(place, tables[0]), "")
        yield "always", (_rest_of_ledger(place, tables[1]), "")
        yield "always", (f"ANALYZE work_bank{place + 1}, work_ledger{place + 1}", "")


def rest_tables(rules: MatchingRules) -> tuple[str, str]:
    """Return the tables of what all passes leave."""
    return _table("bank", len(rules.references)), _table("ledger", len(rules.references))


def rest_counts(rules: MatchingRules) -> str:
    """Return the query of how many items each account has left."""
    bank, ledger = rest_tables(rules)
    return (
        "SELECT number, count(*) AS items FROM (SELECT number FROM "  # noqa: S608 - ours
        f"{bank} UNION ALL SELECT number FROM {ledger}) AS r GROUP BY number"
    )


def all_tables(rules: MatchingRules) -> list[str]:
    """Return every working table, so that a unit can run twice."""
    places = range(len(rules.references))
    return [
        "work_account",
        "work_pair",
        "work_day",
        *(f"work_twice{place}" for place in places),
        *(_table(side, place) for side in ("bank", "ledger") for place in (*places, len(places))),
    ]


def _table(side: str, place: int) -> str:
    return f"work_{side}{place or ''}"


def _hash(text: str, amount: str) -> str:
    # The hash of a number does not look at its sign.
    seed = f"e.number::bigint * 2 + ({amount} > 0)::int"
    return f"hashtextextended({text}, hash_numeric_extended({amount}, {seed}))"


def _twice(place: int, bank: str, ledger: str) -> str:
    """Return what notes the references that stand more than once on a side, with how often."""
    return f"""
CREATE TEMP TABLE work_twice{place} ON COMMIT DROP AS
SELECT h, sum(banks)::bigint AS banks, sum(ledgers)::bigint AS ledgers FROM (
    SELECT h{place} AS h, count(*) AS banks, 0 AS ledgers FROM {bank} WHERE h{place} IS NOT NULL
    GROUP BY 1 HAVING count(*) > 1
    UNION ALL
    SELECT h{place}, 0, count(*) FROM {ledger} WHERE h{place} IS NOT NULL
    GROUP BY 1 HAVING count(*) > 1) AS t GROUP BY h
"""  # noqa: S608 - of our own words


def _unique_pairs(rules: MatchingRules, place: int, tables: tuple[str, str]) -> str:
    each = rules.references[place]
    return f"""
INSERT INTO work_pair
SELECT b.number, b.sequence, b.part, l.ledger_sequence, b.amount, l.amount, b.day, l.day, {place}
FROM {tables[0]} AS b JOIN {tables[1]} AS l ON l.h{place} = b.h{place}
WHERE {_is_pair(rules, each)}
    AND NOT EXISTS (SELECT FROM work_twice{place} AS t WHERE t.h = b.h{place})
"""  # noqa: S608 - of our own words


def _repeated_pairs(rules: MatchingRules, place: int, tables: tuple[str, str]) -> str:
    """Return what pairs the k-th of equal ones with the k-th."""
    each = rules.references[place]
    return f"""
INSERT INTO work_pair
SELECT b.number, b.sequence, b.part, l.ledger_sequence, b.amount, l.amount, b.day, l.day, {place}
FROM (SELECT w.*, row_number() OVER (
        PARTITION BY w.number, w.amount, w.{each.bank} ORDER BY {_BANK_ORDER}) AS k
    FROM {tables[0]} AS w JOIN positions.bank_entry AS e USING (number, sequence, part, arrived_on)
    WHERE w.h{place} IN (SELECT h FROM work_twice{place})) AS b
JOIN (SELECT w.*, row_number() OVER (
        PARTITION BY w.number, w.amount, w.{each.ledger} ORDER BY {_LEDGER_ORDER}) AS k
    FROM {tables[1]} AS w JOIN positions.ledger_record AS e USING (number, ledger_sequence)
    WHERE w.h{place} IN (SELECT h FROM work_twice{place})) AS l
ON l.h{place} = b.h{place} AND l.k = b.k
WHERE {_is_pair(rules, each)}
"""  # noqa: S608 - of our own words


def _is_pair(rules: MatchingRules, each: ReferencePass) -> str:
    """Return the condition: equal account, reference and amount, near days, nothing stronger."""
    days = each.days_max
    said = [
        f"l.number = b.number AND l.{each.ledger} = b.{each.bank} AND l.amount = b.amount",
        f"""(abs(l.day - b.day) <= {days} OR EXISTS (
        SELECT FROM work_account AS a JOIN work_day AS x USING (calendar)
        JOIN work_day AS y USING (calendar) WHERE a.number = b.number AND x.day = b.day
        AND y.day = l.day AND abs(x.ordinal - y.ordinal) <= {days}))""",
    ]
    for alternatives in rules.alternatives:
        if each in alternatives:
            break
        right = f"l.{alternatives[0].ledger}"
        banks = [f"b.{other.bank}" for other in alternatives]
        equal = " OR ".join(f"coalesce({left} = {right}, false)" for left in banks)
        said.append(f"({right} IS NULL OR coalesce({', '.join(banks)}) IS NULL OR {equal})")
    return "\n    AND ".join(said)


def _rest_of_bank(place: int, table: str) -> str:
    return f"""
CREATE TEMP TABLE work_bank{place + 1} ON COMMIT DROP AS SELECT w.* FROM {table} AS w
WHERE NOT EXISTS (SELECT FROM work_pair AS p WHERE p.number = w.number
    AND p.sequence = w.sequence AND p.part = w.part AND p.rule = {place})
"""  # noqa: S608 - of our own words


def _rest_of_ledger(place: int, table: str) -> str:
    return f"""
CREATE TEMP TABLE work_ledger{place + 1} ON COMMIT DROP AS SELECT w.* FROM {table} AS w
WHERE NOT EXISTS (SELECT FROM work_pair AS p WHERE p.number = w.number
    AND p.ledger_sequence = w.ledger_sequence AND p.rule = {place})
"""  # noqa: S608 - of our own words
