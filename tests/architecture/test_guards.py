"""The conventions of this code base hold, and each guard can tell when one is broken."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.architecture import code_guards, file_guards, import_guards, page_guards
from tests.architecture.source import ROOT

# SQL written as text, because expressions cannot say it: path::function, and why.
SQL_AS_TEXT: Mapping[str, str] = {
    "recruit/accounts/models.py::Grant": "an index over coalesce(), which has to be spelled alike everywhere",
    "recruit/audit/triggers.py::install": "triggers are written per dialect",
    "recruit/audit/triggers.py::remove": "triggers are written per dialect",
    "recruit/db.py::_sqlite_begin": "pragmas, and the kind of BEGIN",
    "recruit/db.py::unique_where": "the condition of a partial index",
    "recruit/intake/models.py::QuestionCounter": "an index over coalesce()",
    "recruit/intake/models.py::SettledCounter": "an index over coalesce()",
    "recruit/matching/models.py::StageCounter": "an index over coalesce()",
    "recruit/operations/checks.py::_pages": "pragmas",
    "recruit/referrals/models.py::Reason": "an index over coalesce()",
    "recruit/schema.py::_require_whole_references": "a pragma",
    "recruit/settling.py::_add": "names the counters' indexes over coalesce() as they were made",
}

Guard = Callable[[Path], list[str]]


def sql_in_text_is_listed(root: Path) -> list[str]:
    """Apply the table above."""
    return code_guards.sql_in_text_is_listed(root, SQL_AS_TEXT if root == ROOT else {})


GUARDS: tuple[Guard, ...] = (
    import_guards.imports_follow_the_flow,
    import_guards.the_core_is_pure,
    import_guards.modules_form_no_cycle,
    import_guards.no_unsafe_formats,
    code_guards.packages_hold_only_a_docstring,
    code_guards.modules_say_what_they_are,
    code_guards.modules_are_named_after_things,
    code_guards.one_module_owns_transactions,
    code_guards.one_module_reads_the_clock,
    code_guards.chance_is_an_argument,
    code_guards.failures_are_named,
    code_guards.nothing_is_printed,
    code_guards.sizes_stay_readable,
    sql_in_text_is_listed,
    file_guards.locked_versions_name_no_address,
    file_guards.nothing_names_this_machine,
    file_guards.the_top_level_is_as_agreed,
    page_guards.pages_carry_no_inline_code,
    page_guards.pages_load_nothing_from_elsewhere,
)

FOLDER = "/" + "home"  # taken apart, because the guards read this file too
INDEX = "py" + "pi.org"

# guard, file, what it holds, what the guard says about it
BROKEN: tuple[tuple[Guard, str, str, str], ...] = (
    (
        import_guards.imports_follow_the_flow,
        "recruit/a.py",
        "import campaigns.app",
        "may not import campaigns",
    ),
    (
        import_guards.imports_follow_the_flow,
        "screening/a.py",
        "from recruit import db",
        "may not import recruit",
    ),
    (
        import_guards.imports_follow_the_flow,
        "recruit/people/a.py",
        "def f():\n    from ..web import tests\n    from tests.people import ana",
        r"a\.py:3: recruit may not import tests",
    ),
    (import_guards.the_core_is_pure, "screening/a.py", "import flask", "may not import flask"),
    (import_guards.the_core_is_pure, "screening/a.py", "from os import environ", "may not import os"),
    (import_guards.the_core_is_pure, "screening/a.py", "import sklearn.svm", "may not import sklearn here"),
    (import_guards.no_unsafe_formats, "recruit/a.py", "def f():\n    import joblib", "joblib can run code"),
    (code_guards.packages_hold_only_a_docstring, "recruit/__init__.py", "", "nothing else"),
    (code_guards.packages_hold_only_a_docstring, "tests/x/__init__.py", '"""T."""\nx = 1', "nothing else"),
    (code_guards.modules_say_what_they_are, "recruit/a.py", "x = 1", "docstring"),
    (code_guards.modules_say_what_they_are, "run.py", "x = 1", "docstring"),
    (code_guards.modules_are_named_after_things, "recruit/utils/a.py", "", "not utils"),
    (code_guards.modules_are_named_after_things, "screening/date_helpers.py", "", "not date_helpers"),
    (code_guards.one_module_owns_transactions, "recruit/a.py", "session.commit()", "commits"),
    (
        code_guards.one_module_owns_transactions,
        "campaigns/a.py",
        "import sqlalchemy as sa\nsa.create_engine('x')",
        "makes engines",
    ),
    (
        code_guards.one_module_reads_the_clock,
        "recruit/a.py",
        "import datetime as dt\nwhen = dt.datetime.now(dt.UTC)",
        r"a\.py:2: datetime\.datetime\.now reads the clock",
    ),
    (
        code_guards.one_module_reads_the_clock,
        "recruit/a.py",
        "from time import time\nf(time)",
        "time.time reads",
    ),
    (
        code_guards.one_module_reads_the_clock,
        "recruit/a.py",
        "from sqlalchemy import func\nfunc.now()",
        "sqlalchemy.func.now reads",
    ),
    (code_guards.chance_is_an_argument, "recruit/a.py", "import random\nrandom.random()", "shared generator"),
    (code_guards.chance_is_an_argument, "recruit/a.py", "from uuid import uuid4\nuuid4()", "ids are made by"),
    (code_guards.failures_are_named, "recruit/a.py", "try:\n    f()\nexcept:\n    pass", "name the errors"),
    (
        code_guards.failures_are_named,
        "recruit/a.py",
        "try:\n    f()\nexcept (KeyError, Exception):\n    pass",
        "name the errors",
    ),
    (
        code_guards.failures_are_named,
        "recruit/a.py",
        "from contextlib import suppress\nwith suppress(Exception):\n    f()",
        "name the errors",
    ),
    (code_guards.nothing_is_printed, "recruit/a.py", "print('x')", "log it"),
    (code_guards.sizes_stay_readable, "recruit/a.py", "x = 1\n" * 601, "601 lines"),
    (
        code_guards.sizes_stay_readable,
        "recruit/a.py",
        "class A:\n    def f(self):\n" + "        x = 1\n" * 80,
        "A.f has 81 lines",
    ),
    (
        sql_in_text_is_listed,
        "recruit/a.py",
        "from sqlalchemy import text\ndef f(s):\n    s.execute(text('SELECT 1'))",
        r"list 'recruit/a\.py::f'",
    ),
    (sql_in_text_is_listed, "recruit/a.py", "c.exec_driver_sql('PRAGMA x')", r"a\.py::<module>"),
    (
        file_guards.locked_versions_name_no_address,
        "constraints.txt",
        "a @ https://x.org/a.whl",
        "not a plain",
    ),
    (file_guards.locked_versions_name_no_address, "constraints.txt", "-i https://x.org\n", "not a plain"),
    (file_guards.nothing_names_this_machine, "docs/a.md", f"cd {FOLDER}/ana/app", "one machine only"),
    (file_guards.nothing_names_this_machine, "a.cfg", f"index = https://{INDEX}/simple", "one machine only"),
    (file_guards.the_top_level_is_as_agreed, "helpers/a.txt", "x", "helpers: not an agreed entry"),
    (
        page_guards.pages_carry_no_inline_code,
        "templates/a.html",
        '<p\n style="color:red">',
        "a.html:1: <p style",
    ),
    (page_guards.pages_carry_no_inline_code, "templates/a.html", "<a {{ x }} onclick='f()'>", "<a onclick"),
    (
        page_guards.pages_carry_no_inline_code,
        "templates/a.html",
        "<script>f()</script>",
        "<script> without src",
    ),
    (
        page_guards.pages_carry_no_inline_code,
        "templates/a.html",
        "\n<style>p {}</style>",
        "a.html:2: a <style>",
    ),
    (page_guards.pages_carry_no_inline_code, "templates/a.html", '<a href="javascript:f()">', "runs code"),
    (
        page_guards.pages_load_nothing_from_elsewhere,
        "templates/a.html",
        '<img src="//x.org/a.png">',
        "loads from",
    ),
    (
        page_guards.pages_load_nothing_from_elsewhere,
        "templates/a.html",
        '<link rel=stylesheet href="https://x.org/a.css">',
        "<link href> loads from",
    ),
    (
        page_guards.pages_load_nothing_from_elsewhere,
        "static/css/a.css",
        "p { background: url(//x.org/a.png) }",
        "names the address",
    ),
    (
        page_guards.pages_load_nothing_from_elsewhere,
        "static/js/a.js",
        'fetch("https://x.org")',
        "names the address",
    ),
)

# What looks alike and is allowed: file and what it holds. No guard says a word about any of it.
SOUND: tuple[tuple[str, str], ...] = (
    ("campaigns/a.py", '"""A."""\nfrom recruit import db\nfrom screening import facts\n'),
    ("screening/a.py", '"""A."""\nimport numpy\ndef f():\n    import sklearn\n'),
    ("recruit/__init__.py", '"""Recruit."""\n'),
    ("recruit/people/a.py", '"""A."""\nfrom time import monotonic\nfrom recruit import clock\nclock.now()\n'),
    ("recruit/people/b.py", '"""B."""\nimport random\ndef f(rng: random.Random):\n    rng.random()\n'),
    ("recruit/db.py", '"""D."""\nfrom sqlalchemy import create_engine\nsession.commit()\n'),
    ("recruit/clock.py", '"""C."""\nfrom datetime import datetime\ndatetime.now()\n'),
    ("recruit/ids.py", '"""I."""\nfrom uuid import uuid4\nuuid4()\n'),
    ("recruit/jobs.py", '"""J."""\ntry:\n    f()\nexcept Exception:\n    g()\n'),
    ("recruit/materials/a.py", '"""A."""\nfrom recruit.forms import text\ntext("SELECT")\n'),
    ("constraints.txt", "numpy==2.4.6 ; python_full_version < '3.12'\nflask==3.1.3\n"),
    ("docs/a.md", "https://example.org/home/ana and /homes/ana and ~/work/x\n"),
    (
        "templates/a.html",
        '{# style="x" #}<script src="{{ url }}"></script><a href="https://x.org">{{ f(style="a") }}',
    ),
    ("static/img/a.svg", '<svg xmlns="http://www.w3.org/2000/svg"></svg>'),
    ("static/css/a.css", "/* after https://x.org */ p { background: url(a.png) }"),
    (".venv/lib/a.py", "import campaigns"),
)


def name_of(value: object) -> str:
    """Show a guard by its name where pytest lists cases."""
    return getattr(value, "__name__", "")


def write(root: Path, path: str, text: str) -> None:
    """Put a file into a small tree."""
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


@pytest.mark.parametrize("guard", GUARDS, ids=name_of)
def test_the_convention_holds(guard: Guard) -> None:
    complaints = guard(ROOT)

    assert complaints == [], f"{guard.__doc__}\n" + "\n".join(complaints)


@pytest.mark.parametrize(("guard", "path", "text", "complaint"), BROKEN, ids=name_of)
def test_a_broken_convention_is_noticed(
    tmp_path: Path, guard: Guard, path: str, text: str, complaint: str
) -> None:
    write(tmp_path, path, text)

    complaints = guard(tmp_path)

    assert len(complaints) == 1
    assert re.search(complaint, complaints[0])


@pytest.mark.parametrize("guard", GUARDS, ids=name_of)
def test_sound_code_is_left_in_peace(tmp_path: Path, guard: Guard) -> None:
    for path, text in SOUND:
        write(tmp_path, path, text)

    assert guard(tmp_path) == []


def test_every_guard_has_a_case_that_it_notices() -> None:
    noticed = {guard for guard, *_ in BROKEN} | {import_guards.modules_form_no_cycle}

    assert noticed == set(GUARDS)


class TestCycles:
    def test_a_detour_inside_a_function_is_noticed(self, tmp_path: Path) -> None:
        write(tmp_path, "recruit/a.py", "from recruit import b")
        write(tmp_path, "recruit/b.py", "def f():\n    from recruit.c import g")
        write(tmp_path, "recruit/c.py", "from .a import h")

        complaints = import_guards.modules_form_no_cycle(tmp_path)

        assert len(complaints) == 1
        assert all(f"recruit.{name}" in complaints[0] for name in "abc")

    def test_an_import_for_types_closes_no_circle(self, tmp_path: Path) -> None:
        write(tmp_path, "recruit/a.py", "from recruit import b")
        write(
            tmp_path,
            "recruit/b.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import recruit.a",
        )

        assert import_guards.modules_form_no_cycle(tmp_path) == []


def test_a_listed_sql_text_that_is_gone_is_noticed(tmp_path: Path) -> None:
    complaints = code_guards.sql_in_text_is_listed(tmp_path, {"recruit/a.py::f": "reason"})

    assert complaints == ["recruit/a.py::f: listed, but there is no SQL as text any more"]
