"""What the tests of positions share: the storyboard, and one set of examples for their laws."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# This folder is not a package; its helpers are modules beside the tests.
sys.path.append(str(Path(__file__).parent))

from bank_messages import Bank
from storyboard import Story

# The same examples in every run: a red build must be red again when somebody looks.
settings.register_profile("lawful", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("lawful")


@pytest.fixture
def storyboard() -> Callable[[str], Story]:
    """Play a storyboard and check its decisions; return the account at its end."""
    return lambda text: Story().play(text)


@pytest.fixture
def bank() -> Bank:
    """Return a bank that has said nothing yet; both its accounts hold 1000."""
    return Bank()
