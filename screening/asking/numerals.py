"""Read numbers, heights and weights as people type them.

Nothing here raises on any text: what cannot be read comes back as a ``Slip``.
A number keeps half of its last digit, because a participant's "180" means
anything from 179.5 to 180.5.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from screening.slips import Slip

LONGEST_NUMBER: Final = 100
_MOST_DIGITS: Final = 12
_POINT_LANGUAGES: Final = frozenset({"en"})
CM_PER_INCH: Final = Decimal("2.54")
KG_PER_POUND: Final = Decimal("0.45359237")
INCHES_PER_FOOT: Final = 12
POUNDS_PER_STONE: Final = 14

_MARKS: Final = {
    "\u066b": ".", "\u066c": "\u2009", "\u2212": "-", "\u2010": "-", "\u2011": "-", "\u2013": "-",
    "\u2032": "'", "\u2018": "'", "\u2019": "'", "\u00b4": "'", "\u0060": "'", "\u02b9": "'",
    "\u2033": '"', "\u201c": '"', "\u201d": '"', "\u02ba": '"', "\u060c": ",",
}  # fmt: skip
_FRACTIONS: Final = {"\u00bd": ".5", "\u00bc": ".25", "\u00be": ".75"}
_NUMBER: Final = r"\d+(?:[.,]\d+)*"


@dataclass(frozen=True, slots=True)
class Number:
    """A number as entered and half of its last digit."""

    value: Decimal
    half: Decimal

    @property
    def lo(self) -> Decimal:
        """Least value that would be entered like this."""
        return self.value - self.half

    @property
    def hi(self) -> Decimal:
        """Greatest value that would be entered like this."""
        return self.value + self.half


@dataclass(frozen=True, slots=True)
class Measure:
    """A height in cm or a weight in kg, with the unit and the parts that were entered."""

    lo: Decimal
    hi: Decimal
    unit: str
    parts: tuple[Decimal, ...]


def fold(text: str) -> str:
    """Write digits of any script, wide letters, primes and odd spaces in their plain form.

    Superscripts stay what they are: "5\u00b2" is not 52, and "5\u00bd" is 5.5.
    """
    folded = "".join(_plain(character) for character in text)
    spaced = " ".join(folded.replace("''", '"').split())
    return re.sub(r"(?<=\d) (?=\.(?:25|5|75)(?!\d))", "", spaced)


def _plain(character: str) -> str:
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    if "\uff01" <= character <= "\uff5e":
        character = chr(ord(character) - 0xFEE0)
    if unicodedata.category(character) == "Cf":
        return ""
    return _FRACTIONS.get(character) or _MARKS.get(character, character)


def read_number(text: str, *, language: str) -> Number | Slip:
    """Read one decimal number.

    A comma is a decimal mark unless it can only part thousands. Where a mark
    before three digits may be either ("1.800" outside English), nobody guesses.
    """
    plain = _ungrouped(text.strip(), language)
    if isinstance(plain, Slip):
        return plain
    if sum(character.isdigit() for character in plain) > _MOST_DIGITS:
        return Slip.TOO_MANY_DIGITS
    decimals = len(plain.partition(".")[2])
    return Number(Decimal(plain), Decimal(5).scaleb(-decimals - 1))


def _ungrouped(text: str, language: str) -> str | Slip:
    sign = "-" if text.startswith("-") else ""
    digits = text[1:].lstrip() if text.startswith(("-", "+")) else text
    digits = f"0{digits}" if digits.startswith((".", ",")) else digits
    if re.fullmatch(r"[0-9]+", digits):
        return sign + digits
    if re.fullmatch(r"[0-9]{1,3}(?:[ '][0-9]{3})+(?:[.,][0-9]+)?", digits):
        return sign + re.sub(r"[ ']", "", digits).replace(",", ".")
    if re.fullmatch(r"[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]+|[0-9]{1,3}(?:,[0-9]{3}){2,}", digits):
        return sign + digits.replace(",", "")
    if re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+|[0-9]{1,3}(?:\.[0-9]{3}){2,}", digits):
        return sign + digits.replace(".", "").replace(",", ".")
    if re.fullmatch(r"[1-9][0-9]{0,2}[.,][0-9]{3}", digits):
        return _thousands_or_decimals(sign, digits, language)
    if re.fullmatch(r"[0-9]+[.,][0-9]+", digits):
        return sign + digits.replace(",", ".")
    return Slip.NOT_A_NUMBER


def _thousands_or_decimals(sign: str, digits: str, language: str) -> str | Slip:
    if language not in _POINT_LANGUAGES:
        return Slip.AMBIGUOUS_NUMBER
    return sign + digits.replace(",", "")


_CM: Final = r"(?:cms?|centimet(?:er|re)s?|cent[ií]metros?)\.?"
_M: Final = r"(?:mts?|m|met(?:er|re)s?|metros?)\.?"
_FT: Final = r"(?:'|(?:fts?|feet|foot|pies?)\.?)"
_IN: Final = r"(?:\"|(?:ins?|inch(?:es)?|pulgadas?|pulg)\.?)"
_KG: Final = r"(?:kgs?|kilos?|kilogram(?:me)?s?|kilogramos?)\.?"
_LB: Final = r"(?:#|(?:lbs?|pounds?|libras?)\.?)"
_ST: Final = r"(?:sts?|stones?)\.?"
_AND: Final = r"\s*(?:,|and|y|con)?\s*"


def read_height(text: str, *, unit: str, language: str) -> Measure | Slip:
    """Read a height whose own words beat ``unit`` ("cm" or "ft_in"), which stands for a bare number.

    "1.80" among centimetres is read as metres, because nobody is 1.8 cm tall.
    """
    words = text.lower()
    if found := re.fullmatch(rf"({_NUMBER})\s*{_M}\s*(\d{{1,2}}(?=\s*{_CM})|\d\d)\s*(?:{_CM})?", words):
        return _metres(f"{found[1]}.{found[2]:0>2}")
    if found := re.fullmatch(rf"({_NUMBER})\s*{_M}", words):
        return _metres(found[1])
    if found := re.fullmatch(rf"({_NUMBER})\s*{_CM}", words):
        return _scaled(found[1], "cm", Decimal(1), language)
    if found := re.fullmatch(rf"({_NUMBER})\s*{_IN}", words):
        return _scaled(found[1], "in", CM_PER_INCH, language)
    feet = re.fullmatch(rf"({_NUMBER})\s*{_FT}{_AND}(?:({_NUMBER})\s*(?:{_IN})?)?", words)
    if feet is None and unit == "ft_in":
        feet = re.fullmatch(rf"({_NUMBER})(?:[ -]+({_NUMBER})\s*(?:{_IN})?)?", words)
    if feet is not None:
        return join_feet(feet[1], feet[2] or "", language=language)
    return _bare_height(words, language)


def _bare_height(words: str, language: str) -> Measure | Slip:
    number = read_number(words, language=language)
    if isinstance(number, Slip):
        return number if number is not Slip.NOT_A_NUMBER else Slip.NOT_A_HEIGHT
    if Decimal("0.4") <= number.value <= Decimal("2.6") and number.half < Decimal("0.5"):
        return _metres(words)
    return Measure(number.lo, number.hi, "cm", (number.value,))


def _metres(text: str) -> Measure | Slip:
    return _scaled(text.replace(",", "."), "m", Decimal(100), "en")


def _scaled(text: str, unit: str, factor: Decimal, language: str) -> Measure | Slip:
    number = read_number(text, language=language)
    if isinstance(number, Slip):
        return number
    return Measure(number.lo * factor, number.hi * factor, unit, (number.value,))


def join_feet(feet: str, inches: str, *, language: str) -> Measure | Slip:
    """Read feet and inches; "5.11" feet is refused, because most people mean 5 ft 11 in by it."""
    return _joined(
        feet,
        inches,
        language=language,
        unit="ft_in",
        per=INCHES_PER_FOOT,
        factor=CM_PER_INCH,
        slips=(Slip.NOT_A_HEIGHT, Slip.FEET_AND_INCHES_APART, Slip.INCHES_MISSING, Slip.INCHES_TOO_MANY),
    )


def read_weight(text: str, *, unit: str, language: str) -> Measure | Slip:
    """Read a weight whose own words beat ``unit`` ("kg", "lb" or "st_lb")."""
    words = text.lower()
    if found := re.fullmatch(rf"({_NUMBER})\s*{_KG}", words):
        return _scaled(found[1], "kg", Decimal(1), language)
    if found := re.fullmatch(rf"({_NUMBER})\s*{_LB}", words):
        return _scaled(found[1], "lb", KG_PER_POUND, language)
    stones = re.fullmatch(rf"({_NUMBER})\s*{_ST}{_AND}(?:({_NUMBER})\s*(?:{_LB})?)?", words)
    if stones is None and unit == "st_lb":
        stones = re.fullmatch(rf"({_NUMBER})(?:[ -]+({_NUMBER})\s*(?:{_LB})?)?", words)
    if stones is not None:
        return join_stones(stones[1], stones[2] or "", language=language)
    factor = KG_PER_POUND if unit == "lb" else Decimal(1)
    weight = _scaled(words, "lb" if unit == "lb" else "kg", factor, language)
    return Slip.NOT_A_WEIGHT if weight is Slip.NOT_A_NUMBER else weight


def join_stones(stones: str, pounds: str, *, language: str) -> Measure | Slip:
    """Read stones and pounds."""
    return _joined(
        stones,
        pounds,
        language=language,
        unit="st_lb",
        per=POUNDS_PER_STONE,
        factor=KG_PER_POUND,
        slips=(Slip.NOT_A_WEIGHT, Slip.NOT_A_WEIGHT, Slip.POUNDS_MISSING, Slip.POUNDS_TOO_MANY),
    )


def _joined(
    large: str,
    small: str,
    *,
    language: str,
    unit: str,
    per: int,
    factor: Decimal,
    slips: tuple[Slip, Slip, Slip, Slip],
) -> Measure | Slip:
    unreadable, apart, missing, too_many = slips
    major = read_number(large, language=language)
    if isinstance(major, Slip):
        return unreadable
    if major.half != Decimal("0.5") or major.value < 0:
        return apart
    if not small:
        return missing
    minor = read_number(small, language=language)
    if isinstance(minor, Slip) or minor.value < 0:
        return unreadable
    if minor.value >= per:
        return too_many
    total = major.value * per + minor.value
    return Measure(
        max(total - minor.half, Decimal(0)) * factor,
        (total + minor.half) * factor,
        unit,
        (major.value, minor.value),
    )


def read_quantity(
    text: str, names: Callable[[str], str | None], *, language: str
) -> tuple[Number, str | None] | Slip:
    """Read a number that may have its unit typed behind it; ``names`` tells the code of a unit's name."""
    found = re.fullmatch(r"([-+]?[.,]?[0-9](?:[0-9.,' ]*[0-9])?)\s*(.*)", text)
    if found is None:
        return Slip.NOT_A_NUMBER
    number = read_number(found[1], language=language)
    if isinstance(number, Slip):
        return number
    if not found[2]:
        return number, None
    unit = names(found[2])
    return Slip.UNKNOWN_UNIT if unit is None else (number, unit)
