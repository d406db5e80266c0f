"""The application starts fast because it loads late what is slow to load."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

SLOW = ("sklearn", "scipy", "skops", "alembic", "twilio.rest", "celery", "simple_icd_10_cm", "playwright")

LIST_LOADED = """
import sys
{before}
from campaigns.app import create_app
create_app()
print(*(name for name in {slow} if name in sys.modules))
"""


def slow_libraries_loaded(folder: Path, before: str = "") -> list[str]:
    """Start the application in an interpreter of its own and list the slow libraries in it."""
    settings = {
        "RECRUIT_ENVIRONMENT": "test",
        "RECRUIT_DATABASE_URL": f"sqlite:///{folder.as_posix()}/start.sqlite3",
        "RECRUIT_SECRET_KEY": "only-for-this-start-and-long-enough-to-be-accepted",
    }
    others = {name: value for name, value in os.environ.items() if not name.startswith("RECRUIT_")}
    done = subprocess.run(
        [sys.executable, "-c", LIST_LOADED.format(before=before, slow=SLOW)],
        cwd=ROOT,
        env={**others, **settings},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_create_app_loads_nothing_slow(tmp_path: Path) -> None:
    assert slow_libraries_loaded(tmp_path) == []


@pytest.mark.parametrize("library", ["alembic", "twilio.rest"])
def test_a_slow_library_would_be_noticed(tmp_path: Path, library: str) -> None:
    assert library in slow_libraries_loaded(tmp_path, before=f"import {library}")
