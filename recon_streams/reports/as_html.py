"""A report as one HTML page that can be mailed, printed and signed, and that loads nothing."""

from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from recon_streams.reports.account_day import AccountDay
from recon_streams.reports.backing import figures_of
from recon_streams.reports.change_words import before_and_now, figure_name
from recon_streams.reports.dataset import (
    Dataset,
    EodDataset,
    dataset_from_bytes,
    digest_of,
    report_id,
)
from recon_streams.reports.figures import printed
from recon_streams.reports.reasons import covering_parts, reason_of, uncovered_parts
from recon_streams.reports.summary import summary_of
from recon_streams.reports.totals import require_ties
from recon_streams.reports.walk import ageing_of, steps_of
from recon_streams.reports.words import CONTINUITIES, TIERS, answer_text


def as_html(content: bytes) -> str:
    """Return the page of the dataset `content`. Everything from outside is escaped.

    Raises:
        TotalsDisagree: a total does not tie; such a page must not be signed.
    """
    dataset = dataset_from_bytes(content)
    template = _environment().get_template(
        "eod.html.j2" if isinstance(dataset, EodDataset) else "intraday.html.j2"
    )
    return template.render(
        report=dataset,
        report_id=report_id(dataset),
        sha256=digest_of(content),
        totals=require_ties(dataset),
        summary=summary_of(dataset),
        **_days(dataset),
    )


def _days(dataset: Dataset) -> dict[str, Any]:
    if not isinstance(dataset, EodDataset):
        return {"days": []}
    return {"days": [_day(account) for account in dataset.accounts]}


def _day(account: AccountDay) -> dict[str, Any]:
    return {
        "account": account,
        "reason": reason_of(account),
        "steps": steps_of(account),
        "covering": covering_parts(account),
        "not_covered": uncovered_parts(account),
        "ageing": ageing_of(account.items),
    }


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("recon_streams.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure"] = printed
    environment.globals.update(
        tiers=TIERS,
        continuities=CONTINUITIES,
        answer_text=answer_text,
        figures_of=figures_of,
        figure_name=figure_name,
        before_and_now=before_and_now,
        reason_of=reason_of,
    )
    return environment
