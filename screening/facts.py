"""What we hold about a person: append-only facts whose values are sets of possibilities."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, Self, assert_never
from uuid import UUID

from screening.errors import InvalidFact
from screening.intervals import DateRange, DecimalRange


class EvidenceSource(StrEnum):
    """Where a fact comes from, strongest first."""

    LABORATORY = "laboratory"
    RECORD = "record"
    CLINICIAN = "clinician"
    PARTICIPANT_PHONE = "participant_phone"
    PARTICIPANT_ONLINE = "participant_online"

    @property
    def rank(self) -> int:
        """The place in the order of strength; 0 is the strongest."""
        return _RANKS[self]

    @property
    def is_participant(self) -> bool:
        """Whether the person said it, on the phone or online."""
        return self in (EvidenceSource.PARTICIPANT_PHONE, EvidenceSource.PARTICIPANT_ONLINE)


_DECIMAL: Final = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")
_RANKS = {source: rank for rank, source in enumerate(EvidenceSource)}


class Absence(StrEnum):
    """Asked without a value. "Not asked" is holding no fact at all."""

    DONT_KNOW = "dont_know"
    DECLINED = "declined"


class StatementStatus(StrEnum):
    """How an affirmed condition, medicine or procedure stands on the day of the statement.

    EVER is "yes, at some time" where nobody said whether it still holds.
    NEVER is the denial of the one code and all its descendants.
    """

    CURRENT = "current"
    PAST = "past"
    EVER = "ever"
    PLANNED = "planned"
    NEVER = "never"


class DenialScope(StrEnum):
    """What a denial denies: that it ever was, that it is so now, or that it is planned."""

    EVER = "ever"
    CURRENT = "current"
    PLANNED = "planned"


@dataclass(frozen=True, slots=True)
class Code:
    """One entry of a code system; the code "*" stands for everything in the system."""

    system: str
    code: str
    release: str = ""

    def __str__(self) -> str:
        return self.code


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measured or reported number in the unit in which it was given (UCUM).

    `reference` is the result's own normal range, needed for multiples of the
    upper limit.
    """

    range: DecimalRange
    unit: str
    reference: DecimalRange | None = None


@dataclass(frozen=True, slots=True)
class Dated:
    """A day, as exactly as it is known."""

    range: DateRange


@dataclass(frozen=True, slots=True)
class Choice:
    """The codes that are possible; one code is a point.

    :raises ValueError: when no code is possible.
    """

    codes: frozenset[str]

    def __post_init__(self) -> None:
        if not self.codes:
            raise ValueError("a choice needs at least one possible code")

    @classmethod
    def of(cls, *codes: str) -> Choice:
        """Make a choice among the given codes."""
        return cls(frozenset(codes))


@dataclass(frozen=True, slots=True)
class Flag:
    """A yes or a no to an attested question."""

    value: bool


@dataclass(frozen=True, slots=True)
class Statement:
    """One affirmed condition, medicine or procedure.

    `unbroken` says that it went on without a break since onset (None: nobody
    asked). `last` says that nothing of the kind came after it. For an event
    such as an operation, onset and ended are the same day; see `event`.
    """

    code: Code
    status: StatementStatus
    onset: DateRange | None = None
    ended: DateRange | None = None
    unchanged_since: DateRange | None = None
    unbroken: bool | None = None
    last: bool = False
    dose: Quantity | None = None
    route: str | None = None

    @classmethod
    def event(cls, code: Code, when: DateRange, *, last: bool = False) -> Statement:
        """Make the statement of something that happened once, such as a heart attack."""
        return cls(code, StatementStatus.PAST, onset=when, ended=when, last=last)


@dataclass(frozen=True, slots=True)
class Denial:
    """What a "no" or a closed list denies: the codes with all descendants, less `but`.

    `since` limits it to "none since that day". A denial without codes, on a
    key that holds a date, says that the thing never happened.
    """

    codes: tuple[Code, ...]
    scope: DenialScope = DenialScope.EVER
    since: DateRange | None = None
    but: tuple[Code, ...] = ()


Value = Quantity | Dated | Choice | Flag | Statement | Denial


@dataclass(frozen=True, slots=True)
class Fact:
    """One entry in a person's record; never changed, only retracted by a later one.

    `raw` keeps the words as entered. A fact that only retracts has the value
    None; one that corrects has both `retracts` and the new value.
    """

    id: UUID
    key: str
    value: Value | Absence | None
    raw: str
    observed: DateRange
    recorded_at: datetime
    source: EvidenceSource
    retracts: UUID | None = None

    def __post_init__(self) -> None:
        if self.value is None and self.retracts is None:
            raise ValueError("a fact without a value must retract another")


