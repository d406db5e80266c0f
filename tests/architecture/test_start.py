"""The application starts fast because it loads late what is slow to load."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

SLOW = (
    *("sklearn", "scipy", "skops", "alembic", "twilio.rest", "celery", "simple_icd_10_cm", "playwright"),
    *("email_validator", "segno"),  # what few requests need, or none before somebody types an address
    *("lark", "rapidfuzz", "recruit.studies.importing"),  # what reads notation, a misspelt word, a registry
    *("campaigns.demo", "recruit.demo.build", "recruit.backup", "recruit.rotation"),  # what one command needs
)

LIST_LOADED = """
import sys
{before}
import wsgi
print(*(name for name in {slow} if name in sys.modules))
"""
COUNT_FULL_SEARCHES = """
import gc
searches = []
gc.callbacks.append(lambda phase, about: searches.append(about["generation"]))
before = gc.get_freeze_count()
import wsgi
print(searches.count(2), gc.get_freeze_count() > before, gc.isenabled())
"""


def said_at_a_start(folder: Path, program: str) -> list[str]:
    """Run a program that starts the application in an interpreter of its own; give the words it prints."""
    settings = {
        "RECRUIT_ENVIRONMENT": "test",
        "RECRUIT_DATABASE_URL": f"sqlite:///{folder.as_posix()}/start.sqlite3",
        "RECRUIT_SECRET_KEY": "only-for-this-start-and-long-enough-to-be-accepted",
    }
    others = {name: value for name, value in os.environ.items() if not name.startswith("RECRUIT_")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**others, **settings},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout.split()


def slow_libraries_loaded(folder: Path, before: str = "") -> list[str]:
    """Start the application and list what is slow to load and was loaded."""
    return said_at_a_start(folder, LIST_LOADED.format(before=before, slow=SLOW))


def test_create_app_loads_nothing_slow(tmp_path: Path) -> None:
    assert slow_libraries_loaded(tmp_path) == []


@pytest.mark.parametrize("library", ["alembic", "twilio.rest", "campaigns.demo"])
def test_a_slow_library_would_be_noticed(tmp_path: Path, library: str) -> None:
    assert library in slow_libraries_loaded(tmp_path, before=f"import {library}")


def test_a_start_collects_no_garbage_and_sets_aside_what_it_loaded(tmp_path: Path) -> None:
    full_searches, has_frozen, collects_again = said_at_a_start(tmp_path, COUNT_FULL_SEARCHES)

    assert (full_searches, has_frozen, collects_again) == ("0", "True", "True")
