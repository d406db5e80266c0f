"""Facts written as a clinician would note them, for tables of cases.

A value is followed by where it comes from and when it was observed, if not
online and today: `31.2 kg/m2 @laboratory 2026-08-01`, `7 % @ 2026-08-01`. See
`cases/README.md`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from uuid import UUID

from screening.assessment.assess import Assessment, CriterionVerdict, assess
from screening.combinations import packaged_terms
from screening.facts import (
    Absence,
    Choice,
    Dated,
    Denial,
    DenialScope,
    EvidenceSource,
    Fact,
    Facts,
    Flag,
    Quantity,
    Statement,
    StatementStatus,
    Value,
)
from screening.intervals import DateRange, DecimalRange, birth_range_from_age
from screening.language.criteria import Node
from screening.language.notation import parse, parse_rule
from screening.language.protocol import Criterion, CriterionKind, Protocol
from screening.vocabulary import Key, KeyKind, Vocabulary, packaged_vocabulary, read_key

TODAY = date(2026, 11, 22)
TERMS = packaged_terms()
PILLS = {
    "kind": "flag",
    "label": {"en": "Can swallow pills"},
    "told_by": ["participant"],
    "validity": "6 months",
}
BIOPSY = {
    "kind": "date",
    "label": {"en": "Biopsy"},
    "told_by": ["participant", "record"],
    "validity": "3 months",
}
INR = {
    "kind": "quantity",
    "label": {"en": "INR"},
    "unit": "{INR}",
    "told_by": ["record", "laboratory"],
    "validity": "1 month",
}
ASTHMA_ATTACKS = {
    "kind": "coded",
    "about": "condition",
    "label": {"en": "Asthma attacks"},
    "told_by": ["participant", "record", "clinician"],
    "validity": "3 months",
    "affirms": "J45.21+J45.31+J45.41+J45.51+J45.901",
    "denies": ["J45.21", "J45.31", "J45.41", "J45.51", "J45.901"],
}
STUDY_KEYS = tuple(
    read_key(f"study.{name}", table)
    for name, table in {
        "pills": PILLS,
        "biopsy": BIOPSY,
        "inr": INR,
        "asthma_attacks": ASTHMA_ATTACKS,
    }.items()
)
VOCABULARY = packaged_vocabulary().extended(STUDY_KEYS)

_IDS = count(1)
_NOTED = re.compile(r"(?P<value>.*?)(?: @(?P<source>[a-z_]+)?(?: (?P<seen>\d{4}-\d{2}(?:-\d{2})?))?)?")
_KIND = re.compile(r"\b(include|exclude)\b")
_TAKEN_BACK = " taken back"
_CODED_PART = re.compile(r" (since|until|on|unchanged|dose|route|but) (\S+(?: mg/d)?)")


def days(text: str) -> DateRange:
    """Read 2019, 2019-03, 2019-03-12 or two of them with .. between."""
    first, _, last = text.partition("..")
    return DateRange(_one(first).lo, _one(last or first).hi)


def _one(text: str) -> DateRange:
    parts = [int(part) for part in text.split("-")]
    if len(parts) == 1:
        return DateRange.year(parts[0])
    return DateRange.month(*parts) if len(parts) == 2 else DateRange.day(date(*parts))


def make_fact(
    key: str,
    value: Value | Absence | None,
    *,
    source: EvidenceSource = EvidenceSource.PARTICIPANT_ONLINE,
    observed: DateRange | date = TODAY,
    retracts: UUID | None = None,
    raw: str = "",
) -> Fact:
    """Make a fact; each one is recorded a second after the one made before."""
    number = next(_IDS)
    return Fact(
        id=UUID(int=number),
        key=key,
        value=value,
        raw=raw,
        observed=DateRange.day(observed) if isinstance(observed, date) else observed,
        recorded_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number),
        source=source,
        retracts=retracts,
    )


def noted(name: str, text: str, *, on: date = TODAY, vocabulary: Vocabulary = VOCABULARY) -> Fact:
    """Read one fact as it is noted in a table of cases."""
    match = _NOTED.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not how a fact is noted")
    source = EvidenceSource(match["source"] or "participant_online")
    value = _value(vocabulary[name], match["value"], source, on)
    return make_fact(
        name, value, source=source, observed=days(match["seen"]) if match["seen"] else on, raw=text
    )


def noted_all(
    table: Mapping[str, str | Sequence[str]], *, on: date = TODAY, vocabulary: Vocabulary = VOCABULARY
) -> Facts:
    """Read the facts of a person as they are noted in a table of cases."""
    facts: list[Fact] = []
    for name, texts in table.items():
        for text in [texts] if isinstance(texts, str) else texts:
            fact = noted(name, text.removesuffix(_TAKEN_BACK), on=on, vocabulary=vocabulary)
            facts.append(fact)
            if text.endswith(_TAKEN_BACK):
                facts.append(make_fact(name, None, observed=on, retracts=fact.id))
    return Facts(facts)


def judged(
    rule: str | Node,
    facts: Facts,
    *,
    on: date = TODAY,
    kind: CriterionKind = CriterionKind.INCLUSION,
    unless: str | None = None,
) -> CriterionVerdict:
    """Judge one criterion."""
    node = parse_rule(rule, vocabulary=VOCABULARY, terms=TERMS) if isinstance(rule, str) else rule
    exempt = None if unless is None else parse_rule(unless, vocabulary=VOCABULARY, terms=TERMS)
    criterion = Criterion(id="c1", kind=kind, text="as written", rule=node, unless=exempt)
    return assessed(Protocol(criteria=(criterion,)), facts, on=on).verdicts[0]


def judged_whole(text: str, facts: Facts, *, on: date = TODAY) -> CriterionVerdict:
    """Judge `include RULE` or `exclude RULE unless RULE`, with the anchors it names before it."""
    named = _KIND.sub(r'\1 c1 text "as written" rule', text, count=1)
    protocol = parse(f"language 1 {named}", vocabulary=VOCABULARY, terms=TERMS)
    return assessed(protocol, facts, on=on).verdicts[0]


def assessed(protocol: Protocol, facts: Facts, *, on: date = TODAY) -> Assessment:
    """Assess with the vocabulary and terms of the tests."""
    return assess(protocol, facts, on=on, vocabulary=VOCABULARY, terms=TERMS)


def _value(key: Key, text: str, source: EvidenceSource, on: date) -> Value | Absence:
    if text in ("dont_know", "declined"):
        return Absence(text)
    match key.kind:
        case KeyKind.QUANTITY:
            return _quantity(text, source)
        case KeyKind.DATE:
            return _dated(text, on)
        case KeyKind.CHOICE:
            return Choice(frozenset(text.split("|")))
        case KeyKind.FLAG:
            return Flag({"yes": True, "no": False}[text])
        case KeyKind.CODED:
            return _coded(key, text)


def _quantity(text: str, source: EvidenceSource) -> Quantity:
    numbers, unit, *more = text.split(" ")
    low, _, high = numbers.partition("..")
    if high:
        values = DecimalRange(Decimal(low), Decimal(high))
    else:
        values = (DecimalRange.reported if source.is_participant else DecimalRange.point)(Decimal(low))
    reference = DecimalRange(None, Decimal(more[1])) if more[:1] == ["ULN"] else None
    return Quantity(values, unit, reference)


def _dated(text: str, on: date) -> Dated | Denial:
    if text == "never":
        return Denial(())
    if text.startswith("age "):
        return Dated(birth_range_from_age(int(text[4:]), on))
    return Dated(days(text))


def _coded(key: Key, text: str) -> Statement | Denial:
    head, _, _ = text.partition(" ")
    found = {name: value for name, value in _CODED_PART.findall(text)}
    if head in ("no", "not_now", "not_planned"):
        but = tuple(key.code(code) for code in found["but"].split(",")) if "but" in found else ()
        denial = key.denial(but=but, since=days(found["since"]) if "since" in found else None)
        scopes = {"no": denial.scope, "not_now": DenialScope.CURRENT, "not_planned": DenialScope.PLANNED}
        return Denial(denial.codes, scopes[head], since=denial.since, but=denial.but)
    words = text.split(" ")
    when = days(found["on"]) if "on" in found else None
    dose = re.search(r"dose (\d+) (\S+)", text)
    return Statement(
        code=key.code(head),
        status=StatementStatus(words[1]),
        onset=when or (days(found["since"]) if "since" in found else None),
        ended=when or (days(found["until"]) if "until" in found else None),
        unchanged_since=days(found["unchanged"]) if "unchanged" in found else None,
        unbroken=True if "unbroken" in words else False if "broken" in words else None,
        last="last" in words,
        dose=Quantity(DecimalRange.point(Decimal(dose[1])), dose[2]) if dose else None,
        route=found.get("route"),
    )
