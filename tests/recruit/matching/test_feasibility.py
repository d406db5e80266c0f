"""A protocol over the pool: equal to judging person by person, and silent about a few people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit import privacy
from recruit.db import Database, found
from recruit.errors import Invalid, NotFound
from recruit.matching import feasibility, pool
from recruit.matching.counted import Book, pack, unpack
from recruit.matching.feasibility import Laid
from recruit.matching.figures import Asked, Counted, Why
from recruit.matching.models import FeasibilityCount, Match, Triage
from recruit.people import queries as people
from recruit.people.models import Basis, Person
from recruit.people.service import Identity, add_person
from recruit.studies import reading
from recruit.studies.models import ProtocolVersion, Study
from recruit.vocabulary import terms, vocabulary_of
from screening.assessment.assess import assess_lowered
from screening.errors import NotationError
from screening.facts import Flag
from screening.feasibility import Sets
from screening.language.lowering import lower
from screening.language.questions import Resolver
from screening.planes.bits import Plane, count, positions
from screening.verdict import Kleene
from tests.conftest import NOON
from tests.factories import make_site, make_study_site
from tests.recruit.matching.counting import DAY
from tests.recruit.matching.counting import version_counted as counted
from tests.recruit.matching.pooled import (
    MIAMI,
    NEW_YORK,
    OLD,
    TOO_OLD,
    YOUNG,
    Pooled,
    bring,
    make_pooled,
    register,
    somebody,
)
from tests.recruit.matching.told import tell
from tests.screening.test_feasibility import plane


@pytest.fixture
def opened(database: Database) -> Pooled:
    """Give a study with four criteria at one site in Miami."""
    with database.transaction(actor="test") as session:
        return make_pooled(session)


def laid(database: Database, opened: Pooled, asked: Asked | None = None, *, at: int = 0) -> Laid:
    return feasibility.lay(database, opened.protocol.id, asked or Asked(), at=NOON + at * DAY)


def match_of(session: Session, person: Person) -> Match:
    return session.scalars(sa.select(Match).where(Match.person_id == person.id)).one()


def slots(plane: Plane) -> set[int]:
    return set(positions(plane).tolist())


def both(sets: Sets) -> tuple[set[int], set[int]]:
    return slots(sets.surely), slots(sets.possibly)


def one_by_one(
    database: Database, opened: Pooled, *, on: date, version_id: UUID | None = None
) -> dict[int, dict[str, Kleene]]:
    """Judge everybody in play by the interpreter, from the facts that are read for one person."""
    with database.reading() as session:
        version = found(session, ProtocolVersion, version_id or opened.protocol.id)
        vocabulary = vocabulary_of(session, opened.study.id)
        lowered = lower(reading.protocol_of(version), resolver=Resolver(vocabulary, terms()))
        judged = {}
        for key in set(session.scalars(sa.select(Match.person_id))):
            root = people.root_of(session, key)
            facts = people.facts_of(session, people.cluster_of(session, root), study_id=opened.study.id)
            assessed = assess_lowered(lowered, facts, on=on, vocabulary=vocabulary, terms=terms())
            slot = found(session, Person, root).slot
            judged[slot] = {one.criterion.id: one.passes for one in assessed.verdicts}
        return judged


def sure(judged: dict[int, dict[str, Kleene]], wanted: Iterable[str]) -> set[int]:
    names = list(wanted)
    return {slot for slot, one in judged.items() if all(one[name] is Kleene.MET for name in names)}


def possible(judged: dict[int, dict[str, Kleene]], wanted: Iterable[str]) -> set[int]:
    names = list(wanted)
    return {slot for slot, one in judged.items() if all(one[name] is not Kleene.NOT_MET for name in names)}


def mixed(database: Database, opened: Pooled) -> None:
    """Fill a pool with people of every kind, some of whom are two entries."""
    for born in (YOUNG, OLD, TOO_OLD):
        bring(database, opened, 2, born=born)
        bring(database, opened, 2, born=born, vaping=True)
        bring(database, opened, 2, born=born, vaping=False)
        bring(database, opened, 2, born=born, pregnant=True)
    with database.transaction(actor="test") as session:
        first = somebody(session, opened, born=OLD)
        second = somebody(session, opened, born=YOUNG, merged_into=first.id)
        tell(session, opened.study.id, second.id, {"vaping": Flag(True)})


class TestCounts:
    def test_are_those_of_judging_person_by_person(self, database: Database, opened: Pooled) -> None:
        mixed(database, opened)

        over = laid(database, opened)

        judged = one_by_one(database, opened, on=over.on)
        names = [one.criterion for one in over.found.effects[1:]]
        everybody = set(judged)
        assert slots(over.found.pool) == everybody
        assert both(over.found.left) == (sure(judged, names), possible(judged, names))
        for place, effect in enumerate(over.found.effects[1:]):
            upto, others = names[: place + 1], [one for one in names if one != effect.criterion]
            own = [effect.criterion]
            assert both(effect.left) == (sure(judged, upto), possible(judged, upto))
            assert both(effect.alone) == (
                everybody - possible(judged, own),
                everybody - sure(judged, own),
            )
            assert both(effect.only) == (
                sure(judged, others) - possible(judged, own),
                possible(judged, others) - sure(judged, own),
            )

    def test_of_another_limit_are_those_of_a_version_that_has_it(
        self, database: Database, opened: Pooled
    ) -> None:
        mixed(database, opened)

        over = laid(database, opened, Asked(criterion="c1", rule="age between 18 and 99 years"))

        judged = one_by_one(database, opened, on=over.on)
        rest = [one.criterion for one in over.found.effects[2:]]
        assert over.tried is not None
        assert slots(over.tried.left.possibly) == possible(judged, rest)
        assert slots(over.tried.left.possibly) > slots(over.found.left.possibly)

    def test_show_what_another_limit_brings(self, database: Database, opened: Pooled) -> None:
        for born, flag in ((OLD, False), (TOO_OLD, False), (OLD, True)):
            bring(database, opened, 20, born=born, vaping=flag)

        shown = counted(database, opened, Asked(criterion="c1", rule="age between 18 and 99 years"))

        assert shown.tried is not None
        assert [one.number for one in (shown.left.most, shown.tried.left.most)] == [20, 40]
        assert [one.number for one in (shown.tried.gained.most, shown.tried.lost.most)] == [20, 0]

    def test_are_kept_with_what_was_asked_and_by_whom(self, database: Database, opened: Pooled) -> None:
        bring(database, opened, 20)
        asked = Asked(miles=25, study_site_id=opened.study_site.id)

        counted(database, opened, asked)

        with database.reading() as session:
            [row] = session.scalars(sa.select(FeasibilityCount))
        assert Asked.from_json(row.asked) == asked
        assert (row.asked_by, row.asked_at, row.sha256) == ("account:ana", NOON, opened.protocol.sha256)

    def test_of_nobody_are_zero(self, database: Database, opened: Pooled) -> None:
        shown = counted(database, opened)

        assert (shown.pool.number, shown.left.most.number) == (0, 0)


class TestWhoCounts:
    def test_are_those_in_play_and_those_in_the_registry(self, database: Database, opened: Pooled) -> None:
        with database.transaction(actor="test") as session:
            playing = somebody(session, opened)
            match_of(session, somebody(session, opened)).triage = Triage.CLOSED
            match_of(session, somebody(session, opened)).is_test = True
            other = make_pooled(session)
            elsewhere, stays, left, silent, tested = (somebody(session, other).id for _ in range(5))
            for key in (stays, left, silent, tested):
                register(session, key)
            register(session, left, given=False, later=1)
            found(session, Person, silent).do_not_contact_at = NOON
            found(session, Person, tested).is_test = True

        with database.reading() as session:
            members = pool.people_of(session, opened.study, at=NOON)

        assert set(members.roots) == {playing.id, stays}
        assert elsewhere not in members.roots

    def test_leave_out_somebody_erased_at_once(self, database: Database, opened: Pooled) -> None:
        [gone, stays] = bring(database, opened, 2)
        with database.transaction(actor="test", reason="test") as session:
            privacy.erase_person(session, gone, at=NOON, cause=privacy.Cause.REQUEST)

        with database.reading() as session:
            assert set(pool.people_of(session, opened.study, at=NOON).roots) == {stays}

    def test_bring_no_answer_to_another_study_along(self, database: Database, opened: Pooled) -> None:
        with database.transaction(actor="test") as session:
            other = make_pooled(session)
            key = somebody(session, other, vaping=True).id
            register(session, key)

        without = laid(database, opened)
        with database.transaction(actor="test") as session:
            found(session, Study, opened.study.id).cross_study = True
        across = laid(database, opened)

        assert (count(without.found.left.possibly), count(across.found.left.possibly)) == (1, 0)


class TestPlaces:
    def test_count_whose_home_is_unknown_as_perhaps(self, database: Database, opened: Pooled) -> None:
        bring(database, opened, 20, postcode=MIAMI)
        bring(database, opened, 30, postcode=NEW_YORK)
        bring(database, opened, 15, postcode="")

        shown = counted(database, opened)

        [site] = shown.sites
        assert (site.people.least.number, site.people.most.number) == (20, 35)
        assert site.left.most.number == 35

    def test_of_a_site_narrow_every_criterion(self, database: Database, opened: Pooled) -> None:
        bring(database, opened, 20, postcode=MIAMI, born=TOO_OLD)
        bring(database, opened, 30, postcode=NEW_YORK, born=TOO_OLD)
        bring(database, opened, 25, postcode=MIAMI)

        shown = counted(database, opened, Asked(study_site_id=opened.study_site.id))

        assert (shown.pool.number, shown.people.least.number) == (75, 45)
        assert (shown.taken[0].alone.least.number, shown.taken[0].left.most.number) == (20, 25)

    def test_take_the_day_of_their_own_site(self, database: Database, opened: Pooled) -> None:
        with database.transaction(actor="test") as session:
            far = make_site(session, zone="Pacific/Kiritimati")
            place = make_study_site(session, opened.study, far)

        over = laid(database, opened)

        days = {around.study_site_id: around.on for around, _ in over.sites}
        assert days == {opened.study_site.id: NOON.date(), place.id: NOON.date() + DAY}

    @pytest.mark.parametrize(
        "asked", [Asked(study_site_id=UUID(int=1)), Asked(cohort="x"), Asked(criterion="x")]
    )
    def test_of_another_study_are_not_found(self, database: Database, opened: Pooled, asked: Asked) -> None:
        with pytest.raises(NotFound):
            laid(database, opened, asked)

    def test_are_as_wide_as_is_offered(self, database: Database, opened: Pooled) -> None:
        with pytest.raises(Invalid):
            laid(database, opened, Asked(miles=11))


def test_a_rule_that_cannot_be_read_is_refused_by_its_place(database: Database, opened: Pooled) -> None:
    with pytest.raises(NotationError) as slip:
        laid(database, opened, Asked(criterion="c1", rule="age >= eighteen years"))

    assert (slip.value.line, slip.value.column) == (1, 8)


class TestFloor:
    def test_hides_a_few_people(self, database: Database, opened: Pooled) -> None:
        bring(database, opened, 30)
        bring(database, opened, 10, born=TOO_OLD)

        shown = counted(database, opened)

        assert shown.pool.number == 40
        assert (shown.taken[0].alone.least.number, shown.taken[0].alone.least.hidden) == (None, Why.FEW)
        assert shown.taken[0].left.most.hidden is Why.TOO_NEAR

    def test_hides_what_three_counts_tell_together(self, database: Database, opened: Pooled) -> None:
        bring(database, opened, 40)
        bring(database, opened, 20, born=TOO_OLD)
        bring(database, opened, 20, vaping=True)
        bring(database, opened, 3, born=TOO_OLD, vaping=True)

        shown = counted(database, opened)

        age, _pregnant, vaping, _site = shown.taken
        numbers = [one.number for one in (age.left.most, vaping.left.most, vaping.alone.least)]
        assert None in numbers, f"3 people are {numbers[2]} - ({numbers[0]} - {numbers[1]})"

    def test_tells_the_same_number_until_eleven_have_changed(self, database: Database, opened: Pooled) -> None:
        bring(database, opened, 30)
        first = counted(database, opened)
        bring(database, opened, 10)

        second = counted(database, opened, later=1)
        bring(database, opened, 1)
        third = counted(database, opened, later=2)

        assert [(one.pool.number, one.pool.since) for one in (first, second, third)] == [
            (30, NOON.date()),
            (30, NOON.date()),
            (41, NOON.date() + 2 * DAY),
        ]

    def test_holds_between_studies(self, database: Database, opened: Pooled) -> None:
        with database.transaction(actor="test") as session:
            other = make_pooled(session)
            for _ in range(30):
                register(session, somebody(session, opened).id)
            somebody(session, other)

        first = counted(database, opened)
        second = counted(database, other)

        assert first.pool.number == 30
        assert (second.pool.number, second.pool.hidden) == (None, Why.TOO_NEAR)

    def test_holds_after_somebody_was_erased(self, database: Database, opened: Pooled) -> None:
        [gone, *_rest] = bring(database, opened, 30)
        counted(database, opened)
        with database.transaction(actor="test", reason="test") as session:
            privacy.erase_person(session, gone, at=NOON, cause=privacy.Cause.REQUEST)

        shown = counted(database, opened, later=1)

        assert (shown.pool.number, shown.pool.since) == (30, NOON.date())

    def test_gives_nobody_the_slot_of_somebody_erased(self, database: Database, opened: Pooled) -> None:
        [gone] = bring(database, opened, 1)
        with database.transaction(actor="test", reason="test") as session:
            before = found(session, Person, gone).slot
            privacy.erase_person(session, gone, at=NOON, cause=privacy.Cause.REQUEST)
            next_one = add_person(session, Identity(given="Bo"), basis=Basis.CALL, language="en", at=NOON)

            assert next_one.slot > before

    def test_holds_for_two_who_ask_at_once(self, database: Database, opened: Pooled) -> None:
        bring(database, opened, 30)
        one = laid(database, opened)
        bring(database, opened, 5)
        other = laid(database, opened)

        def ask() -> int | None:
            with database.transaction(actor="account:bo") as session:
                row = feasibility.keep(session, other, at=NOON)
                return Counted.from_json(row.result).pool.number

        with ThreadPoolExecutor(1) as threads:
            with database.transaction(actor="account:ana") as session:
                feasibility.keep(session, one, at=NOON)
                second = threads.submit(ask)
                with pytest.raises(TimeoutError):
                    second.result(timeout=1)

            assert second.result(timeout=30) == 30

    def test_is_kept_for_good(self, database: Database, opened: Pooled) -> None:
        bring(database, opened, 30)
        counted(database, opened)

        for statement in (sa.delete(FeasibilityCount), sa.update(FeasibilityCount).values(sha256="x")):
            with (
                pytest.raises(sa.exc.DBAPIError),
                database.transaction(actor="test", reason="test") as session,
            ):
                session.execute(statement)

    def test_knows_all_sets_again(self, database: Database, opened: Pooled) -> None:
        bring(database, opened, 30)
        bring(database, opened, 30, born=TOO_OLD)
        over = laid(database, opened)
        with database.transaction(actor="test", reason="test") as session:
            feasibility.keep(session, over, at=NOON)

        with database.transaction(actor="test", reason="test") as session:
            book = Book.opened(session, on=over.on)

        assert book.rows == 1
        assert book.register.place(over.found.pool) == 0
        assert book.register.show(over.found.left.possibly).number == 30
        assert book.register.new == ()


def planes(sizes: Sequence[int]) -> list[Plane]:
    return [plane(range(size), size=64 * (1 + size // 64)) for size in sizes]


def test_sets_are_packed_and_read_as_they_were() -> None:
    kept = planes([30, 64, 200])

    again = list(unpack(pack(kept)))

    assert [slots(one) for one in again] == [slots(one) for one in kept]
    assert list(unpack(pack([]))) == []
