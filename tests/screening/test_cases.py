"""The tables of cases: one criterion, some facts, one day, one verdict."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from screening.assessment.assess import CriterionVerdict
from screening.assessment.evidence import Why
from screening.assessment.reasons import Reason
from screening.verdict import Kleene
from tests.screening.people import judged, judged_whole, noted_all

TABLES = Path(__file__).parent / "cases"
_WHOLE = re.compile(r"(?:anchor|include|exclude) ")
_VERDICT = re.compile(r"(.+?)(?: \((\w+)\))?")
_SOURCE = re.compile(r"# ClinicalTrials\.gov NCT\d{8}: \"[^\"]+\"")
_BY_REASON = {
    "site": Why.SITE_ONLY,
    "text": Why.UNCONFIRMED_TEXT,
    "value.no_reference": Why.NO_REFERENCE,
}


def lines(table: Path) -> Iterator[tuple[int, list[str]]]:
    """Read a table; a line without criterion is about the one above."""
    above = ""
    with table.open(encoding="utf-8") as text:
        for number, row in enumerate(csv.reader(text, delimiter=";", quotechar="'"), start=1):
            if row and not row[0].startswith("#"):
                above = row[0] or above
                yield number, [above, *row[1:]]


def cases() -> Iterator[object]:
    """Read every line of every table."""
    for table in sorted(TABLES.glob("*.csv")):
        for number, row in lines(table):
            yield pytest.param(*row, id=f"{table.stem}-{number}")


@pytest.mark.parametrize(("criterion", "facts", "on", "verdict"), list(cases()))
def test_a_case_comes_out_as_written(criterion: str, facts: str, on: str, verdict: str) -> None:
    day = date.fromisoformat(on)
    expected, why = _VERDICT.fullmatch(verdict).groups()  # type: ignore[union-attr]
    person = noted_all(json.loads(facts), on=day)
    is_whole = _WHOLE.match(criterion) is not None

    found = (judged_whole if is_whole else judged)(criterion, person, on=day)

    assert (_staff_read(found) if is_whole else _text_is(found)) == expected
    assert why is None or why in _whys(found)


def test_the_tables_hold_every_reason_for_unknown() -> None:
    verdicts = {row[3] for table in TABLES.glob("*.csv") for _, row in lines(table)}

    missing = {why for why in Why if f"unknown ({why.value})" not in verdicts}

    assert not missing


def test_every_real_criterion_names_its_source_and_comes_out_in_different_ways() -> None:
    groups = (TABLES / "real.csv").read_text(encoding="utf-8").split("\n\n")[1:]

    for group in groups:
        remarks = [line for line in group.splitlines() if line.startswith("#")]
        rows = [line for line in group.splitlines() if not line.startswith("#")]
        assert _SOURCE.fullmatch(remarks[0]), group
        assert len(rows) >= 3, group
        assert len({row.rpartition(";")[2].partition(" (")[0] for row in rows}) >= 2, group
    assert len(groups) >= 60


def _staff_read(found: CriterionVerdict) -> str:
    return found.label.value.replace("_", " ")


def _text_is(found: CriterionVerdict) -> str:
    if found.applies is Kleene.NOT_MET:
        return "does not apply"
    return str(min(found.holds, found.applies) if found.applies is Kleene.UNKNOWN else found.holds)


def _whys(found: CriterionVerdict) -> set[str]:
    told = {missing.why.value for missing in found.missing}
    reasons = [found.reason, *([found.unless] if found.unless else [])]
    return told | {why.value for reason in reasons for why in _said_by(reason)}


def _said_by(reason: Reason) -> Iterator[Why]:
    """Give what the reasons tell beside the missing keys: asking for a key would not settle it."""
    if reason.message in _BY_REASON and reason.decides:
        yield _BY_REASON[reason.message]
    for part in reason.parts:
        yield from _said_by(part)
