"""What can be wrong with a typed answer, and the words that help to put it right."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as made
from enum import StrEnum
from types import MappingProxyType


def N_(message: str) -> str:  # noqa: N802 - the name that message extraction looks for
    """Mark a message for translation and return it as it is."""
    return message


class Slip(StrEnum):
    """A reason why an answer cannot be taken as it was typed."""

    REQUIRED = "required"
    CHOOSE_ONE = "choose_one"
    CHOOSE_SOME = "choose_some"
    ONE_ONLY = "one_only"
    UNKNOWN_OPTION = "unknown_option"
    NONE_AND_SOME = "none_and_some"
    ANSWER_AND_INSTEAD = "answer_and_instead"
    UNREADABLE = "unreadable"
    TOO_LONG = "too_long"
    NOT_A_NUMBER = "not_a_number"
    NOT_WHOLE = "not_whole"
    AMBIGUOUS_NUMBER = "ambiguous_number"
    TOO_MANY_DIGITS = "too_many_digits"
    TOO_SMALL = "too_small"
    TOO_BIG = "too_big"
    CHOOSE_UNIT = "choose_unit"
    TWO_UNITS = "two_units"
    UNKNOWN_UNIT = "unknown_unit"
    NOT_A_HEIGHT = "not_a_height"
    FEET_AND_INCHES_APART = "feet_and_inches_apart"
    INCHES_MISSING = "inches_missing"
    INCHES_TOO_MANY = "inches_too_many"
    NOT_A_WEIGHT = "not_a_weight"
    POUNDS_MISSING = "pounds_missing"
    POUNDS_TOO_MANY = "pounds_too_many"
    UNLIKELY = "unlikely"
    NOT_A_DATE = "not_a_date"
    DAY_MISSING = "day_missing"
    MONTH_MISSING = "month_missing"
    YEAR_MISSING = "year_missing"
    YEAR_DIGITS = "year_digits"
    UNREAL_DATE = "unreal_date"
    IN_THE_FUTURE = "in_the_future"
    IN_THE_PAST = "in_the_past"
    BEFORE_BIRTH = "before_birth"
    TOO_LONG_AGO = "too_long_ago"
    TOO_FAR_AHEAD = "too_far_ahead"
    NOT_AN_AGO = "not_an_ago"
    AGO_UNIT_MISSING = "ago_unit_missing"
    DATE_OR_AGO = "date_or_ago"
    NOT_AN_AGE = "not_an_age"
    AGE_RANGE = "age_range"
    NOT_A_ZIP = "not_a_zip"
    CHOOSE_MEANING = "choose_meaning"
    NAME_MORE = "name_more"
    NAMED_TOO_MANY = "named_too_many"


MESSAGES: Mapping[Slip, str] = MappingProxyType(
    {
        Slip.REQUIRED: N_("Enter an answer"),
        Slip.CHOOSE_ONE: N_("Select one answer"),
        Slip.CHOOSE_SOME: N_("Select at least one answer"),
        Slip.ONE_ONLY: N_("Select one answer only"),
        Slip.UNKNOWN_OPTION: N_("Select an answer that is shown on this page"),
        Slip.NONE_AND_SOME: N_("Select the answers that apply, or select “%(none)s” on its own"),
        Slip.ANSWER_AND_INSTEAD: N_("Enter an answer, or select “%(instead)s”, but not both"),
        Slip.UNREADABLE: N_("Your answer has characters that we cannot read. Type it again"),
        Slip.TOO_LONG: N_("Your answer must have %(most)s characters or fewer"),
        Slip.NOT_A_NUMBER: N_("Enter a number, like 3 or 4.5"),
        Slip.NOT_WHOLE: N_("Enter a whole number, like 3"),
        Slip.AMBIGUOUS_NUMBER: N_("Enter the number without a mark between thousands, like 1800 or 1.8"),
        Slip.TOO_MANY_DIGITS: N_("Enter a number with fewer digits"),
        Slip.TOO_SMALL: N_("Your answer must be %(least)s or more"),
        Slip.TOO_BIG: N_("Your answer must be %(most)s or less"),
        Slip.CHOOSE_UNIT: N_("Select the unit of your measurement"),
        Slip.TWO_UNITS: N_("Enter your measurement in one unit only"),
        Slip.UNKNOWN_UNIT: N_("Enter the number alone, then select the unit"),
        Slip.NOT_A_HEIGHT: N_("Enter a height, like 5 feet 11 inches or 180 cm"),
        Slip.FEET_AND_INCHES_APART: N_("Enter feet and inches apart, like 5 feet 11 inches"),
        Slip.INCHES_MISSING: N_("Enter the inches too. For 5 feet exactly, enter 0 inches"),
        Slip.INCHES_TOO_MANY: N_("Inches must be less than 12"),
        Slip.NOT_A_WEIGHT: N_("Enter a weight, like 158 pounds, 72 kg or 11 stone 4 pounds"),
        Slip.POUNDS_MISSING: N_("Enter the pounds too. For 11 stone exactly, enter 0 pounds"),
        Slip.POUNDS_TOO_MANY: N_("Pounds must be less than 14 when you also enter stones"),
        Slip.UNLIKELY: N_("You entered %(entered)s. Is that right?"),
        Slip.NOT_A_DATE: N_("Enter a date, like 27 March 2019"),
        Slip.DAY_MISSING: N_("Date must include a day"),
        Slip.MONTH_MISSING: N_("Date must include a month"),
        Slip.YEAR_MISSING: N_("Date must include a year"),
        Slip.YEAR_DIGITS: N_("Year must have 4 digits, like 1974"),
        Slip.UNREAL_DATE: N_("Date must be a real date"),
        Slip.IN_THE_FUTURE: N_("Date must be today or in the past"),
        Slip.IN_THE_PAST: N_("Date must be today or in the future"),
        Slip.BEFORE_BIRTH: N_("Date must not be before birth"),
        Slip.TOO_LONG_AGO: N_("Year must be %(least)s or later"),
        Slip.TOO_FAR_AHEAD: N_("Year must be %(most)s or earlier"),
        Slip.NOT_AN_AGO: N_("Enter how long ago it was as a number, like 3"),
        Slip.AGO_UNIT_MISSING: N_("Select days, weeks, months or years"),
        Slip.DATE_OR_AGO: N_("Enter a date, or how long ago it was, but not both"),
        Slip.NOT_AN_AGE: N_("Enter an age in whole years, like 52"),
        Slip.AGE_RANGE: N_("Age must be between 0 and %(most)s years"),
        Slip.NOT_A_ZIP: N_("Enter a ZIP code with 5 digits, like 02139"),
        Slip.CHOOSE_MEANING: N_("Select what you mean by “%(words)s”"),
        Slip.NAME_MORE: N_("Added to your list. Name another one, or continue"),
        Slip.NAMED_TOO_MANY: N_("Name %(most)s at most, the most important ones first"),
    }
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to put right, and the form field that an error summary links to.

    A soft problem is a question ("Is that right?"): the same answer passes when
    the form comes back with ``confirmed`` set to what ``params["confirm"]`` says.
    """

    slip: Slip
    field: str
    params: Mapping[str, str] = made(default_factory=dict)
    soft: bool = False


@dataclass(frozen=True, slots=True)
class Problems:
    """Why an answer was not taken; never empty."""

    items: tuple[Problem, ...]

    @classmethod
    def one(cls, slip: Slip, at: str, *, soft: bool = False, **params: str) -> "Problems":
        """Make the usual case: a single problem."""
        return cls((Problem(slip, at, params, soft),))
