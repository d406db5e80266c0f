"""Trying a rule on people who do not exist: ready-made ones, and one whose facts are typed in.

Nothing of it is kept, and nobody's real facts are ever read here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from recruit.web import languages
from recruit.web.coordinator import words
from recruit.web.coordinator.reading import Posted
from recruit.web.coordinator.ruleframe import Opened
from screening.assessment.assess import explain
from screening.assessment.phrases import days_words, source_words, unit_words, value_words
from screening.editor.samples import Bench, Sample, SampleKind, samples, slot_of, source_of
from screening.errors import UnknownKey
from screening.facts import (
    Absence,
    Choice,
    Code,
    Dated,
    Denial,
    DenialScope,
    Fact,
    Facts,
    Flag,
    Quantity,
    Statement,
    StatementStatus,
    Value,
)
from screening.intervals import DateRange, DecimalRange, birth_range_from_age
from screening.language.criteria import Age, Coded, Distinct, Leaf, Number, coded_part
from screening.language.questions import BIRTH
from screening.units import UPPER_LIMIT
from screening.vocabulary import DEFAULT_SYSTEM, Key, KeyKind

Made = tuple[Sample, ...]

_TITLES: Final = {
    SampleKind.PASSES: _l("Somebody who passes"),
    SampleKind.RULED_OUT: _l("Somebody ruled out"),
    SampleKind.UNKNOWN: _l("Somebody of whom nothing is known"),
    SampleKind.BOUNDARY: _l("Somebody right at a limit"),
}
_ANSWERS: Final = {
    "current": _l("Yes, now"),
    "past": _l("Yes, no longer"),
    "ever": _l("Yes, at some time"),
    "planned": _l("Planned"),
    "never": _l("No, never"),
}
_LONGEST: Final = 120
_MOST_LINES: Final = 20


@dataclass(frozen=True, slots=True)
class Shown:
    """A made-up person in words."""

    title: str
    facts: tuple[tuple[str, str], ...]
    label: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """What can be told about one fact of a rule."""

    name: str
    label: str
    shape: str
    options: tuple[words.Choice, ...] = ()
    units: tuple[words.Choice, ...] = ()
    example: str = ""
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """The form to try a rule with, and what came of it."""

    fields: tuple[Field, ...] = ()
    result: Shown | None = None


def samples_of(shown: Opened) -> Made:
    """Make up people for a criterion; none for a rule that cannot be judged yet."""
    if shown.criterion.rule is None:
        return ()
    try:
        return samples(shown.bench)
    except UnknownKey:
        return ()


def shown_sample(shown: Opened, sample: Sample) -> Shown:
    """Put a made-up person into words."""
    bench = shown.bench
    return _shown(shown, bench, str(_TITLES[sample.kind]), sample.facts)


def attempt(shown: Opened, posted: Posted | None) -> Attempt:
    """Give the form for the facts of a rule, and judge what was typed into it."""
    if shown.criterion.rule is None:
        return Attempt()
    try:
        bench = shown.bench
    except UnknownKey:
        return Attempt()
    places = _places(bench)
    fields = tuple(_field(shown, bench, number, index) for number, index in enumerate(places))
    if posted is None:
        return Attempt(fields)
    reading = _Reading(posted, bench)
    for number, index in enumerate(places):
        reading.read(f"f{number}", index)
    if posted.problems:
        return Attempt(fields)
    return Attempt(fields, _shown(shown, bench, _("The person you made up"), Facts(reading.facts)))


def _places(bench: Bench) -> list[int]:
    """Choose one leaf of each fact that the rule reads."""
    first: dict[str, int] = {}
    for index in range(len(bench.atoms)):
        first.setdefault(bench.slot(index), index)
    return list(first.values())


def _shown(shown: Opened, bench: Bench, title: str, facts: Facts) -> Shown:
    verdict = bench.judge(facts)
    told = tuple((_label(shown, fact), _words(shown, bench, fact)) for fact in facts)
    return Shown(title, told, verdict.label.value, tuple(explain(verdict)))


def _label(shown: Opened, fact: Fact) -> str:
    key = shown.vocabulary.get(fact.key)
    return key.text("label", languages.current()) if key else fact.key


def _words(shown: Opened, bench: Bench, fact: Fact) -> str:
    if isinstance(fact.value, Absence):
        return str(_("does not know"))
    if fact.value is None:
        return ""
    leaf = next((atom.leaf for atom in bench.atoms if slot_of(atom.leaf) == fact.key), bench.atoms[0].leaf)
    said = value_words(fact.value, leaf, shown.vocabulary, on=bench.on)
    if isinstance(leaf, Age) and isinstance(fact.value, Dated) and fact.key == BIRTH:
        said = f"{said}, {_('born %(day)s', day=days_words(fact.value.range))}"
    if isinstance(fact.value, Quantity) and fact.value.reference and fact.value.reference.hi:
        limit = format(fact.value.reference.hi.normalize(), "f")
        said = f"{said} ({_('upper limit of normal %(limit)s', limit=limit)})"
    if isinstance(fact.value, Statement) and fact.value.route:
        said = f"{said}, {fact.value.route}"
    observed = "" if fact.observed == DateRange.day(bench.on) else f", {days_words(fact.observed)}"
    return f"{said} ({source_words(fact.source)}{observed})"


def _field(shown: Opened, bench: Bench, number: int, index: int) -> Field:
    leaf, key = bench.atoms[index].leaf, bench.key(index)
    label = key.text("label", languages.current()) if key else ""
    name = f"f{number}"
    told = coded_part(leaf)
    if told is not None:
        codes = "\n".join(code.code for code in told.codes[:3])
        options = tuple(words.Choice(value=value, text=str(text)) for value, text in _ANSWERS.items())
        sentence = shown.telling.leaf(leaf)
        example = codes.partition("\n")[0]
        shape = "several" if isinstance(leaf, Distinct) else "coded"
        return Field(name, sentence, shape, options, example=example, details=tuple(_details(told)))
    if key is None:
        return Field(name, label, "date")
    match key.kind:
        case KeyKind.QUANTITY:
            units = tuple(words.Choice(value=unit, text=unit_words(unit)) for unit in key.units)
            return Field(name, label, "number", units=units, details=tuple(_measured(bench, index)))
        case KeyKind.CHOICE:
            language = languages.current()
            options = tuple(
                words.Choice(value=one.code, text=one.label.get(language) or one.label.get("en", one.code))
                for one in key.choices
            )
            return Field(name, label, "choice", options)
        case KeyKind.FLAG:
            options = (words.Choice(value="yes", text=_("Yes")), words.Choice(value="no", text=_("No")))
            return Field(name, label, "choice", options)
        case _:
            return Field(name, label, "age" if isinstance(leaf, Age) else "date")


def _details(told: Coded) -> Iterator[str]:
    if told.window is not None or told.for_at_least is not None:
        yield "since"
        yield "until"
    if told.for_at_least is not None:
        yield "unbroken"
    if told.unchanged_for is not None:
        yield "steady"
    if told.dose is not None:
        yield "dose"
    if told.routes:
        yield "route"


def _measured(bench: Bench, index: int) -> Iterator[str]:
    slot = bench.slot(index)
    leaves = [atom.leaf for at, atom in enumerate(bench.atoms) if bench.slot(at) == slot]
    limits = [limit for leaf in leaves if isinstance(leaf, Number) for limit in leaf.limits]
    if any(limit.unit == UPPER_LIMIT for limit in limits):
        yield "limit"
    yield "day"


@dataclass
class _Reading:
    """Reads what was typed about somebody made up; problems are noted at their fields."""

    posted: Posted
    bench: Bench
    facts: list[Fact] = field(default_factory=list)

    def read(self, name: str, index: int) -> None:
        """Read one fact; an empty field is a fact that nobody told."""
        leaf, key = self.bench.atoms[index].leaf, self.bench.key(index)
        answer = self.posted.text(name, longest=_LONGEST)
        if not answer:
            return
        if answer == "dont_know":
            self._tell(key, leaf, Absence.DONT_KNOW)
        elif coded_part(leaf) is not None:
            self._coded(name, answer, leaf, key)
        elif key is not None:
            value = self._value(name, answer, leaf, key)
            if value is not None:
                self._tell(key, leaf, value, observed=self._observed(f"{name}_day"))

    def _value(self, name: str, answer: str, leaf: Leaf, key: Key) -> Value | None:
        match key.kind:
            case KeyKind.QUANTITY:
                return self._quantity(name, key)
            case KeyKind.FLAG if answer in ("yes", "no"):
                return Flag(answer == "yes")
            case KeyKind.CHOICE if answer in key.codes:
                return Choice.of(answer)
            case KeyKind.DATE:
                return self._dated(name, answer, is_birth=isinstance(leaf, Age))
            case _:
                self.posted.fail(name, _("Select one from the list."))
                return None

    def _quantity(self, name: str, key: Key) -> Quantity | None:
        number = self._decimal(name)
        limit = self._decimal(f"{name}_limit")
        unit = self.posted.raw(f"{name}_unit") or key.unit or ""
        if unit not in key.units:
            self.posted.fail(name, _("Select one from the list."))
        if number is None or self.posted.problems:
            return None
        reference = None if limit is None else DecimalRange(None, limit)
        return Quantity(DecimalRange.point(number), unit, reference)

    def _decimal(self, name: str) -> Decimal | None:
        typed = self.posted.raw(name).strip()
        if not typed:
            return None
        try:
            number = Decimal(typed) if len(typed) <= 12 else Decimal("NaN")
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or number.adjusted() > 12:
            self.posted.fail(name, _("Enter a number, such as 2.5."))
            return None
        return number

    def _dated(self, name: str, answer: str, *, is_birth: bool) -> Value | None:
        if is_birth and answer.isascii() and answer.isdecimal() and len(answer) <= 3:
            return Dated(birth_range_from_age(min(int(answer), 130), self.bench.on))
        if answer.casefold() in ("never", "nunca") and not is_birth:
            return Denial(())
        when = _range(answer)
        if when is None:
            self.posted.fail(name, _("Enter a day, a month or a year, such as 2026-03-27 or 2026-03."))
            return None
        return Dated(when)

    def _days(self, name: str) -> DateRange | None:
        typed = self.posted.text(name, longest=_LONGEST)
        when = _range(typed) if typed else None
        if typed and when is None:
            self.posted.fail(name, _("Enter a day, a month or a year, such as 2026-03-27 or 2026-03."))
        return when

    def _observed(self, name: str) -> DateRange:
        return self._days(name) or DateRange.day(self.bench.on)

    def _coded(self, name: str, answer: str, leaf: Leaf, key: Key | None) -> None:
        told = coded_part(leaf)
        if told is None or answer not in _ANSWERS:
            self.posted.fail(name, _("Select one from the list."))
            return
        if answer == "never":
            self._tell(key, leaf, Denial(told.codes, DenialScope.EVER))
            return
        lines = self.posted.text(f"{name}_code", longest=2_000, lines=True).splitlines()[:_MOST_LINES]
        system = told.codes[0].system or DEFAULT_SYSTEM[told.about]
        for line in [one.strip() for one in lines if one.strip()] or [told.codes[0].code]:
            written, _space, day = line.partition(" ")
            problem = self.bench.terms.problem(Code(system, written.upper()))
            when = _range(day.strip()) if day.strip() else None
            if problem is not None or (day.strip() and when is None):
                self.posted.fail(f"{name}_code", _("Write a code, and perhaps a day: E11.9 2026-03-27."))
                return
            self._tell(key, leaf, self._statement(name, told, Code(system, written.upper()), answer, when))

    def _statement(self, name: str, told: Coded, code: Code, answer: str, when: DateRange | None) -> Statement:
        dose = self._decimal(f"{name}_dose") if told.dose is not None else None
        return Statement(
            code,
            StatementStatus(answer),
            onset=when or self._days(f"{name}_since"),
            ended=when or self._days(f"{name}_until"),
            unchanged_since=self._days(f"{name}_steady"),
            unbroken=True if self.posted.flag(f"{name}_unbroken") else None,
            dose=Quantity(DecimalRange.point(dose), told.dose.unit) if told.dose and dose is not None else None,
            route=self.posted.text(f"{name}_route", longest=40) or None,
        )

    def _tell(
        self, key: Key | None, leaf: Leaf, value: Value | Absence, *, observed: DateRange | None = None
    ) -> None:
        number = len(self.facts) + 1
        noon = datetime.combine(self.bench.on, time(12), tzinfo=UTC)
        told = coded_part(leaf)
        self.facts.append(
            Fact(
                id=UUID(int=number),
                key=key.name if key else f"{told.about.value}.any" if told else BIRTH,
                value=value,
                raw="",
                observed=observed or DateRange.day(self.bench.on),
                recorded_at=noon + timedelta(microseconds=number),
                source=leaf.decides_from or source_of(key),
            )
        )


def _range(typed: str) -> DateRange | None:
    """Read a day, a month or a year."""
    parts = typed.split("-")
    if not all(part.isascii() and part.isdecimal() and len(part) <= 4 for part in parts) or len(parts) > 3:
        return None
    numbers: Sequence[int] = [int(part) for part in parts]
    if not 1880 <= numbers[0] <= 2200:
        return None
    try:
        match numbers:
            case [year]:
                return DateRange.year(year)
            case [year, month]:
                return DateRange.month(year, month)
            case [year, month, day]:
                return DateRange.day(date(year, month, day))
    except ValueError:
        return None
    return None
