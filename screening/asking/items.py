"""The questions of a questionnaire: their types, their options, and the facts that an answer states."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator, model_validator

from screening.asking.conditions import Code, Condition, Leaf, leaves
from screening.asking.datewords import Precision
from screening.asking.responses import RESERVED
from screening.errors import InvalidFact
from screening.exact import ExactDecimal, KeyName
from screening.facts import Absence, Statement, StatementStatus, Value, value_from_json, value_to_json
from screening.slips import Slip
from screening.texts import DONT_KNOW, NO, PREFER_NOT, YES, Identifier, Part, Text
from screening.vocabulary import About, Sensitivity


def _read_value(value: object) -> Value | Absence:
    return value if isinstance(value, Value | Absence) else value_from_json(value)


def _read_statement(value: object) -> Statement:
    statement = _read_value(value)
    if not isinstance(statement, Statement):
        raise InvalidFact("a statement is needed here")
    return statement


BIRTH_KEY: Final = "birth"
"""The key that ages are computed from; its clear facts hold at most month and year."""

FactValue = Annotated[Value | Absence, PlainValidator(_read_value), PlainSerializer(value_to_json)]
StatementValue = Annotated[Statement, PlainValidator(_read_statement), PlainSerializer(value_to_json)]


class Limits(Part):
    """A closed range of numbers; an end that is missing is open."""

    least: ExactDecimal | None = None
    most: ExactDecimal | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ValueError("the least is more than the most")
        return self


class Assertion(Part):
    """A fact that an answer states: the key and the value, as ``facts.value_to_json`` writes it."""

    key: KeyName
    value: FactValue


class Option(Part):
    """One answer to choose.

    ``exclusive`` stands for "none of these". ``denies`` is stated where the
    option was offered in a closed list and left out: the denial of its own code
    set, which may be narrower than what choosing it affirms, or a flag of no.
    ``urgent`` shows the safety page at once.
    """

    code: Code
    text: Text
    hint: Text | None = None
    exclusive: bool = False
    urgent: bool = False
    asserts: tuple[Assertion, ...] = ()
    denies: tuple[Assertion, ...] = ()

    @model_validator(mode="after")
    def _own_code(self) -> Self:
        if self.code in RESERVED:
            raise ValueError(f"{self.code} is said by allow_unknown and allow_decline, not by an option")
        return self


class _Item(Part):
    """What every page of the questionnaire has."""

    id: Identifier
    section: Identifier | None = None
    text: Text
    hint: Text | None = None
    why_we_ask: Text | None = None
    errors: Annotated[Mapping[Slip, Text], AfterValidator(MappingProxyType), PlainSerializer(dict)] = Field(
        default_factory=dict, validate_default=True
    )
    show_if: Condition | None = None
    sensitivity: Sensitivity = Sensitivity.NORMAL
    allow_unknown: bool = False
    unknown_text: Text = DONT_KNOW
    allow_decline: bool = False
    declined_text: Text = PREFER_NOT


class _Choices(_Item):
    options: Annotated[tuple[Option, ...], Field(min_length=1, max_length=2_000)]


class YesNo(_Choices):
    """A yes or a no; each may state facts, a "no" what it denies. The two words may be left out."""

    type: Literal["yes_no"] = "yes_no"

    @model_validator(mode="before")
    @classmethod
    def _usual_words(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        given = value.get("options") or ({"code": "yes"}, {"code": "no"})
        words = {"yes": YES, "no": NO}
        return {**value, "options": [_worded(option, words) for option in given]}

    @model_validator(mode="after")
    def _both(self) -> Self:
        if tuple(option.code for option in self.options) != ("yes", "no"):
            raise ValueError("a yes_no question has the options yes and no, in this order")
        return self


def _worded(option: object, words: Mapping[str, Text]) -> object:
    if isinstance(option, Mapping) and "text" not in option and option.get("code") in words:
        return {**option, "text": words[option["code"]]}
    return option


class Single(_Choices):
    """One of several options."""

    type: Literal["single"] = "single"


class Multiple(_Choices):
    """Any number of options, or the exclusive one alone.

    ``exhaustive`` says that leaving an option out means "no". "None of these"
    always does.
    """

    type: Literal["multiple"] = "multiple"
    exhaustive: bool = False


class CodedList(_Choices):
    """Conditions or medicines to choose from; what is not listed may be typed and is kept as words."""

    type: Literal["coded_list"] = "coded_list"
    exhaustive: bool = False
    other: bool = True


class NamedList(_Item):
    """Conditions or medicines that the person names in words of their own.

    What is found in the tables becomes a statement of ``key`` with ``status``;
    anything else stays as words and leaves the key open. ``none`` is the answer
    of somebody who has nothing to name.
    """

    type: Literal["named_list"] = "named_list"
    about: Literal[About.CONDITION, About.MEDICINE]
    key: KeyName
    status: StatementStatus = StatementStatus.CURRENT
    none: Option | None = None
    most: Annotated[int, Field(ge=1, le=50)] = 20


class Integer(_Item):
    """A whole number that is counted, so exact."""

    type: Literal["integer"] = "integer"
    key: KeyName | None = None
    unit: str = "1"
    unit_text: Text | None = None
    limits: Limits = Limits(least=Decimal(0))
    soft_check: Limits | None = None


class DecimalNumber(_Item):
    """A number in one unit."""

    type: Literal["decimal"] = "decimal"
    key: KeyName | None = None
    unit: str = "1"
    unit_text: Text | None = None
    limits: Limits = Limits(least=Decimal(0))
    soft_check: Limits | None = None


class Unit(Part):
    """A unit to choose: its UCUM code, its words, other ways to type it, and its own limits."""

    code: Annotated[str, Field(min_length=1, max_length=40)]
    text: Text
    also: tuple[str, ...] = ()
    limits: Limits = Limits(least=Decimal(0))
    soft_check: Limits | None = None


class QuantityNumber(_Item):
    """A number in a unit that the person chooses; it is kept in that unit."""

    type: Literal["quantity"] = "quantity"
    key: KeyName | None = None
    units: Annotated[tuple[Unit, ...], Field(min_length=1)]


class Height(_Item):
    """A height in feet and inches or centimetres; limits are in cm. The first unit is offered first."""

    type: Literal["height"] = "height"
    key: KeyName | None = None
    units: Annotated[tuple[Literal["ft_in", "cm"], ...], Field(min_length=1)] = ("ft_in", "cm")
    limits: Limits = Limits(least=Decimal(40), most=Decimal(260))
    soft_check: Limits | None = Limits(least=Decimal(130), most=Decimal(210))


class Weight(_Item):
    """A weight in pounds, kilograms or stones; limits are in kg. The first unit is offered first."""

    type: Literal["weight"] = "weight"
    key: KeyName | None = None
    units: Annotated[tuple[Literal["lb", "kg", "st_lb"], ...], Field(min_length=1)] = ("lb", "kg")
    limits: Limits = Limits(least=Decimal(1), most=Decimal(650))
    soft_check: Limits | None = Limits(least=Decimal(35), most=Decimal(250))


class Day(_Item):
    """A date as exactly as the person knows it.

    With ``statement`` the date fills the named parts of that statement ("when
    were you told that you have asthma?"), otherwise it is a fact of its own.
    """

    type: Literal["date"] = "date"
    key: KeyName | None = None
    statement: StatementValue | None = None
    fills: tuple[Literal["onset", "ended", "unchanged_since"], ...] = ("onset",)
    accepts: Annotated[tuple[Precision, ...], Field(min_length=1)] = ("day", "month", "year", "ago")
    when: Literal["past", "future", "any"] = "past"

    @model_validator(mode="after")
    def _statement_has_key(self) -> Self:
        if self.statement is not None and self.key is None:
            raise ValueError("a statement needs the key that it belongs to")
        return self


class Age(_Item):
    """An age in whole years, which becomes an interval of birth dates."""

    type: Literal["age"] = "age"
    key: KeyName | None = None
    most: Annotated[int, Field(ge=1, le=130)] = 120


class ShortText(_Item):
    """A few words for the people who read them; never a fact."""

    type: Literal["short_text"] = "short_text"
    max_length: Annotated[int, Field(ge=1, le=5_000)] = 500


class Zip(_Item):
    """A five-digit ZIP code, which finds the near sites; a fact holds at most its first digit, as "zip0"."""

    type: Literal["zip"] = "zip"
    key: KeyName | None = None


class StatementPage(_Item):
    """A page to read, with nothing to answer."""

    type: Literal["statement"] = "statement"


Item = Annotated[
    YesNo | Single | Multiple | CodedList | NamedList | Integer | DecimalNumber | QuantityNumber | Height
    | Weight | Day | Age | ShortText | Zip | StatementPage,
    Field(discriminator="type"),
]  # fmt: skip
ChoiceItem = YesNo | Single | Multiple | CodedList


def assertions(item: ChoiceItem) -> Iterator[Assertion]:
    """Go through all that choosing or leaving out the options of an item may state."""
    for option in item.options:
        yield from option.asserts
        yield from option.denies


def fact_keys(item: Item) -> tuple[str, ...]:
    """Name the fact keys that an item's answer speaks to, each once."""
    match item:
        case YesNo() | Single() | Multiple() | CodedList():
            return tuple(dict.fromkeys(assertion.key for assertion in assertions(item)))
        case NamedList():
            none = item.none.asserts if item.none is not None else ()
            return tuple(dict.fromkeys((item.key, *(assertion.key for assertion in none))))
        case ShortText() | StatementPage():
            return ()
        case _:
            return () if item.key is None else (item.key,)


def reads(item: Item) -> tuple[Leaf, ...]:
    """Give the parts of an item's condition that read an earlier answer."""
    return tuple(leaves(item.show_if)) if item.show_if is not None else ()


def asks(item: Item) -> bool:
    """Tell whether a page asks anything."""
    return not isinstance(item, StatementPage)


_OWN: Final = ("text", "hint", "why_we_ask", "unit_text")


def item_texts(item: Item) -> Iterator[tuple[str, Text]]:
    """Go through all texts of an item with their places, such as "options.yes.text"."""
    for name in _OWN:
        text = getattr(item, name, None)
        if isinstance(text, Text):
            yield name, text
    if item.allow_unknown:
        yield "unknown_text", item.unknown_text
    if item.allow_decline:
        yield "declined_text", item.declined_text
    for slip, text in item.errors.items():
        yield f"errors.{slip.value}", text
    if isinstance(item, ChoiceItem):
        yield from _option_texts(item.options)
    if isinstance(item, NamedList) and item.none is not None:
        yield from _option_texts((item.none,))
    if isinstance(item, QuantityNumber):
        yield from ((f"units.{unit.code}.text", unit.text) for unit in item.units)


def _option_texts(options: tuple[Option, ...]) -> Iterator[tuple[str, Text]]:
    for option in options:
        yield f"options.{option.code}.text", option.text
        if option.hint is not None:
            yield f"options.{option.code}.hint", option.hint
