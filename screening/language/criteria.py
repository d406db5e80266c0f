"""The language of criteria: a closed tree of operators with one strict JSON form.

An operator or key that is not understood is refused, never ignored. Numbers
are decimal texts, comparisons are named (ge, gt, le, lt), time is counted in
calendar units, codes carry their system. What a tree means is in `lowering`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    ValidationError,
    WithJsonSchema,
    field_validator,
    model_serializer,
    model_validator,
)

from screening.errors import InvalidCriteria
from screening.exact import CalendarDuration, Count, ExactDecimal, KeyName, Plain
from screening.facts import Code, EvidenceSource
from screening.intervals import CalendarUnit, Duration
from screening.saying import Saying
from screening.slips import N_
from screening.units import check_unit
from screening.vocabulary import About, Answerer

LANGUAGE: Final = 1
"""The number of the language that this engine writes; it reads this one and all before it."""

M = TypeVar("M", bound=BaseModel)

_CODE: Final = re.compile(r"[a-z0-9][a-z0-9-]*@[A-Za-z0-9._-]*\|[A-Za-z0-9*][A-Za-z0-9.+:_*/-]*")
TODAY: Final = "today"
DEEPEST: Final = 40


def _read_code(value: object) -> Code:
    if isinstance(value, Code):
        value = _write_code(value)
    parts = dict(value) if isinstance(value, Mapping) else {}
    code = Code(str(parts.pop("system", "")), str(parts.pop("code", "")), str(parts.pop("release", "")))
    if parts or not code.system or not code.code:
        raise ValueError(N_("A code has system and code, and perhaps release."))
    if not _CODE.fullmatch(f"{code.system}@{code.release}|{code.code}"):
        raise ValueError(N_("A code is written with letters, digits and the signs . + : _ * / -."))
    return code


def _write_code(code: Code) -> dict[str, str]:
    written = {"system": code.system, "release": code.release, "code": code.code}
    return {name: text for name, text in written.items() if text}


_CODE_SCHEMA: Final = {
    "type": "object",
    "properties": {
        "system": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]*$"},
        "release": {"type": "string", "pattern": "^[A-Za-z0-9._-]*$"},
        "code": {"type": "string", "pattern": "^[A-Za-z0-9*][A-Za-z0-9.+:_*/-]*$"},
    },
    "required": ["system", "code"],
    "additionalProperties": False,
}

CodeField = Annotated[
    Code, BeforeValidator(_read_code), PlainSerializer(_write_code), WithJsonSchema(_CODE_SCHEMA)
]


class Strict(BaseModel):
    """A part of a document: immutable, and closed against parts it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Limits(Strict):
    """A range of numbers in one unit, each end explicit.

    The unit `[ULN]` means multiples of the upper limit of normal of the
    result's own laboratory.
    """

    unit: Annotated[str, AfterValidator(check_unit)]
    ge: ExactDecimal | None = None
    gt: ExactDecimal | None = None
    le: ExactDecimal | None = None
    lt: ExactDecimal | None = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        _check_ends(self.ge, self.gt, self.le, self.lt)
        return self


class WindowForm(StrEnum):
    """How a stretch of time is put: "within 6 months", "at least 6 months before"."""

    WITHIN = "within"
    LESS_THAN = "less_than"
    AT_LEAST = "at_least"
    MORE_THAN = "more_than"
    BETWEEN = "between"


class Window(Strict):
    """A stretch of days before or after an anchor.

    `within` and `between` include their ends, as does `at_least`; `less_than`
    and `more_than` do not. `within 6 months before today` begins on the first
    day d with d + 6 months >= today and ends today.
    """

    form: WindowForm
    length: CalendarDuration
    upto: CalendarDuration | None = None
    side: Literal["before", "after"] = "before"
    anchor: KeyName = TODAY

    @model_validator(mode="after")
    def _two_lengths(self) -> Self:
        if (self.form is WindowForm.BETWEEN) != (self.upto is not None):
            raise ValueError(N_("Between, and only between, has two lengths."))
        if self.upto is not None and _days(self.upto) < _days(self.length):
            raise ValueError(N_("Between begins with the shorter length."))
        return self


_DAYS_IN: Final = {
    CalendarUnit.DAYS: 1,
    CalendarUnit.WEEKS: 7,
    CalendarUnit.MONTHS: 30,
    CalendarUnit.YEARS: 365,
}


def _days(duration: Duration) -> int:
    """Give a rough length, good enough to tell which of two is meant to be the longer."""
    return duration.count * _DAYS_IN[duration.unit]


