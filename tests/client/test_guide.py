"""The guide for payout services says what the guard says."""

import ast
import re
from pathlib import Path

from recon_streams.client.permit import Permit

GUIDE = (Path(__file__).parents[2] / "docs/how-to/guard-a-payout-service.md").read_text()


def reasons(text: str) -> set[str]:
    return set(re.findall(r"`([A-Z]+(?:_[A-Z]+)*)`", text))


def test_the_guide_explains_every_reason_and_no_other() -> None:
    table = "\n".join(line for line in GUIDE.splitlines() if line.startswith("| `"))
    said = reasons("\n".join(re.findall(r"^\| (.*?) \|", table, re.MULTILINE)))
    assert said == reasons(Permit.__doc__ or "")


def test_the_code_of_the_guide_is_code_and_short() -> None:
    block, on_one_machine = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    assert "BreakerGuard.postgres" in ast.unparse(ast.parse(on_one_machine))
    tree = ast.parse(block)
    assert len([line for line in block.splitlines() if line and "import" not in line]) <= 5
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert {"granted", "scope", "epoch", "seq", "lease_seq"} <= used
    assert used - {"kafka", "permit", "id"} <= set(Permit.__struct_fields__)


def test_page_one_says_no_fresh_permit_no_payout_and_what_it_costs() -> None:
    page_one = GUIDE[: GUIDE.index("## 1.")]
    assert "No fresh permit, no payout" in page_one
    assert "our outage stops your payouts" in page_one


def test_the_guide_says_what_several_scopes_rely_on_and_that_a_denial_relies_on_nothing() -> None:
    for words in ("`relied_on`", "the *first* that you named", "leaves it empty"):
        assert words in GUIDE


def test_the_guide_orders_the_flaws_of_a_record_as_the_cases_do() -> None:
    said = GUIDE[GUIDE.index("A record with several flaws") : GUIDE.index("[Each step exactly]")]
    cases = (Path(__file__).parents[2] / "conformance/README.md").read_text()
    table = cases[cases.index("## What is wrong with a record") : cases.index('Its number counts"')]
    rows = re.findall(r"^\| [a-j] \|.*", table, re.MULTILINE)
    assert re.findall(r"\(`([A-Z_]+)`\)", said) == [
        re.findall(r"`([A-Z_]{6,})`", row)[-1] for row in rows
    ]


def test_the_guide_names_the_count_of_leases_that_cannot_be_used() -> None:
    assert "`dropped:LEASE_UNKNOWN_KEY`" in GUIDE
