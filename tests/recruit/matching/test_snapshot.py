"""The pool read in bulk is the pool read person by person."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from recruit.matching.snapshot import pool_ledger, pool_snapshot
from recruit.people import queries as people
from recruit.people.models import Basis, Person
from recruit.people.service import Identity, add_facts, add_person
from screening.facts import Fact, Facts
from screening.planes.columns import build_snapshot
from tests.conftest import NOON
from tests.factories import make_study
from tests.screening import histories
from tests.screening.people import TERMS, TODAY, VOCABULARY, make_fact, noted_all


def somebody(session: Session, facts: Sequence[Fact] = (), *, is_test: bool = False) -> Person:
    """Add a person with facts."""
    person = add_person(session, Identity(), basis=Basis.QUESTIONNAIRE, language="en", at=NOON, is_test=is_test)
    add_facts(session, person.id, facts)
    return person


def person_by_person(session: Session, *roots: Person, study_id: UUID | None = None) -> str:
    """Give the version of the snapshot that reading one person after the other makes."""
    told = [
        (person.slot, people.facts_of(session, people.cluster_of(session, person.id), study_id=study_id))
        for person in sorted(roots, key=lambda person: person.slot)
    ]
    return build_snapshot(told, on=TODAY, vocabulary=VOCABULARY, terms=TERMS).version


def in_bulk(session: Session, *, study_id: UUID | None = None) -> str:
    """Give the version of the snapshot that reading in bulk makes."""
    return pool_snapshot(session, on=TODAY, vocabulary=VOCABULARY, terms=TERMS, study_id=study_id).version


def anew(facts: Facts) -> list[Fact]:
    """Give facts keys that no other row has."""
    return [make_fact(fact.key, fact.value, source=fact.source, observed=fact.observed) for fact in facts]


@hypothesis_settings(max_examples=8, suppress_health_check=list(HealthCheck))
@given(st.lists(histories.people, min_size=1, max_size=4))
def test_it_reads_what_reading_one_by_one_reads(session: Session, told: list[Facts]) -> None:
    for facts in told:
        somebody(session, anew(facts))
    roots = list(session.query(Person))

    assert in_bulk(session) == person_by_person(session, *roots)


def test_an_empty_pool_is_an_empty_snapshot(session: Session) -> None:
    assert in_bulk(session) == person_by_person(session)


def test_what_was_retracted_is_left_out(session: Session) -> None:
    wrong = make_fact("vaping", next(iter(noted_all({"vaping": "yes"}))).value)
    person = somebody(session, [wrong, make_fact("vaping", None, retracts=wrong.id)])

    ledger = pool_ledger(session)

    assert (ledger.slots.tolist(), len(ledger)) == ([person.slot], 0)


def test_merged_entries_are_one_person(session: Session) -> None:
    first, second, third = (
        somebody(session, anew(noted_all({key: text})))
        for key, text in (("sex", "female"), ("vaping", "yes"), ("hba1c", "7.2 % @laboratory"))
    )
    third.merged_into_id = second.id
    session.flush()
    second.merged_into_id = first.id
    session.flush()

    ledger = pool_ledger(session)

    assert ledger.slots.tolist() == [first.slot]
    assert {fact.key for fact in ledger.facts(first.slot)} == {"sex", "vaping", "hba1c"}
    assert in_bulk(session) == person_by_person(session, first)


def test_test_entries_and_whoever_was_erased_are_left_out(session: Session) -> None:
    told = noted_all({"sex": "female"})
    somebody(session, anew(told), is_test=True)
    gone, stays = somebody(session, anew(told)), somebody(session, anew(told))
    gone.erased_at = NOON
    session.flush()

    assert pool_ledger(session).slots.tolist() == [stays.slot]
    assert len(pool_ledger(session)) == 1


def test_answers_to_another_study_can_be_left_out(session: Session) -> None:
    ours, theirs = make_study(session), make_study(session)
    person = somebody(session, anew(noted_all({"sex": "female"})))
    add_facts(session, person.id, anew(noted_all({"vaping": "yes"})), study_id=ours.id)
    add_facts(session, person.id, anew(noted_all({"smoking": "never"})), study_id=theirs.id)

    held = pool_ledger(session, study_id=ours.id).facts(person.slot)

    assert {fact.key for fact in held} == {"sex", "vaping"}
    assert in_bulk(session, study_id=ours.id) == person_by_person(session, person, study_id=ours.id)
    assert len(pool_ledger(session)) == 3


def test_some_of_the_pool_are_read_with_their_merged_entries_alone(session: Session) -> None:
    first, second, third, gone = (
        somebody(session, anew(noted_all({key: text})))
        for key, text in (("sex", "female"), ("vaping", "yes"), ("smoking", "never"), ("pregnant", "yes"))
    )
    second.merged_into_id = first.id
    gone.merged_into_id = third.id
    session.flush()

    ledger = pool_ledger(session, slots=[first.slot])

    assert ledger.slots.tolist() == [first.slot]
    assert {fact.key for fact in ledger.facts(first.slot)} == {"sex", "vaping"}
    assert len(ledger) == 2
