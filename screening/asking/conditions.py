"""When a question is shown: a small language over the answers to earlier questions.

Three-valued: a condition over a question that was not asked, not answered, or
answered with "I don't know" is unknown, and a question is shown only where its
condition holds. Questions are named by id, never by position.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from screening.asking.responses import (
    RESERVED,
    AgeGiven,
    Answer,
    Answers,
    Chosen,
    Counted,
    Measured,
    Named,
    is_absent,
)
from screening.exact import ExactDecimal
from screening.texts import Identifier, Part, Respondent

Code = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,62}$")]


class Is(Part):
    """One option was chosen; "dont_know" and "declined" are options too."""

    op: Literal["is"] = "is"
    item: Identifier
    code: Code


class OneOf(Part):
    """At least one of several options was chosen."""

    op: Literal["one_of"] = "one_of"
    item: Identifier
    codes: Annotated[tuple[Code, ...], Field(min_length=1)]


class AtLeast(Part):
    """A number is as large or larger: a count, years of age, cm, kg, or a quantity in ``unit``."""

    op: Literal["at_least"] = "at_least"
    item: Identifier
    value: ExactDecimal
    unit: str | None = None


class IsAbout(Part):
    """The questions are about one of these: self, child, cared_for."""

    op: Literal["about"] = "about"
    respondents: Annotated[tuple[Respondent, ...], Field(min_length=1)]


class All(Part):
    """Every one of these holds."""

    op: Literal["all"] = "all"
    of: Annotated[tuple["Condition", ...], Field(min_length=1)]


class AnyOf(Part):
    """At least one of these holds."""

    op: Literal["any"] = "any"
    of: Annotated[tuple["Condition", ...], Field(min_length=1)]


class Not(Part):
    """The condition inside does not hold."""

    op: Literal["not"] = "not"
    of: "Condition"


Leaf = Is | OneOf | AtLeast
Condition = Annotated[Is | OneOf | AtLeast | IsAbout | All | AnyOf | Not, Field(discriminator="op")]
All.model_rebuild()
AnyOf.model_rebuild()
Not.model_rebuild()


def leaves(condition: Condition) -> Iterator[Leaf]:
    """Go through the parts of a condition that read an answer."""
    match condition:
        case All() | AnyOf():
            for child in condition.of:
                yield from leaves(child)
        case Not():
            yield from leaves(condition.of)
        case Is() | OneOf() | AtLeast():
            yield condition


def codes_of(leaf: Leaf) -> tuple[str, ...]:
    """Name the options that a leaf asks for."""
    match leaf:
        case Is():
            return (leaf.code,)
        case OneOf():
            return leaf.codes
        case AtLeast():
            return ()


def holds(condition: Condition, answers: Answers, respondent: Respondent) -> bool | None:
    """Judge a condition over the answers given; None is unknown.

    The caller passes only answers that are on the path.
    """
    match condition:
        case IsAbout():
            return respondent in condition.respondents
        case Not():
            inner = holds(condition.of, answers, respondent)
            return None if inner is None else not inner
        case All():
            return _every(holds(child, answers, respondent) for child in condition.of)
        case AnyOf():
            return _some(holds(child, answers, respondent) for child in condition.of)
        case _:
            answer = answers.get(condition.item)
            return None if answer is None else _leaf_holds(condition, answer)


def _every(verdicts: Iterator[bool | None]) -> bool | None:
    seen = set(verdicts)
    return False if False in seen else None if None in seen else True


def _some(verdicts: Iterator[bool | None]) -> bool | None:
    seen = set(verdicts)
    return True if True in seen else None if None in seen else False


def _leaf_holds(leaf: Leaf, answer: Answer) -> bool | None:
    match leaf:
        case AtLeast():
            return _reaches(leaf, answer)
        case _:
            return _some(_chose(code, answer) for code in codes_of(leaf))


def _chose(code: str, answer: Answer) -> bool | None:
    if code in RESERVED:
        return answer.kind == code
    if is_absent(answer):
        return None
    if isinstance(answer, Named):
        return answer.none == code
    if not isinstance(answer, Chosen):
        return None
    if code in answer.codes:
        return True
    return None if answer.other else False


def _reaches(leaf: AtLeast, answer: Answer) -> bool | None:
    match answer:
        case Counted(value=value):
            return value >= leaf.value
        case AgeGiven(years=years):
            return years >= leaf.value
        case Measured() if leaf.unit in (None, answer.canonical):
            return True if answer.lo >= leaf.value else False if answer.hi < leaf.value else None
        case _:
            return None
