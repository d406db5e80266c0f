"""Days, months, ages and what people mean by "about two years ago"."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screening.intervals import (
    CalendarUnit,
    DateRange,
    DecimalRange,
    Duration,
    add_months,
    age_range,
    birth_range_from_age,
    completed,
    earliest_start,
    latest_start,
    shift,
)

ON = date(2026, 11, 22)
days = st.dates(date(1900, 1, 1), date(2100, 12, 31))
durations = st.builds(Duration, st.integers(0, 60), st.sampled_from(CalendarUnit))


def between(first: str, last: str) -> DateRange:
    """Write an interval by its ends."""
    return DateRange(date.fromisoformat(first), date.fromisoformat(last))


class TestAgo:
    @pytest.mark.parametrize(
        ("count", "unit", "expected"),
        [
            ("2", "years", between("2024-05-22", "2025-05-22")),
            ("10", "years", between("2014-05-22", "2019-05-22")),
            ("1", "months", between("2026-10-06", "2026-11-08")),
            ("6", "months", between("2026-04-06", "2026-07-08")),
            ("3", "weeks", between("2026-10-27", "2026-11-06")),
            ("10", "days", between("2026-11-10", "2026-11-14")),
            ("1", "days", between("2026-11-21", "2026-11-21")),
            ("0", "days", between("2026-11-22", "2026-11-22")),
        ],
    )
    def test_is_half_a_unit_or_a_quarter_wide_on_each_side(
        self, count: str, unit: str, expected: DateRange
    ) -> None:
        found = DateRange.ago(Decimal(count), unit, on=ON)

        assert found == expected

    def test_is_cut_at_birth_and_at_the_day_of_the_answer(self) -> None:
        birth = DateRange.year(2016)

        found = DateRange.ago(Decimal(10), "years", on=ON, birth=birth)

        assert found == between("2016-01-01", "2019-05-22")

    def test_before_birth_is_refused(self) -> None:
        with pytest.raises(ValueError, match="before it begins"):
            DateRange.ago(Decimal(10), "years", on=ON, birth=DateRange.year(2020))

    @pytest.mark.parametrize("count", ["-1", "NaN", "Infinity", "1e9"])
    def test_refuses_what_is_no_time(self, count: str) -> None:
        with pytest.raises(ValueError, match="between 0 and"):
            DateRange.ago(Decimal(count), "days", on=ON)

    @given(st.integers(0, 80), st.sampled_from(CalendarUnit), days)
    def test_holds_the_day_itself(self, count: int, unit: CalendarUnit, on: date) -> None:
        exact = shift(on, Duration(count, unit), -1)

        found = DateRange.ago(Decimal(count), unit, on=on)

        assert DateRange.day(exact).within(found)


class TestCalendar:
    def test_months_end_at_the_month(self) -> None:
        assert add_months(date(2026, 8, 31), 6) == date(2027, 2, 28)
        assert add_months(date(2024, 2, 29), 12) == date(2025, 2, 28)

    def test_stops_at_the_ends_of_the_calendar(self) -> None:
        assert add_months(date(9999, 1, 1), 24) == date.max
        assert add_months(date(1, 1, 1), -1) == date.min
        assert shift(date(9999, 1, 1), Duration(999_999, CalendarUnit.WEEKS)) == date.max

    @given(days, durations)
    def test_cut_off_days_say_the_same_as_adding(self, anchor: date, duration: Duration) -> None:
        last, first = latest_start(anchor, duration), earliest_start(anchor, duration)

        assert shift(last, duration) <= anchor < shift(last + timedelta(days=1), duration)
        assert shift(first - timedelta(days=1), duration) < anchor <= shift(first, duration)

    @given(days, days, st.sampled_from(CalendarUnit))
    def test_completed_units_are_the_most_that_fit(self, since: date, on: date, unit: CalendarUnit) -> None:
        if since > on:
            since, on = on, since

        count = completed(since, on, unit)

        assert shift(since, Duration(count, unit)) <= on < shift(since, Duration(count + 1, unit))


class TestAge:
    @given(st.integers(0, 120), days)
    def test_a_stated_age_is_exactly_the_births_that_make_it_true(self, age: int, on: date) -> None:
        births = birth_range_from_age(age, on)

        assert births.lo is not None
        assert births.hi is not None
        assert age_range(births, on) == (age, age)
        assert completed(births.lo - timedelta(days=1), on, CalendarUnit.YEARS) == age + 1
        assert completed(births.hi + timedelta(days=1), on, CalendarUnit.YEARS) == age - 1

    def test_a_year_of_birth_spans_two_ages(self) -> None:
        assert age_range(DateRange.year(2008), ON) == (17, 18)

    def test_an_unbounded_birth_has_an_unbounded_age(self) -> None:
        assert age_range(DateRange(None, date(2008, 1, 1)), ON) == (18, None)

    @pytest.mark.parametrize("age", [-1, 151])
    def test_refuses_an_age_that_nobody_has(self, age: int) -> None:
        with pytest.raises(ValueError, match="between 0 and 150"):
            birth_range_from_age(age, ON)


class TestRanges:
    def test_refuse_to_end_before_they_begin(self) -> None:
        with pytest.raises(ValueError, match="before it begins"):
            DateRange(date(2026, 1, 2), date(2026, 1, 1))
        with pytest.raises(ValueError, match="before it begins"):
            DecimalRange(Decimal(2), Decimal(1))

    def test_refuse_what_is_not_finite(self) -> None:
        with pytest.raises(ValueError, match="finite"):
            DecimalRange(Decimal("NaN"), None)
        with pytest.raises(ValueError, match="finite"):
            DecimalRange.reported(Decimal("Infinity"))

    @pytest.mark.parametrize(
        ("said", "lo", "hi"),
        [("27", "26.5", "27.5"), ("27.0", "26.95", "27.05"), ("0", "-0.5", "0.5"), ("7E1", "69.5", "70.5")],
    )
    def test_a_reported_number_is_half_its_last_digit_wide(self, said: str, lo: str, hi: str) -> None:
        assert DecimalRange.reported(Decimal(said)) == DecimalRange(Decimal(lo), Decimal(hi))

    def test_know_before_within_and_overlap(self) -> None:
        march, year = DateRange.month(2019, 3), DateRange.year(2019)
        later = DateRange(date(2019, 4, 1), None)

        assert march.within(year)
        assert not year.within(march)
        assert march.before(later)
        assert later.overlaps(year)
        assert not later.overlaps(march)
