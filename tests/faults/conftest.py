"""The databases that tests of the schema use too, under the keys that the victims have."""

import pytest

from recruit.crypto import Keyring
from tests.faults.victim import SECRET
from tests.recruit.conftest import make_empty, make_migrated, migrated

__all__ = ["make_empty", "make_migrated", "migrated"]


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    """Give the keys that the victims have."""
    return Keyring.from_settings("", secret_key=SECRET)
