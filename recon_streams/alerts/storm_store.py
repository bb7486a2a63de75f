"""The SQL of storms: what one stands for, summed in the book, exactly."""

from collections.abc import Collection
from decimal import Decimal
from typing import Final

from recon_streams.alerts.alarm import storm_key
from recon_streams.alerts.storm_totals import ACCOUNT, SEVERITIES, Totals
from recon_streams.book.connection import Session
from topics.alerts import Severity

# Of a class, what fires and is not told as part of something else than a storm; `$2` are alerts
# that are to become part of it, and `$3` those that somebody is about to write.
_OF_CLASS: Final = (
    "FROM alerts.alert WHERE alert_class = $1 AND state <> 'RESOLVED' "
    "AND (inhibited_by IS NULL OR inhibited_by = $4 OR dedup_key = ANY($2::text[])) "
    "AND dedup_key <> ALL($3::text[])"
)
_COUNTS: Final = (
    "SELECT count(*) AS alerts, count(inhibited_by) AS untold, count(DISTINCT scope) AS scopes, "
    "count(inhibited_by) FILTER (WHERE severity = 'critical') AS critical, "
    "coalesce(($5::text[])[min(array_position($5::text[], severity)) "
    f"FILTER (WHERE inhibited_by IS NOT NULL)], 'info') AS severity {_OF_CLASS}"
)
# `numeric` has no bounds here: the sum is exact.
_SUMS: Final = (
    "SELECT currency, coalesce(sum(amount) FILTER (WHERE amount < 0), 0) AS short, "  # noqa: S608 - ours
    "coalesce(sum(amount) FILTER (WHERE amount > 0), 0) AS surplus FROM ("
    "SELECT substring(scope FROM '([^:]+)$') AS currency, coalesce("
    "body -> 'facts' -> 'amounts' ->> 'unexplained', "
    f"body -> 'facts' -> 'amounts' ->> 'difference')::numeric AS amount {_OF_CLASS} "
    f"AND scope LIKE '{ACCOUNT}%') AS a WHERE amount <> 0 GROUP BY currency"
)


async def totals_of(
    connection: Session,
    alert_class: str,
    *,
    with_keys: Collection[str] = (),
    without_keys: Collection[str] = (),
) -> Totals:
    """Return what a storm of `alert_class` stands for.

    Args:
        connection: The caller's.
        alert_class: Of the alerts.
        with_keys: Alerts that another cause stood for, and that this storm is to stand for.
        without_keys: Alerts that are left out.
    """
    asked = (alert_class, list(with_keys), list(without_keys), storm_key(alert_class))
    row = await connection.fetchrow(_COUNTS, *asked, [each.value for each in SEVERITIES])
    assert row is not None, "a count is one row"
    counts = dict(row) | {"severity": Severity(row["severity"])}
    sums = await connection.fetch(_SUMS, *asked)
    zero = Decimal(0)
    return Totals(
        **counts,
        short={row["currency"]: row["short"] for row in sums if row["short"] < zero},
        surplus={row["currency"]: row["surplus"] for row in sums if row["surplus"] > zero},
    )
