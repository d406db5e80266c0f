"""Units are exact: what a laboratory wrote is what is compared."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from screening.errors import InvalidUnit
from screening.facts import Quantity
from screening.intervals import DecimalRange
from screening.units import canonical, check_unit, convert, convertible, quantise, round_half_up
from screening.vocabulary import KeyKind, packaged_vocabulary


@pytest.mark.parametrize(
    ("number", "source", "target", "analyte", "expected"),
    [
        ("70", "[in_i]", "cm", None, Fraction("177.8")),
        ("5", "[ft_i]", "m", None, Fraction("1.524")),
        ("180", "[lb_av]", "kg", None, Fraction("81.6466266")),
        ("12", "[stone_av]", "kg", None, Fraction("76.20351816")),
        ("98.6", "[degF]", "Cel", None, Fraction(37)),
        ("37", "Cel", "[degF]", None, Fraction("98.6")),
        ("126", "mg/dL", "mmol/L", "glucose", Fraction(1260000, 180156)),
        ("1", "mg/dL", "umol/L", "creatinine", Fraction(1000000, 11312)),
        ("48", "mmol/mol", "%", "hba1c", Fraction("6.54304")),
        ("6.54304", "%", "mmol/mol", "hba1c", Fraction(48)),
        ("1", "mg/mmol", "mg/g", "creatinine", Fraction(1000000, 113120)),
        ("150", "10*3/uL", "10*9/L", None, Fraction(150)),
        ("60", "U/L", "ukat/L", None, Fraction(1)),
        ("480", "ms", "s", None, Fraction("0.48")),
        ("2", "g/d", "mg/d", None, Fraction(2000)),
        ("72", "/min", "/h", None, Fraction(4320)),
        ("1", "a", "mo", None, Fraction(12)),
    ],
)
def test_conversion_is_exact(
    number: str, source: str, target: str, analyte: str | None, expected: Fraction
) -> None:
    assert convert(Fraction(number), source, target, analyte=analyte) == expected


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("mg/dL", "mmol/L"),
        ("mL/min/{1.73_m2}", "mL/min"),
        ("kg", "cm"),
        ("{score}", "{drinks}"),
        ("[IU]/L", "U/L"),
        ("mo", "d"),
    ],
)
def test_what_measures_something_else_is_refused(source: str, target: str) -> None:
    assert not convertible(source, target)
    with pytest.raises(InvalidUnit, match="cannot be turned"):
        convert(Fraction(1), source, target)


@pytest.mark.parametrize(
    "unit", ["", "10", "foo", "mg//dL", ".mg", "mg dL", "kg/", "{a b}", "x" * 41, "10*", "m2m("]
)
def test_what_is_no_unit_is_refused(unit: str) -> None:
    with pytest.raises(InvalidUnit):
        check_unit(unit)


def test_the_canonical_value_is_rounded_once_and_stays_an_interval() -> None:
    glucose = Quantity(DecimalRange(Decimal(126), Decimal(127)), "mg/dL")

    found = canonical(glucose, "mmol/L", 2, analyte="glucose")

    assert found == DecimalRange(Decimal("6.99"), Decimal("7.05"))


def test_a_value_in_its_own_unit_is_left_alone() -> None:
    exact = DecimalRange.point(Decimal("7.123456"))

    assert canonical(Quantity(exact, "%"), "%", 2) is exact


def test_halves_go_to_even_at_intake_and_away_from_zero_by_hand() -> None:
    half = Fraction("26.5")

    assert quantise(half, 0) == Decimal(26)
    assert round_half_up(half, 0) == 27
    assert round_half_up(-half, 0) == -27


def test_every_packaged_unit_turns_into_the_key_s_own() -> None:
    for key in packaged_vocabulary():
        if key.kind is KeyKind.QUANTITY:
            assert all(convertible(unit, key.unit or "", analyte=key.analyte) for unit in key.units), key.name
