"""An installation with somebody in it, and a backup of that moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recruit.backups.places import Place, make_place
from tests.recruit.conftest import MakeEmpty


@pytest.fixture
def place(make_migrated: MakeEmpty, tmp_path: Path) -> Place:
    return make_place(make_migrated(), tmp_path, before=lambda _session, _study: None)
