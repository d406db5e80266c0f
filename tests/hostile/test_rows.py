"""What the search through the rows would notice, so that finding nothing means something."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from tests.hostile.rows import problems


@pytest.mark.parametrize(
    "value",
    [
        "a\x00b",
        "\ud800",
        float("nan"),
        float("inf"),
        date(1, 1, 1),
        datetime(9999, 12, 31, tzinfo=UTC),
        {"name": ["fine", {"deep\x00": 1}]},
        ["fine", [float("-inf")]],
    ],
)
def test_what_nobody_means_is_noticed(value: object) -> None:
    found = [*problems(value)]

    assert len(found) == 1


@pytest.mark.parametrize(
    "value", ["fine\n", "🦓", 0.5, date(2026, 1, 5), None, 7, True, {"a": [1, "b"]}, b"\x00"]
)
def test_what_people_mean_is_left_alone(value: object) -> None:
    found = [*problems(value)]

    assert found == []
