"""Which numbers of a count are told first where not all can be, and what is said of those that cannot."""

from __future__ import annotations

import pytest

from recruit.db import Database
from recruit.matching import feasibility
from recruit.matching.figures import Asked, Why
from screening.planes.bits import count
from tests.conftest import NOON
from tests.recruit.matching.counting import rewrite, version_counted
from tests.recruit.matching.pooled import NEW_YORK, OLD, TOO_OLD, YOUNG, Pooled, bring, make_pooled
from tests.recruit.matching.test_feasibility import both, one_by_one, possible, sure

COHORTS = """language 1
    cohort a "Young"
    cohort b "Old"
    include c1 text "Does not vape" rule vaping is no
    include c2 cohorts a text "Young" rule age < 40 years
    include c3 cohorts b text "Old" rule age >= 40 years"""


@pytest.fixture
def opened(database: Database) -> Pooled:
    """Give a study with four criteria at one site in Miami."""
    with database.transaction(actor="test") as session:
        return make_pooled(session)


@pytest.fixture
def parted(database: Database) -> Pooled:
    """Give a study that takes people into two cohorts, young and old."""
    with database.transaction(actor="test") as session:
        return make_pooled(session, COHORTS)


class TestOrder:
    def test_tells_what_is_left_before_who_fails_by_itself(self, database: Database, opened: Pooled) -> None:
        bring(database, opened, 40)
        bring(database, opened, 20, born=TOO_OLD)
        bring(database, opened, 20, vaping=True)
        bring(database, opened, 3, born=TOO_OLD, vaping=True)

        shown = version_counted(database, opened)

        age, _pregnant, vaping, _site = shown.taken
        assert [one.number for one in (shown.pool, shown.left.most, age.here, vaping.here)] == [83, 40, 23, 20]
        assert vaping.alone.least.hidden is Why.TOO_NEAR

    def test_tells_what_criteria_take_before_who_lives_where(self, database: Database, opened: Pooled) -> None:
        bring(database, opened, 25)
        bring(database, opened, 15, vaping=True)
        bring(database, opened, 20, born=TOO_OLD, postcode=NEW_YORK)
        bring(database, opened, 3, postcode=NEW_YORK)

        shown = version_counted(database, opened)

        assert (shown.taken[0].here.number, shown.taken[0].left.most.number) == (20, 43)
        assert shown.sites[0].people.most.hidden is Why.TOO_NEAR

    def test_answers_a_version_as_before_where_it_is_as_before(
        self, database: Database, opened: Pooled
    ) -> None:
        bring(database, opened, 30)
        bring(database, opened, 20, born=TOO_OLD)
        before = version_counted(database, opened)
        bring(database, opened, 5)
        rewrite(database, opened, "c3", "vaping is no")

        after = version_counted(database, opened, later=1)

        assert after.taken[0].left == before.taken[0].left
        assert after.taken[0].left.most.number == 30


class TestNearlyAll:
    def test_is_said_where_few_are_taken_out(self, database: Database, opened: Pooled) -> None:
        bring(database, opened, 40)
        bring(database, opened, 5, born=TOO_OLD)

        shown = version_counted(database, opened)

        assert (shown.pool.number, shown.left.most.hidden) == (45, Why.TOO_NEAR)
        assert shown.left.out is not None
        assert shown.left.out.hidden is Why.FEW
        assert [(one.here.number, one.here.hidden) for one in shown.taken] == [
            (None, Why.FEW),
            *[(0, None)] * 3,
        ]


class TestCohorts:
    @pytest.mark.parametrize(("cohort", "names"), [("a", ["c1", "c2"]), ("b", ["c1", "c3"]), ("", ["c1"])])
    def test_are_counted_with_what_holds_for_all(
        self, database: Database, parted: Pooled, cohort: str, names: list[str]
    ) -> None:
        for born, vaping in ((YOUNG, False), (OLD, False), (OLD, True)):
            bring(database, parted, 3, born=born, vaping=vaping)
        bring(database, parted, 2, born=OLD)

        over = feasibility.lay(database, parted.protocol.id, Asked(cohort=cohort), at=NOON)

        judged = one_by_one(database, parted, on=over.on)
        assert [one.criterion for one in over.found.effects[1:]] == names
        assert both(over.found.left) == (sure(judged, names), possible(judged, names))

    def test_are_told_one_after_the_other(self, database: Database, parted: Pooled) -> None:
        bring(database, parted, 30, born=YOUNG, vaping=False)
        bring(database, parted, 20, born=OLD, vaping=False)
        bring(database, parted, 15, born=OLD, vaping=True)

        young, old, shared = (
            version_counted(database, parted, Asked(cohort=one)).left.least.number for one in ("a", "b", "")
        )

        assert (young, old, shared) == (30, 20, 50)

    def test_of_one_another_tell_nothing_of_a_few(self, database: Database, parted: Pooled) -> None:
        bring(database, parted, 30, born=YOUNG, vaping=False)
        bring(database, parted, 4, born=OLD, vaping=False)
        bring(database, parted, 15, born=OLD, vaping=True)

        young = version_counted(database, parted, Asked(cohort="a")).left.least
        old = version_counted(database, parted, Asked(cohort="b")).left.least
        shared = version_counted(database, parted, Asked(cohort="")).left.least

        assert (young.number, old.hidden, shared.hidden) == (30, Why.FEW, Why.TOO_NEAR)

    def test_try_another_limit_in_one_of_them(self, database: Database, parted: Pooled) -> None:
        bring(database, parted, 20, born=YOUNG, vaping=False)
        bring(database, parted, 30, born=OLD, vaping=False)

        over = feasibility.lay(
            database, parted.protocol.id, Asked(cohort="a", criterion="c2", rule="age < 99 years"), at=NOON
        )

        assert over.tried is not None
        assert (count(over.found.left.surely), count(over.tried.left.surely)) == (20, 50)