class Facts:
    """The facts of one person that stand: retracted ones are gone, order is that of recording."""

    __slots__ = ("_by_key", "_standing")

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        ordered = sorted({fact.id: fact for fact in facts}.values(), key=lambda f: (f.recorded_at, f.id))
        retracted: set[UUID] = set()
        standing: list[Fact] = []
        for fact in reversed(ordered):
            if fact.id in retracted:
                continue
            if fact.retracts is not None:
                retracted.add(fact.retracts)
            if fact.value is not None:
                standing.append(fact)
        self._standing = tuple(reversed(standing))
        by_key: dict[str, list[Fact]] = {}
        for fact in self._standing:
            by_key.setdefault(fact.key, []).append(fact)
        self._by_key = {key: tuple(held) for key, held in by_key.items()}

    def of(self, key: str) -> tuple[Fact, ...]:
        """Give the standing facts of a key, oldest recording first."""
        return self._by_key.get(key, ())

    def coded(self) -> tuple[Fact, ...]:
        """Give every standing statement and denial, whatever question it came from."""
        return tuple(fact for fact in self._standing if isinstance(fact.value, Statement | Denial))

    def plus(self, *facts: Fact) -> Self:
        """Give the same facts and some more.

        A fact that retracts works only on facts recorded before it, and a
        retraction already applied is not undone by adding to it.
        """
        return type(self)((*self._standing, *facts))

    def __iter__(self) -> Iterator[Fact]:
        return iter(self._standing)

    def __len__(self) -> int:
        return len(self._standing)

    def __contains__(self, key: str) -> bool:
        return key in self._by_key


def value_to_json(value: Value | Absence) -> dict[str, object]:
    """Write a value as plain JSON: decimals as strings, days in ISO form, absent parts left out."""
    match value:
        case Absence():
            return {"type": "absence", "why": value.value}
        case Quantity():
            return {"type": "quantity", **_quantity_to_json(value)}
        case Dated():
            return {"type": "date", **_days_to_json(value.range)}
        case Choice():
            return {"type": "choice", "codes": sorted(value.codes)}
        case Flag():
            return {"type": "flag", "value": value.value}
        case Statement():
            return _statement_to_json(value)
        case Denial():
            return _denial_to_json(value)
        case _:
            assert_never(value)


def value_from_json(document: object) -> Value | Absence:
    """Read a value written by `value_to_json`; anything that is not understood is refused.

    :raises InvalidFact: when the document has another shape, an unknown part, or a number as a float.
    """
    part = _Part(document)
    try:
        value = _READERS[part.text("type")](part)
    except KeyError:
        raise InvalidFact(f"unknown type of value: {part.document.get('type')!r}") from None
    except ValueError as error:
        raise error if isinstance(error, InvalidFact) else InvalidFact(str(error)) from error
    part.finish()
    return value


def _quantity_to_json(value: Quantity) -> dict[str, object]:
    document: dict[str, object] = {**_numbers_to_json(value.range), "unit": value.unit}
    if value.reference is not None:
        document["reference"] = _numbers_to_json(value.reference)
    return document


def _numbers_to_json(numbers: DecimalRange) -> dict[str, object]:
    ends = {"lo": numbers.lo, "hi": numbers.hi}
    return {name: format(end, "f") for name, end in ends.items() if end is not None}


def _days_to_json(days: DateRange) -> dict[str, object]:
    ends = {"lo": days.lo, "hi": days.hi}
    return {name: end.isoformat() for name, end in ends.items() if end is not None}


def _code_to_json(code: Code) -> dict[str, object]:
    document: dict[str, object] = {"system": code.system, "code": code.code}
    if code.release:
        document["release"] = code.release
    return document


def _statement_to_json(value: Statement) -> dict[str, object]:
    document: dict[str, object] = {
        "type": "statement",
        "code": _code_to_json(value.code),
        "status": value.status.value,
    }
    for name in ("onset", "ended", "unchanged_since"):
        days: DateRange | None = getattr(value, name)
        if days is not None:
            document[name] = _days_to_json(days)
    if value.unbroken is not None:
        document["unbroken"] = value.unbroken
    if value.last:
        document["last"] = True
    if value.dose is not None:
        document["dose"] = _quantity_to_json(value.dose)
    if value.route is not None:
        document["route"] = value.route
    return document


def _denial_to_json(value: Denial) -> dict[str, object]:
    document: dict[str, object] = {
        "type": "denial",
        "codes": [_code_to_json(code) for code in value.codes],
        "scope": value.scope.value,
    }
    if value.since is not None:
        document["since"] = _days_to_json(value.since)
    if value.but:
        document["but"] = [_code_to_json(code) for code in value.but]
    return document


