"""The documentation keeps its word: the tutorial's commands work, links lead somewhere, names exist."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from werkzeug.exceptions import NotFound
from werkzeug.routing import RequestRedirect

from campaigns.demo import PASSWORD
from recruit.demo import staff
from recruit.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = ROOT / "docs" / "tutorial" / "first-hour.md"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
SH = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"")
SETTING = re.compile(rf"\b{PREFIX}([A-Z][A-Z_]+)\b")
ADDRESS = re.compile(r"http://127\.0\.0\.1:8000(/[^\s)`|]*)|`(/(?:staff|demo|healthz|readyz)[^\s`]*)`")
ACCOUNT = re.compile(r"`([a-z-]+@example\.org)`")
NOT_OURS = {"TEST_DATA", "TEST_BROWSER", "REQUIRE_BROWSER"}
"""Variables that only tests read."""


def named(pattern: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """Find what the pages name, each with the page that names it."""
    for page in PAGES:
        for found in pattern.finditer(page.read_text(encoding="utf-8")):
            yield page.relative_to(ROOT).as_posix(), next(group for group in found.groups() if group)


def test_the_commands_of_the_tutorial_work_one_after_the_other(tmp_path: Path) -> None:
    commands = "\n".join(SH.findall(TUTORIAL.read_text(encoding="utf-8")))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    environment |= {"TMPDIR": str(tmp_path), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    done = subprocess.run(
        ["/bin/sh", "-eu"],
        input=commands,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout
    assert re.search(r"^http\S+/staff/invitation/\S+$", said, re.MULTILINE)
    assert re.search(r"^ana@example\.org  invited  admin$", said, re.MULTILINE)
    assert len(re.findall(r"NCT\d{8} created", said)) == 1
    assert len(re.findall(r"NCT\d{8} unchanged", said)) == 1
    assert "Sending is on." in said
    assert "BAD" not in said


def test_links_lead_somewhere() -> None:
    broken = [
        f"{page}: {link}"
        for page, link in named(LINK)
        if not urlsplit(link).scheme and not ((ROOT / page).parent / urlsplit(link).path).exists()
    ]

    assert broken == []


def test_settings_exist() -> None:
    known = {name.upper() for name in Settings.model_fields} | NOT_OURS

    unknown = [f"{page}: {PREFIX}{name}" for page, name in named(SETTING) if name not in known]

    assert unknown == []


def test_addresses_exist(app: Flask) -> None:
    routes = app.url_map.bind("localhost")
    missing = []
    for page, address in named(ADDRESS):
        try:
            routes.match(urlsplit(address).path)
        except RequestRedirect:
            continue
        except NotFound:
            missing.append(f"{page}: {address}")

    assert missing == []


def test_accounts_of_the_tutorial_can_sign_in() -> None:
    named_there = set(ACCOUNT.findall(TUTORIAL.read_text(encoding="utf-8")))

    assert named_there <= {member.email for member in staff.MEMBERS}
    assert PASSWORD not in TUTORIAL.read_text(encoding="utf-8")


@pytest.mark.parametrize("word", ["TODO", "TBD", "FIXME", "Lorem"])
def test_nothing_is_left_to_be_written(word: str) -> None:
    assert [page.name for page in PAGES if word in page.read_text(encoding="utf-8")] == []
