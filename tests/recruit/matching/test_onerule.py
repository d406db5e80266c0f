"""One rule over the pool: equal to judging person by person, told under the one register of all counts."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from recruit.db import Database, found
from recruit.errors import NotFound, Refused
from recruit.matching import onerule, poolcounts
from recruit.matching.figures import AskedRule, Why, meaning
from recruit.matching.models import FeasibilityCount
from recruit.studies import reading, versions
from recruit.studies.models import ProtocolVersion
from screening.language.protocol import CriterionKind
from screening.verdict import Kleene
from tests.conftest import NOON
from tests.recruit.matching.counting import DAY, rewrite, rule_counted, version_counted
from tests.recruit.matching.pooled import OLD, TOO_OLD, YOUNG, Pooled, bring, make_pooled
from tests.recruit.matching.test_feasibility import mixed, one_by_one, slots

EITHER = "vaping is yes or breastfeeding is yes"


@pytest.fixture
def opened(database: Database) -> Pooled:
    """Give a study with four criteria at one site in Miami."""
    with database.transaction(actor="test") as session:
        return make_pooled(session)


class TestCounts:
    @pytest.mark.parametrize("rule", ["vaping is yes", "pregnant is yes and vaping is yes", "vaping is no"])
    def test_are_those_of_judging_person_by_person(self, database: Database, opened: Pooled, rule: str) -> None:
        rewrite(database, opened, "c3", rule)
        mixed(database, opened)

        over = onerule.lay(database, opened.protocol.id, "c3", at=NOON)

        judged = one_by_one(database, opened, on=over.on)
        told = {Kleene.MET: over.passes, Kleene.UNKNOWN: over.unknown, Kleene.NOT_MET: over.fails}
        assert {verdict: slots(people) for verdict, people in told.items()} == {
            verdict: {slot for slot, one in judged.items() if one["c3"] is verdict} for verdict in told
        }

    def test_tell_for_want_of_what_people_are_unknown(self, database: Database, opened: Pooled) -> None:
        rewrite(database, opened, "c3", EITHER)
        bring(database, opened, 30, vaping=False, breastfeeding=False)
        bring(database, opened, 20, vaping=True)
        bring(database, opened, 25, breastfeeding=False)
        bring(database, opened, 15, vaping=False)
        bring(database, opened, 40)

        shown = rule_counted(database, opened, "c3")

        assert [one.number for one in (shown.passes, shown.unknown, shown.fails)] == [30, 80, 20]
        assert [(one.leaf, one.people.number, one.alone.number) for one in shown.lacking] == [
            ("vaping is yes", 65, 25),
            ("breastfeeding is yes", 55, 15),
        ]

    def test_take_limits_of_one_fact_for_one_want(self, database: Database, opened: Pooled) -> None:
        rewrite(database, opened, "c1", "age >= 18 years and age <= 75 years")
        bring(database, opened, 30, born=YOUNG)

        shown = rule_counted(database, opened, "c1")

        assert [one.leaf for one in shown.lacking] == ["age >= 18 years"]

    def test_judge_an_exception_that_widens(self, database: Database, opened: Pooled) -> None:
        with database.transaction(actor="test") as session:
            wider = versions.read_rule(session, opened.study.id, "vaping is no")
            versions.save_criterion(session, opened.protocol.id, "c1", {"unless": wider})
        bring(database, opened, 30, born=TOO_OLD, vaping=True)
        bring(database, opened, 20, born=TOO_OLD, vaping=False)

        shown = rule_counted(database, opened, "c1")

        assert (shown.passes.number, shown.fails.number) == (20, 30)
        assert [one.leaf for one in shown.lacking] == ["age between 18 and 75 years", "vaping is no"]

    def test_are_kept_with_what_was_asked_and_by_whom(self, database: Database, opened: Pooled) -> None:
        bring(database, opened, 30)

        rule_counted(database, opened, "c3")

        with database.reading() as session:
            [row] = session.scalars(sa.select(FeasibilityCount))
            protocol = reading.protocol_of(found(session, ProtocolVersion, opened.protocol.id))
            listed = poolcounts.counts_of(session, opened.protocol.id)
            [kept] = poolcounts.rule_counts_of(session, opened.study.id, "c3")
        assert AskedRule.from_json(row.asked) == AskedRule(
            "c3", meaning(protocol.criteria[2], protocol.anchors), "vaping is yes"
        )
        assert (row.asked_by, row.asked_at, row.sha256) == ("account:ana", NOON, opened.protocol.sha256)
        assert (list(listed), kept.id) == ([], row.id)

    @pytest.mark.parametrize("rule", ['site("fit")', None])
    def test_need_a_rule_that_reads_a_fact(self, database: Database, opened: Pooled, rule: str | None) -> None:
        with database.transaction(actor="test") as session:
            versions.add_criterion(
                session, opened.protocol.id, kind=CriterionKind.INCLUSION, text="Fit, says the site"
            )
            version = found(session, ProtocolVersion, opened.protocol.id)
            added = reading.protocol_of(version).criteria[-1].id
        if rule is not None:
            rewrite(database, opened, added, rule)

        with pytest.raises(Refused):
            onerule.lay(database, opened.protocol.id, added, at=NOON)

    def test_of_another_criterion_are_not_found(self, database: Database, opened: Pooled) -> None:
        with pytest.raises(NotFound):
            onerule.lay(database, opened.protocol.id, "x", at=NOON)


class TestOneRegister:
    def test_hides_what_a_version_counted_before_would_tell(self, database: Database, opened: Pooled) -> None:
        bring(database, opened, 40)
        bring(database, opened, 5, born=TOO_OLD)
        version_counted(database, opened)

        shown = rule_counted(database, opened, "c1")

        assert (shown.passes.number, shown.passes.hidden) == (None, Why.TOO_NEAR)
        assert (shown.fails.number, shown.fails.hidden) == (None, Why.FEW)

    def test_hides_from_a_version_what_a_rule_told_before(self, database: Database, opened: Pooled) -> None:
        bring(database, opened, 40)
        bring(database, opened, 5, born=TOO_OLD)
        assert rule_counted(database, opened, "c1").passes.number == 40

        shown = version_counted(database, opened)

        assert (shown.pool.number, shown.pool.hidden) == (None, Why.TOO_NEAR)

    def test_hides_what_a_slightly_changed_rule_would_tell(self, database: Database, opened: Pooled) -> None:
        bring(database, opened, 40)
        bring(database, opened, 5, born=OLD)
        assert rule_counted(database, opened, "c1").passes.number == 45

        rewrite(database, opened, "c1", "age between 18 and 60 years")
        shown = rule_counted(database, opened, "c1")

        assert (shown.passes.hidden, shown.fails.hidden) == (Why.TOO_NEAR, Why.FEW)

    def test_answers_the_question_of_a_version_as_it_was_answered(
        self, database: Database, opened: Pooled
    ) -> None:
        bring(database, opened, 30)
        bring(database, opened, 20, born=TOO_OLD)
        version_counted(database, opened)
        bring(database, opened, 5, born=TOO_OLD)

        shown = rule_counted(database, opened, "c1", later=1)

        assert (shown.fails.number, shown.fails.since) == (20, NOON.date())

    def test_tells_the_same_number_until_eleven_have_changed(self, database: Database, opened: Pooled) -> None:
        bring(database, opened, 30)
        rule_counted(database, opened, "c1")
        bring(database, opened, 10)
        rewrite(database, opened, "c3", EITHER)

        second = rule_counted(database, opened, "c1", later=1)
        bring(database, opened, 1)
        third = rule_counted(database, opened, "c1", later=2)

        told = [(one.passes.number, one.passes.since) for one in (second, third)]
        assert told == [(30, NOON.date()), (41, NOON.date() + 2 * DAY)]
