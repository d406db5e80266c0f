"""The tables of cases: one criterion, some facts, one day, one verdict."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from screening.verdict import Kleene
from tests.screening.people import judged, noted_all

TABLES = Path(__file__).parent / "cases"


def cases() -> Iterator[object]:
    """Read every line of every table."""
    for table in sorted(TABLES.glob("*.csv")):
        with table.open(encoding="utf-8") as lines:
            for number, row in enumerate(csv.reader(lines, delimiter=";", quotechar="'"), start=1):
                if row and not row[0].startswith("#"):
                    yield pytest.param(*row, id=f"{table.stem}-{number}")


@pytest.mark.parametrize(("criterion", "facts", "on", "verdict"), list(cases()))
def test_a_case_comes_out_as_written(criterion: str, facts: str, on: str, verdict: str) -> None:
    day = date.fromisoformat(on)
    expected, why = re.fullmatch(r"(.+?)(?: \((\w+)\))?", verdict).groups()  # type: ignore[union-attr]
    person = noted_all(json.loads(facts), on=day)

    found = judged(criterion, person, on=day)

    told = (
        "does not apply"
        if found.applies is Kleene.NOT_MET
        else str(min(found.holds, found.applies) if found.applies is Kleene.UNKNOWN else found.holds)
    )
    assert told == expected
    assert why is None or why in {missing.why.value for missing in found.missing}
