"""A stored verdict can be made again, and says so where it cannot."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from recruit import privacy
from recruit.db import Database
from recruit.ids import new_id
from recruit.matching import assessing, replaying
from recruit.matching.models import AssessmentRow, Match
from recruit.people import queries, service
from recruit.people.models import FactRow
from screening.facts import Absence
from tests.conftest import NOON
from tests.factories import make_open_study
from tests.recruit.arrivals import arrive

LATER = NOON + timedelta(days=40)


@pytest.fixture
def match(session: Session) -> Match:
    return arrive(session, make_open_study(session), at=NOON)


def stored(session: Session, match: Match) -> AssessmentRow:
    row = assessing.latest(session, match.id)
    assert row is not None
    return row


def tampered(row: AssessmentRow, **changes: object) -> AssessmentRow:
    """Copy an assessment with other columns, as a fault in the database might leave it."""
    columns = {column.key: getattr(row, column.key) for column in sa.inspect(AssessmentRow).columns}
    return AssessmentRow(**{**columns, "id": new_id(), **changes})


def with_first(row: AssessmentRow, **changes: object) -> dict[str, object]:
    """Copy a result with other words about its first criterion."""
    criteria = row.result["criteria"]
    assert isinstance(criteria, list)
    return {**row.result, "criteria": [{**criteria[0], **changes}, *criteria[1:]]}


class TestReplay:
    def test_comes_out_as_it_is_stored(self, session: Session, match: Match) -> None:
        assert replaying.replay(session, stored(session, match)).is_same

    def test_is_of_the_day_then_and_of_the_facts_known_then(self, session: Session, match: Match) -> None:
        row = stored(session, match)
        [weight] = queries.facts_of(session, {match.person_id}).of("weight")
        unsure = replace(
            weight,
            id=new_id(),
            value=Absence.DONT_KNOW,
            retracts=weight.id,
            recorded_at=NOON + timedelta(days=1),
        )
        service.add_facts(session, match.person_id, [unsure], study_id=match.study_id)
        assessing.assess_match(session, match, cause="phone", at=LATER)

        told = replaying.replay(session, row)

        assert told.is_same
        assert told.on == NOON.date()

    def test_tells_a_verdict_that_nothing_explains(self, session: Session, match: Match) -> None:
        row = stored(session, match)
        wrong = tampered(row, result=with_first(row, passes="not met"))

        told = replaying.replay(session, wrong)

        assert told.is_fault
        [difference] = told.differences
        assert (difference.part, difference.then, difference.now) == ("passes", "not met", "met")

    def test_lays_a_difference_to_an_engine_that_has_changed(self, session: Session, match: Match) -> None:
        row = stored(session, match)
        old = tampered(row, result=with_first(row, passes="not met"), engine_hash="0" * 64)

        told = replaying.replay(session, old)

        assert told.moved == ("engine",)
        assert not told.is_same
        assert not told.is_fault

    def test_compares_nothing_where_facts_were_erased(self, session: Session, match: Match) -> None:
        row = stored(session, match)
        gone = tampered(row, fact_ids=[*row.fact_ids, str(new_id())])

        told = replaying.replay(session, gone)

        assert told.lost == 1
        assert not told.is_same
        assert not told.is_fault

    def test_goes_with_the_person(self, session: Session, match: Match) -> None:
        privacy.erase_person(session, match.person_id, at=LATER, cause=privacy.Cause.REQUEST)

        assert replaying.sample(session, count=10) == []
        assert session.scalars(sa.select(FactRow)).all() == []


class TestCommand:
    @pytest.fixture
    def match_id(self, database: Database) -> UUID:
        with database.transaction(actor="test") as session:
            return arrive(session, make_open_study(session), at=NOON).id

    def test_replays_everything(self, app: Flask, match_id: UUID) -> None:
        told = app.test_cli_runner().invoke(args=["assessments", "replay"])

        assert told.exit_code == 0
        assert told.output.strip() == "1 the same"

    def test_fails_where_nothing_explains_a_difference(
        self, app: Flask, database: Database, match_id: UUID
    ) -> None:
        with database.transaction(actor="test") as session:
            row = assessing.latest(session, match_id)
            assert row is not None
            wrong = tampered(row, result=with_first(row, passes="not met"))
            session.add(wrong)
            session.flush()
            wrong_id = wrong.id

        told = app.test_cli_runner().invoke(args=["assessments", "replay", str(wrong_id)])

        assert told.exit_code == 1
        assert "passes: not met then, met now" in told.output
