"""What a person said to one question, as typed values that a draft can keep.

An answer knows the day on which it was given, so that "52 years old" and
"three years ago" mean the same when the draft is finished a week later.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from screening.asking.datewords import Precision
from screening.intervals import CalendarUnit, DateRange, DecimalRange

DONT_KNOW: Final = "dont_know"
DECLINED: Final = "declined"
RESERVED: Final = frozenset({DONT_KNOW, DECLINED})


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    on: date


class _Typed(_Said):
    """Something typed: the words as they were, and the form fields that show them again."""

    raw: str
    entered: tuple[tuple[str, str], ...]


class DontKnow(_Said):
    """The person was asked and does not know."""

    kind: Literal["dont_know"] = DONT_KNOW


class Declined(_Said):
    """The person was asked and prefers not to say."""

    kind: Literal["declined"] = DECLINED


class Seen(_Said):
    """A page without a question was read."""

    kind: Literal["seen"] = "seen"


class Chosen(_Said):
    """Options that were chosen, in the document's order, and words of one's own beside them."""

    kind: Literal["chosen"] = "chosen"
    codes: tuple[str, ...]
    other: str = ""


class Told(BaseModel):
    """One thing that a person named: the words as typed, and the code and label that were chosen for them.

    Without a code the words are all there is, until somebody asks.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: str
    code: str = ""
    label: str = ""

    @property
    def token(self) -> str:
        """Give it as one form value."""
        return "|".join((self.code, self.label, self.words))

    @classmethod
    def of_token(cls, token: str) -> "Told":
        """Read a form value; one of another shape is read as words."""
        code, _, rest = token.partition("|")
        label, bar, words = rest.partition("|")
        return cls(words=words, code=code, label=label) if bar else cls(words=token)


class Named(_Said):
    """What was named in words of one's own; ``none`` is the option that says there is nothing to name."""

    kind: Literal["named"] = "named"
    told: tuple[Told, ...] = ()
    none: str = ""


class Counted(_Typed):
    """A whole number that was counted, so it is exact."""

    kind: Literal["counted"] = "counted"
    value: int


class Measured(_Typed):
    """A measurement: what was entered (``parts`` of ``unit``) and what it means (``lo`` to ``hi``).

    ``canonical`` is the unit of ``lo`` and ``hi``: cm for every height, kg for
    every weight, the entered unit for anything else.
    """

    kind: Literal["measured"] = "measured"
    unit: str
    parts: tuple[Decimal, ...]
    lo: Decimal
    hi: Decimal
    canonical: str

    @property
    def range(self) -> DecimalRange:
        """Give the numbers that the entry may mean."""
        return DecimalRange(self.lo, self.hi)


class _Days(_Typed):
    lo: date
    hi: date

    @property
    def range(self) -> DateRange:
        """Give the days that the entry may mean."""
        return DateRange(self.lo, self.hi)


class DateGiven(_Days):
    """A day, a month, a year, or "about N units ago"."""

    kind: Literal["date"] = "date"
    precision: Precision
    count: Decimal | None = None
    unit: CalendarUnit | None = None


class AgeGiven(_Days):
    """An age in whole years, and the days of birth that make it true."""

    kind: Literal["age"] = "age"
    years: int


class Worded(_Typed):
    """Free words or a ZIP code; ``words`` is what remains after tidying."""

    kind: Literal["worded"] = "worded"
    words: str


Answer = Annotated[
    DontKnow | Declined | Seen | Chosen | Named | Counted | Measured | DateGiven | AgeGiven | Worded,
    Field(discriminator="kind"),
]
Answers = Mapping[str, Answer]

_ADAPTER: Final[TypeAdapter[Answer]] = TypeAdapter(Answer)


def answer_to_json(answer: Answer) -> dict[str, JsonValue]:
    """Write an answer as plain JSON values; decimals and days become strings."""
    return answer.model_dump(mode="json")


def answer_from_json(value: object) -> Answer:
    """Read an answer back.

    :raises pydantic.ValidationError: (a ValueError) when it is not one of ours.
    """
    return _ADAPTER.validate_python(value)


def is_absent(answer: Answer) -> bool:
    """Tell whether the person was asked and gave no value."""
    return isinstance(answer, DontKnow | Declined)


def as_form(answer: Answer) -> dict[str, list[str]]:
    """Give the form fields that show an answer again and would parse to the same answer."""
    match answer:
        case DontKnow() | Declined():
            return {"instead": [answer.kind]}
        case Seen():
            return {}
        case Chosen():
            return {"answer": list(answer.codes)} | ({"other": [answer.other]} if answer.other else {})
        case Named():
            return {"named": [told.token for told in answer.told]} | (
                {"none": [answer.none]} if answer.none else {}
            )
        case _:
            return {name: [text] for name, text in answer.entered}
