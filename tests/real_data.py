"""Where tests find real data: never in the repository, skipped where it is absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("RECRUIT_TEST_DATA") or ROOT.parent / "shared" / "data")


def needs(folder: str) -> pytest.MarkDecorator:
    """Skip where a folder of real data is absent, saying where it was looked for."""
    return pytest.mark.skipif(
        not (DATA / folder).is_dir(), reason=f"no {folder} under RECRUIT_TEST_DATA or ../shared/data"
    )
