"""The SQL of storms: what one stands for, summed in the book, exactly."""

from collections.abc import Collection
from decimal import Decimal
from typing import Final

from recon_streams.alerts.alarm import storm_key
from recon_streams.alerts.storm_totals import ACCOUNT, SEVERITIES, Totals
from recon_streams.book.connection import Session
from topics.alerts import Severity

# Of a class, what fires and is not told as part of something else than a storm; `$2` are alerts
# that are to become part of it, and `$3` those that somebody is about to write. One statement, so
# that counts and sums are of the same moment; `numeric` has no bounds here, so the sums are exact.
_TOTALS: Final = f"""
WITH there AS MATERIALIZED (
    SELECT scope, inhibited_by IS NOT NULL AS untold, severity,
        CASE WHEN scope LIKE '{ACCOUNT}%' THEN substring(scope FROM '([^:]+)$') END AS currency,
        coalesce(body -> 'facts' -> 'amounts' ->> 'unexplained',
            body -> 'facts' -> 'amounts' ->> 'difference')::numeric AS amount
    FROM alerts.alert WHERE alert_class = $1 AND state <> 'RESOLVED'
        AND (inhibited_by IS NULL OR inhibited_by = $4 OR dedup_key = ANY($2::text[]))
        AND dedup_key <> ALL($3::text[])
), sums AS (
    SELECT currency, sum(amount) FILTER (WHERE amount < 0) AS short,
        sum(amount) FILTER (WHERE amount > 0) AS surplus
    FROM there WHERE currency IS NOT NULL AND amount <> 0 GROUP BY currency
)
SELECT count(*) AS alerts, count(*) FILTER (WHERE untold) AS untold,
    count(*) FILTER (WHERE untold AND severity = 'critical') AS critical,
    count(DISTINCT scope) AS scopes,
    coalesce(($5::text[])[min(array_position($5::text[], severity)) FILTER (WHERE untold)], 'info')
        AS severity,
    ARRAY(SELECT row(currency, short::text, surplus::text) FROM sums) AS sums
FROM there
"""  # noqa: S608 - ours


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
    row = await connection.fetchrow(
        _TOTALS,
        alert_class,
        list(with_keys),
        list(without_keys),
        storm_key(alert_class),
        [each.value for each in SEVERITIES],
    )
    assert row is not None, "a count is one row"
    sums = row["sums"]
    return Totals(
        alerts=row["alerts"],
        untold=row["untold"],
        critical=row["critical"],
        severity=Severity(row["severity"]),
        scopes=row["scopes"],
        short={currency: Decimal(text) for currency, text, _ in sums if text is not None},
        surplus={currency: Decimal(text) for currency, _, text in sums if text is not None},
    )