class Base(Strict):
    """What all operators share: their name leads the JSON form, defaults are left out."""

    op: str

    @model_serializer(mode="wrap")
    def _with_operator(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {"op": self.op, **handler(self)}


class Leaf(Base):
    """A question about facts.

    Sources weaker than `decides_from` leave it unknown in both directions.
    `told_by` says who can tell, where it is not who the vocabulary says.
    """

    decides_from: EvidenceSource | None = None
    told_by: Answerer | None = None


class Number(Leaf):
    """The value of a quantity, with limits in one unit or in several that do not quite convert.

    A `window` says when it must have been measured and replaces the key's own
    validity. Compared as it is, unless `rounded_to` a number of decimals.
    """

    op: Literal["number"] = "number"
    key: KeyName
    limits: tuple[Limits, ...] = Field(min_length=1, max_length=4)
    rounded_to: int | None = Field(default=None, ge=0, le=6, strict=True)
    window: Window | None = None

    @field_validator("limits")
    @classmethod
    def _one_per_unit(cls, limits: tuple[Limits, ...]) -> tuple[Limits, ...]:
        if len({limit.unit for limit in limits}) < len(limits):
            raise ValueError(N_("Limits are given once per unit."))
        return limits


class Age(Leaf):
    """Completed units of life: "at most 65 years" holds until the day before the 66th birthday."""

    op: Literal["age"] = "age"
    unit: CalendarUnit = CalendarUnit.YEARS
    ge: Count | None = None
    gt: Count | None = None
    le: Count | None = None
    lt: Count | None = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        _check_ends(self.ge, self.gt, self.le, self.lt)
        return self


class When(Leaf):
    """The day that a key holds lies in a window."""

    op: Literal["when"] = "when"
    key: KeyName
    window: Window


class Is(Leaf):
    """The choice that a key holds is one of these codes."""

    op: Literal["is"] = "is"
    key: KeyName
    codes: tuple[KeyName, ...] = Field(min_length=1)

    @field_validator("codes")
    @classmethod
    def _unlike(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(codes)) < len(codes):
            raise ValueError(N_("A code is named once."))
        return codes


class Attested(Leaf):
    """The yes or no that a key holds."""

    op: Literal["attested"] = "attested"
    key: KeyName
    value: bool = Field(default=True, strict=True)


class Dating(StrEnum):
    """Which days of a statement a window speaks of; ACTIVE is any day from onset to end."""

    ACTIVE = "active"
    ONSET = "onset"
    ENDED = "ended"


class CodedStatus(StrEnum):
    """The status that a coded criterion asks for; EVER is current or past."""

    EVER = "ever"
    CURRENT = "current"
    PAST = "past"
    PLANNED = "planned"


class Coded(Leaf):
    """One statement about a condition, medicine or procedure, of which everything here holds.

    `codes` less `but`, each with all descendants. `such_as`: the codes are
    examples, so that denying all of them settles nothing. `for_at_least` asks
    for a stretch without a break until the anchor, `unchanged_for` for a
    stable dose. `key` names the question to ask, where the codes do not.
    """

    op: Literal["coded"] = "coded"
    about: About
    codes: tuple[CodeField, ...] = Field(min_length=1)
    but: tuple[CodeField, ...] = ()
    such_as: bool = Field(default=False, strict=True)
    status: CodedStatus = CodedStatus.EVER
    window: Window | None = None
    dating: Dating = Dating.ACTIVE
    for_at_least: CalendarDuration | None = None
    unchanged_for: CalendarDuration | None = None
    dose: Limits | None = None
    routes: tuple[KeyName, ...] = ()
    key: KeyName | None = None

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.for_at_least is not None and self.status is not CodedStatus.CURRENT:
            raise ValueError(N_('"for at least" needs status current.'))
        if self.dating is not Dating.ACTIVE and self.window is None:
            raise ValueError(N_("Onset or end is asked for with a window."))
        return self


class DistinctBy(StrEnum):
    """What makes two statements two: other codes, or other days."""

    KIND = "kind"
    EPISODE = "episode"


class Distinct(Leaf):
    """At least so many statements, each of which fulfils the coded part by itself.

    By kind they are distinct when neither code lies within the other ("two
    earlier biologics"), by episode when their days cannot be the same ("two
    attacks in a year"). How many there are is unbounded until something closes
    the account.
    """

    op: Literal["distinct"] = "distinct"
    count: Count = Field(ge=1)
    by: DistinctBy = DistinctBy.KIND
    of: Coded

    @model_validator(mode="after")
    def _said_once(self) -> Self:
        if self.of.decides_from is not None or self.of.told_by is not None:
            raise ValueError(N_("Who decides and who can tell is said of the count."))
        return self


class SiteOnly(Base):
    """What only the study site can tell, in its words; unknown until it does."""

    op: Literal["site"] = "site"
    text: Plain


class Unconfirmed(Base):
    """A text that nobody has turned into a rule yet; unknown, as if only the site could tell."""

    op: Literal["text"] = "text"
    text: Plain


class Note(Base):
    """A text that a coordinator decided is no rule; it applies to nobody."""

    op: Literal["note"] = "note"
    text: Plain


class AllOf(Base):
    """All parts that apply hold."""

    op: Literal["all"] = "all"
    of: tuple[Node, ...]


class AnyOf(Base):
    """At least one part applies and holds."""

    op: Literal["any"] = "any"
    of: tuple[Node, ...]


class NoneOf(Base):
    """No part applies and holds."""

    op: Literal["none"] = "none"
    of: tuple[Node, ...]


class AtLeast(Base):
    """At least so many parts apply and hold; the number stays when a part does not apply."""

    op: Literal["at_least"] = "at_least"
    count: Count = Field(ge=1)
    of: tuple[Node, ...]


class Not(Base):
    """The opposite of a part; whether it applies stays."""

    op: Literal["not"] = "not"
    of: Node


class ButNot(Base):
    """The part, narrowed by an exception in the same sentence.

    Two coded leaves are refused here: an exempt statement would exempt the
    person, who may have another one. Exempt codes belong into the leaf.
    """

    op: Literal["but_not"] = "but_not"
    of: Node
    exempt: Node

    @model_validator(mode="after")
    def _no_exempt_person(self) -> Self:
        if {type(self.of), type(self.exempt)} == {Coded}:
            raise ValueError(N_('Exempt codes are named inside the criterion: "... but not in (...)".'))
        return self


class IfThen(Base):
    """The second part, for those of whom the first holds; to others it does not apply."""

    op: Literal["if"] = "if"
    when: Node
    then: Node


class Branch(Strict):
    """One branch of a case."""

    when: Node
    then: Node


class Case(Base):
    """Thresholds that depend on another fact, such as QTc limits by sex.

    Without `otherwise`, only the site can tell for values outside all branches.
    """

    op: Literal["case"] = "case"
    branches: tuple[Branch, ...] = Field(min_length=1)
    otherwise: Node | None = None


Node = Annotated[
    Number
    | Age
    | When
    | Is
    | Attested
    | Coded
    | Distinct
    | SiteOnly
    | Unconfirmed
    | Note
    | AllOf
    | AnyOf
    | NoneOf
    | AtLeast
    | Not
    | ButNot
    | IfThen
    | Case,
    Field(discriminator="op"),
]

for _model in (AllOf, AnyOf, NoneOf, AtLeast, Not, ButNot, IfThen, Branch, Case):
    _model.model_rebuild()


class _Rule(Strict):
    rule: Node


def coded_part(leaf: Base) -> Coded | None:
    """Give what a leaf says about conditions, medicines or procedures, if that is what it speaks of."""
    if isinstance(leaf, Distinct):
        return leaf.of
    return leaf if isinstance(leaf, Coded) else None


def read_rule(document: object) -> Node:
    """Read one rule from its JSON form.

    :raises InvalidCriteria: with the path to what is not understood.
    """
    return checked(_Rule, {"rule": document}).rule


def write_rule_json(rule: Node) -> dict[str, object]:
    """Write one rule in its JSON form, defaults left out."""
    written: dict[str, object] = _Rule(rule=rule).model_dump(mode="json", exclude_defaults=True)["rule"]
    return written


def checked(model: type[M], document: object) -> M:
    """Validate a document, refusing depths that no protocol has.

    :raises InvalidCriteria: with the path to what is not understood.
    """
    _check_depth(document)
    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise InvalidCriteria(refusal(error), where=where) from None


def refusal(error: ValueError) -> Saying:
    """Say in a sentence why something cannot be built; of several reasons, the first."""
    text = str(error)
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        text = str(first["msg"]).removeprefix("Value error, ")
    return Saying(f"{text[:1].upper()}{text[1:].rstrip('.')}.")


def _check_ends(
    ge: Decimal | int | None, gt: Decimal | int | None, le: Decimal | int | None, lt: Decimal | int | None
) -> None:
    if (ge is not None and gt is not None) or (le is not None and lt is not None):
        raise ValueError(N_("A range has one lower and one upper end."))
    lower = ge if ge is not None else gt
    upper = le if le is not None else lt
    if lower is None and upper is None:
        raise ValueError(N_("A range has at least one end."))
    if (
        lower is not None
        and upper is not None
        and (lower > upper or (lower == upper and (ge is None or le is None)))
    ):
        raise ValueError(N_("Nothing lies between these ends."))


def _check_depth(document: object) -> None:
    level: list[object] = [document]
    for _ in range(DEEPEST * 2):
        below: list[object] = []
        for part in level:
            if isinstance(part, dict):
                below.extend(part.values())
            elif isinstance(part, list | tuple):
                below.extend(part)
        if not below:
            return
        level = below
    raise InvalidCriteria(Saying(N_("A rule is at most %(most)s levels deep."), {"most": DEEPEST}))
