"""Made-up people who come to the open studies, of each of whom a third to two thirds is known."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

from benchmarks.workloads.crowd import TODAY
from benchmarks.workloads.open_studies import (
    ACTIVES,
    CATEGORIES,
    CHOICES,
    DATES,
    FLAGS,
    HEIGHT,
    MEASURED,
    MEASURES,
    VOCABULARY,
    narrowed,
    often_the_first,
)
from screening.facts import (
    Choice,
    Code,
    Dated,
    EvidenceSource,
    Fact,
    Facts,
    Flag,
    Quantity,
    Statement,
    StatementStatus,
    Value,
)
from screening.intervals import DateRange, DecimalRange
from screening.terms import ATC, ICD10CM
from screening.vocabulary import KeyKind


def person(chance: Random) -> Facts:
    """Make somebody of whom 30 to 70 % is known: measured or told once each, coded facts from one source."""
    share = chance.uniform(0.3, 0.7)
    facts = list(_answers(chance, share))
    source = chance.choice((EvidenceSource.PARTICIPANT_ONLINE, EvidenceSource.RECORD))
    for _ in range(chance.randint(1, 10)):
        code = _known_code(chance)
        key = "medicine.any" if code.system == ATC else "condition.any"
        facts.append(_fact(chance, key, _statement(chance, code), source))
    for asked in VOCABULARY:
        if asked.kind is KeyKind.CODED and chance.random() < share / 2:
            facts.append(_fact(chance, asked.name, asked.denial(), source))
    return Facts(facts)


def _answers(chance: Random, share: float) -> Iterator[Fact]:
    participant = EvidenceSource.PARTICIPANT_ONLINE
    if chance.random() < 0.9:
        born = date(1935, 1, 1) + timedelta(days=chance.randint(0, 27_000))
        yield _fact(chance, "birth", Dated(DateRange.month(born.year, born.month)), participant)
    for name in MEASURED:
        if chance.random() < share:
            yield _fact(chance, name, *_measurement(chance, name))
    for name in FLAGS:
        if chance.random() < share:
            yield _fact(chance, name, Flag(chance.random() < 0.3), participant)
    for choice in CHOICES:
        if chance.random() < share:
            yield _fact(chance, choice.name, Choice.of(chance.choice(choice.codes)), participant)
    for name in DATES:
        if chance.random() < share:
            day = TODAY - timedelta(days=chance.randint(0, 2000))
            yield _fact(chance, name, Dated(DateRange.month(day.year, day.month)), participant)


def _measurement(chance: Random, name: str) -> tuple[Value, EvidenceSource]:
    _, unit, low, high, _ = chance.choice([measure for measure in (*MEASURES, HEIGHT) if measure[0] == name])
    key = VOCABULARY[name]
    number = round(Decimal(str(chance.uniform(low, high))), 1)
    unit = key.unit or unit if unit == "[ULN]" else unit
    if chance.random() < 0.4:
        return Quantity(DecimalRange.reported(number), unit), EvidenceSource.PARTICIPANT_ONLINE
    reference = DecimalRange(None, Decimal(40)) if chance.random() < 0.7 else None
    return Quantity(DecimalRange.point(number), unit, reference), EvidenceSource.LABORATORY


def _known_code(chance: Random) -> Code:
    if chance.random() < 0.35:
        return Code(ATC, often_the_first(chance, ACTIVES, 1)[0][: chance.choice((5, 7, 7, 7))])
    return Code(ICD10CM, narrowed(chance, *often_the_first(chance, CATEGORIES, 1)).partition("-")[0])


def _statement(chance: Random, code: Code) -> Statement:
    onset = TODAY - timedelta(days=chance.randint(0, 4000))
    return Statement(
        code,
        chance.choice((StatementStatus.CURRENT, StatementStatus.CURRENT, StatementStatus.EVER)),
        onset=DateRange.month(onset.year, onset.month) if chance.random() < 0.7 else None,
    )


def _fact(chance: Random, key: str, value: Value, source: EvidenceSource) -> Fact:
    observed = TODAY - timedelta(days=int(chance.random() ** 3 * 400))
    return Fact(
        id=UUID(int=chance.getrandbits(128)),
        key=key,
        value=value,
        raw="",
        observed=DateRange.day(observed),
        recorded_at=datetime(2026, 11, 1, tzinfo=UTC) + timedelta(seconds=chance.randint(0, 10**6)),
        source=source,
    )