class _Part:
    """A JSON object being read; remembers what was read, so that the rest can be refused."""

    __slots__ = ("_unread", "document")

    def __init__(self, document: object) -> None:
        if not isinstance(document, dict):
            raise InvalidFact("a value is a JSON object")
        self.document: dict[str, object] = document
        self._unread = set(document)

    def take(self, name: str) -> object:
        self._unread.discard(name)
        return self.document.get(name)

    def finish(self) -> None:
        if self._unread:
            raise InvalidFact(f"unknown part of a value: {', '.join(sorted(map(str, self._unread)))}")

    def text(self, name: str) -> str:
        value = self.take(name)
        if not isinstance(value, str):
            raise InvalidFact(f"{name} must be text")
        return value

    def optional_text(self, name: str) -> str | None:
        return self.text(name) if name in self.document else None

    def optional_flag(self, name: str) -> bool | None:
        value = self.take(name)
        if value is not None and not isinstance(value, bool):
            raise InvalidFact(f"{name} must be true or false")
        return value

    def flag(self, name: str) -> bool:
        value = self.optional_flag(name)
        if value is None:
            raise InvalidFact(f"{name} is missing")
        return value

    def items(self, name: str) -> list[object]:
        value = self.take(name)
        if not isinstance(value, list):
            raise InvalidFact(f"{name} must be a list")
        return value

    def decimal(self, name: str) -> Decimal | None:
        text = self.optional_text(name)
        if text is None:
            return None
        if not _DECIMAL.fullmatch(text):
            raise InvalidFact(f"{name} is not a plain decimal number: {text[:40]!r}")
        return Decimal(text)

    def day(self, name: str) -> date | None:
        text = self.optional_text(name)
        if text is None:
            return None
        try:
            day = date.fromisoformat(text)
        except ValueError:
            raise InvalidFact(f"{name} is not a day: {text[:40]!r}") from None
        if day.isoformat() != text:
            raise InvalidFact(f"{name} is not a day written as YYYY-MM-DD: {text[:40]!r}")
        return day


def _numbers(part: _Part) -> DecimalRange:
    return DecimalRange(part.decimal("lo"), part.decimal("hi"))


def _days(part: _Part) -> DateRange:
    return DateRange(part.day("lo"), part.day("hi"))


def _nested_days(part: _Part, name: str) -> DateRange | None:
    document = part.take(name)
    if document is None:
        return None
    inner = _Part(document)
    days = _days(inner)
    inner.finish()
    return days


def _quantity(part: _Part) -> Quantity:
    reference = part.take("reference")
    limits = None
    if reference is not None:
        inner = _Part(reference)
        limits = _numbers(inner)
        inner.finish()
    return Quantity(_numbers(part), part.text("unit"), limits)


def _nested_quantity(part: _Part, name: str) -> Quantity | None:
    document = part.take(name)
    if document is None:
        return None
    inner = _Part(document)
    quantity = _quantity(inner)
    inner.finish()
    return quantity


def _code(document: object) -> Code:
    part = _Part(document)
    code = Code(part.text("system"), part.text("code"), part.optional_text("release") or "")
    part.finish()
    return code


def _choice(part: _Part) -> Choice:
    codes = part.items("codes")
    if not all(isinstance(code, str) for code in codes):
        raise InvalidFact("codes must be texts")
    return Choice(frozenset(str(code) for code in codes))


def _statement(part: _Part) -> Statement:
    return Statement(
        code=_code(part.take("code")),
        status=StatementStatus(part.text("status")),
        onset=_nested_days(part, "onset"),
        ended=_nested_days(part, "ended"),
        unchanged_since=_nested_days(part, "unchanged_since"),
        unbroken=part.optional_flag("unbroken"),
        last=part.optional_flag("last") or False,
        dose=_nested_quantity(part, "dose"),
        route=part.optional_text("route"),
    )


def _denial(part: _Part) -> Denial:
    return Denial(
        codes=tuple(_code(code) for code in part.items("codes")),
        scope=DenialScope(part.text("scope")),
        since=_nested_days(part, "since"),
        but=tuple(_code(code) for code in part.items("but")) if "but" in part.document else (),
    )


_READERS: Final[Mapping[str, Callable[[_Part], Value | Absence]]] = {
    "absence": lambda part: Absence(part.text("why")),
    "quantity": _quantity,
    "date": lambda part: Dated(_days(part)),
    "choice": _choice,
    "flag": lambda part: Flag(part.flag("value")),
    "statement": _statement,
    "denial": _denial,
}
