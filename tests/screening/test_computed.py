"""Values computed from others: published examples, and enclosures of everything that the inputs allow."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screening.computed import Input, creatinine_clearance, glomerular_filtration, pack_years
from screening.intervals import CalendarUnit as Unit
from screening.intervals import DateRange, DecimalRange, completed

TODAY = date(2026, 11, 22)
WOMAN, MAN = frozenset({"female"}), frozenset({"male"})


def level(lo: str, hi: str = "", *, on: DateRange | None = None) -> Input:
    return Input(known=DecimalRange(Decimal(lo), Decimal(hi or lo)), observed=on or DateRange.day(TODAY))


def born(years_ago: int) -> Input:
    return Input(days=DateRange.day(date(TODAY.year - years_ago, 1, 15)))


class TestFiltration:
    @pytest.mark.parametrize(
        ("creatinine", "age", "sex", "rate"),
        [
            # National Kidney Foundation's calculator, CKD-EPI 2021
            ("1.0", 50, WOMAN, 69),
            ("1.0", 50, MAN, 92),
            ("0.6", 30, WOMAN, 124),
            ("2.5", 70, MAN, 27),
            ("0.7", 65, WOMAN, 96),
        ],
    )
    def test_agrees_with_published_values(
        self, creatinine: str, age: int, sex: frozenset[str], rate: int
    ) -> None:
        found = glomerular_filtration([level(creatinine), born(age), Input(codes=sex)])

        assert found is not None
        assert found.lo is not None
        assert found.hi is not None
        assert round(found.lo) == round(found.hi) == rate

    def test_of_an_unknown_sex_is_the_hull_of_both(self) -> None:
        inputs = [level("1.0"), born(50)]
        woman, man, unknown = (
            glomerular_filtration([*inputs, Input(codes=codes)])
            for codes in (WOMAN, MAN, frozenset({"female", "male", "intersex"}))
        )

        assert woman is not None
        assert man is not None
        assert unknown == DecimalRange(woman.lo, man.hi)

    def test_is_unknown_without_creatinine_or_birth(self) -> None:
        assert glomerular_filtration([Input(), born(50), Input(codes=WOMAN)]) is None
        assert glomerular_filtration([level("1.0"), Input(), Input(codes=WOMAN)]) is None

    def test_is_not_for_children(self) -> None:
        assert glomerular_filtration([level("0.6"), born(12), Input(codes=WOMAN)]) is None

    def test_takes_the_age_of_the_day_of_the_measurement(self) -> None:
        then = DateRange.day(TODAY - timedelta(days=3653))

        early = glomerular_filtration([level("1.0", on=then), born(60), Input(codes=MAN)])
        late = glomerular_filtration([level("1.0"), born(50), Input(codes=MAN)])

        assert early == late

    @given(
        st.tuples(st.integers(30, 400), st.integers(0, 60)),
        st.tuples(st.integers(20, 80), st.integers(0, 700)),
        st.sampled_from((WOMAN, MAN, WOMAN | MAN)),
    )
    def test_encloses_every_completion(
        self, creatinine: tuple[int, int], birth: tuple[int, int], sexes: frozenset[str]
    ) -> None:
        low, high = creatinine[0], creatinine[0] + creatinine[1]
        first = date(TODAY.year - birth[0] - 2, 3, 1)
        days = DateRange(first, first + timedelta(days=birth[1]))

        whole = glomerular_filtration(
            [level(f"{low / 100:.2f}", f"{high / 100:.2f}"), Input(days=days), Input(codes=sexes)]
        )

        assert whole is not None
        assert whole.lo is not None
        assert whole.hi is not None
        for hundredths, day, sex in product({low, high}, {days.lo, days.hi}, sexes):
            assert day is not None
            age = completed(day, TODAY, Unit.YEARS)
            one = plain_ckd_epi(hundredths / 100, age, sex)
            assert float(whole.lo) - 1e-6 <= one <= float(whole.hi) + 1e-6


def plain_ckd_epi(creatinine: float, age: int, sex: str) -> float:
    """Work the published formula out in floating point, for comparison."""
    kappa, alpha, factor = (0.7, -0.241, 1.012) if sex == "female" else (0.9, -0.302, 1.0)
    ratio = creatinine / kappa
    return float(142 * min(ratio, 1) ** alpha * max(ratio, 1) ** -1.2 * 0.9938**age * factor)


class TestClearance:
    @pytest.mark.parametrize(
        ("creatinine", "age", "sex", "weight", "rate"),
        [
            ("1.0", 40, MAN, "72", "100"),
            ("1.2", 60, WOMAN, "60", "47.222222"),
            ("2.0", 80, MAN, "70", "29.166666"),
        ],
    )
    def test_agrees_with_the_formula(
        self, creatinine: str, age: int, sex: frozenset[str], weight: str, rate: str
    ) -> None:
        heavy = Input(known=DecimalRange.point(Decimal(weight)))

        found = creatinine_clearance([level(creatinine), born(age), Input(codes=sex), heavy])

        assert found is not None
        assert found.lo == Decimal(rate)

    def test_widens_with_the_weight(self) -> None:
        between = Input(known=DecimalRange(Decimal(60), Decimal(80)))

        found = creatinine_clearance([level("1.0"), born(40), Input(codes=MAN), between])

        assert found is not None
        assert (round(found.lo or 0, 3), round(found.hi or 0, 3)) == (Decimal("83.333"), Decimal("111.111"))

    def test_is_unknown_without_the_weight(self) -> None:
        assert creatinine_clearance([level("1.0"), born(40), Input(codes=MAN), Input()]) is None


class TestPackYears:
    def test_multiply_packs_and_years(self) -> None:
        inputs = [
            Input(known=DecimalRange(Decimal(10), Decimal(20))),
            Input(known=DecimalRange(Decimal(15), Decimal(30))),
        ]

        assert pack_years(inputs) == DecimalRange(Decimal("7.5"), Decimal(30))

    def test_are_unknown_without_one_of_them(self) -> None:
        assert pack_years([Input(), Input(known=DecimalRange.point(Decimal(10)))]) is None
