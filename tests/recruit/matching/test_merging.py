"""Two entries that are one person, and two people that are not."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy.orm import Session

from recruit import pipeline
from recruit.accounts.policy import Scope
from recruit.db import found
from recruit.errors import Invalid, Refused
from recruit.matching import finding, merging, service
from recruit.matching.models import Match, Triage
from recruit.people import queries as people
from recruit.people.models import Person
from tests.conftest import NOON
from tests.factories import OpenStudy, make_open_study
from tests.recruit.arrivals import arrive, contact_of, hand_over

BORN = date(1976, 3, 9)
EVERYTHING = Scope(frozenset({(None, None)}))


@pytest.fixture
def opened(session: Session) -> OpenStudy:
    return make_open_study(session)


class TestComingIn:
    def test_two_on_one_phone_stay_two(self, session: Session, opened: OpenStudy) -> None:
        shared = "+13055550001"
        wife = arrive(session, opened, contact_of("Ana", "Ruiz", phone=shared, birth=BORN), at=NOON)
        husband = arrive(
            session, opened, contact_of("Luis", "Ruiz", phone=shared, birth=date(1974, 1, 2)), at=NOON
        )

        assert wife.person_id != husband.person_id
        reachable = people.contacts_of(session, {wife.person_id})
        assert [one.shared_with for one in reachable] == [1]

    def test_name_and_birth_date_make_one_of_two_visits(self, session: Session, opened: OpenStudy) -> None:
        other = make_open_study(session)
        first = arrive(session, opened, contact_of("Ana", "Ruiz", phone="+13055550002", birth=BORN), at=NOON)

        second = arrive(session, other, contact_of("ANA", "Ruiz", phone="+13055550002", birth=BORN), at=NOON)

        assert first.person_id == second.person_id

    @pytest.mark.parametrize(
        ("given", "family", "birth"),
        [
            ("Ana", "Ruiz", None),
            ("Ana", "Ruiz", date(1976, 3, 10)),
            ("Anna", "Ruiz", BORN),
            ("Ana", "Ruiz Jr.", BORN),
        ],
        ids=["no birth date", "twin", "another first name", "junior"],
    )
    def test_anything_less_stays_two(
        self, session: Session, opened: OpenStudy, given: str, family: str, birth: date | None
    ) -> None:
        other = make_open_study(session)
        first = arrive(session, opened, contact_of("Ana", "Ruiz", phone="+13055550003", birth=BORN), at=NOON)

        second = arrive(session, other, contact_of(given, family, phone="+13055550003", birth=birth), at=NOON)

        assert first.person_id != second.person_id


class TestMerging:
    def test_moves_nothing_reads_over_both_and_can_be_taken_back(
        self, session: Session, opened: OpenStudy
    ) -> None:
        first = arrive(session, opened, contact_of("Ana", "Ruiz"), at=NOON)
        second = arrive(session, opened, contact_of("Anna", "Ruiz"), at=NOON + timedelta(minutes=5))

        merging.merge(session, second.person_id, into=first.person_id, at=NOON)

        assert people.root_of(session, second.person_id) == first.person_id
        members = people.cluster_of(session, first.person_id)
        assert members == {first.person_id, second.person_id}
        assert len(people.contacts_of(session, members)) == 2
        assert found(session, Match, second.id).person_id == second.person_id
        assert (second.triage, second.closed_reason) == (Triage.CLOSED, "duplicate")
        assert service.match_of(session, second.person_id, opened.study.id) == first

        merging.unmerge(session, second.person_id, at=NOON)

        assert people.root_of(session, second.person_id) == second.person_id
        assert (second.triage, second.closed_reason) == (Triage.TO_CALL, "")
        assert first.triage is Triage.TO_CALL

    def test_keeps_the_entry_that_got_further(self, session: Session, opened: OpenStudy) -> None:
        first = arrive(session, opened, contact_of("Ana", "Ruiz"), at=NOON)
        second = arrive(session, opened, contact_of("Anna", "Ruiz"), at=NOON)
        hand_over(session, opened, second, at=NOON)

        merging.merge(session, second.person_id, into=first.person_id, at=NOON)

        assert (first.triage, first.closed_reason) == (Triage.CLOSED, "duplicate")
        assert second.triage is Triage.REFERRED

    def test_refuses_what_would_leave_two_open_referrals(self, session: Session, opened: OpenStudy) -> None:
        first, second = (arrive(session, opened, contact_of(name), at=NOON) for name in ("Ana", "Anna"))
        for match in (first, second):
            hand_over(session, opened, match, at=NOON)

        with pytest.raises(Refused, match="open referral"):
            merging.merge(session, second.person_id, into=first.person_id, at=NOON)

    def test_refuses_circles_and_repeats(self, session: Session, opened: OpenStudy) -> None:
        first, second = (arrive(session, opened, contact_of(name), at=NOON) for name in ("Ana", "Anna"))
        with pytest.raises(Invalid):
            merging.merge(session, first.person_id, into=first.person_id, at=NOON)
        merging.merge(session, second.person_id, into=first.person_id, at=NOON)

        for one, other in ((second, first), (first, second)):
            with pytest.raises(Refused, match="one person already"):
                merging.merge(session, one.person_id, into=other.person_id, at=NOON)
        with pytest.raises(Refused, match="not been merged"):
            merging.unmerge(session, first.person_id, at=NOON)

    def test_one_open_referral_holds_over_both(self, session: Session, opened: OpenStudy) -> None:
        first, second = (arrive(session, opened, contact_of(name), at=NOON) for name in ("Ana", "Anna"))
        merging.merge(session, second.person_id, into=first.person_id, at=NOON)

        referral = pipeline.refer(session, first.id, opened.study_site.id, at=NOON)

        assert referral.person_id == first.person_id
        with pytest.raises(Refused):
            service.reopen(session, first.id, at=NOON)


class TestFinding:
    def found_names(self, session: Session, typed: str, scope: Scope = EVERYTHING) -> list[str | None]:
        """Search, and give the names; nobody's name where it is masked."""
        hits = finding.find(session, typed, scope, country="US")
        return [hit.known.full_name if hit.known else None for hit in hits]

    @pytest.mark.parametrize(
        "typed",
        ["ruiz", "Ana Ruiz", "RUÍZ ana", "Rui", "(305) 555-0004", "+1 305 555 0004", "Ana@Example.org"],
    )
    def test_by_name_number_or_address_however_typed(
        self, session: Session, opened: OpenStudy, typed: str
    ) -> None:
        who = contact_of("Ana", "Ruiz", phone="+13055550004", email="ana@example.org")
        arrive(session, opened, who, at=NOON)

        assert self.found_names(session, typed) == ["Ana Ruiz"]

    @pytest.mark.parametrize("typed", ["Ana Lopez", "luiz", "305 555 9999", "x@example.org"])
    def test_nobody_else(self, session: Session, opened: OpenStudy, typed: str) -> None:
        arrive(session, opened, contact_of("Ana", "Ruiz", phone="+13055550005"), at=NOON)

        assert self.found_names(session, typed) == []

    def test_masks_whom_others_look_after(self, session: Session, opened: OpenStudy) -> None:
        other = make_open_study(session)
        arrive(session, opened, contact_of("Ana", "Ruiz"), at=NOON)

        scope = Scope(frozenset({(other.site.id, None)}))

        assert self.found_names(session, "ruiz", scope) == [None]

    @pytest.mark.parametrize("typed", ["", "a", "x@", "12345678901234567890", "\x00\x00\x00"])
    def test_says_what_is_wrong_with_too_little_or_nonsense(
        self, session: Session, opened: OpenStudy, typed: str
    ) -> None:
        with pytest.raises(Invalid):
            finding.find(session, typed, EVERYTHING, country="US")

    def test_finds_one_person_once_after_a_merge(self, session: Session, opened: OpenStudy) -> None:
        first, second = (arrive(session, opened, contact_of(name, "Ruiz"), at=NOON) for name in ("Ana", "Anna"))
        merging.merge(session, second.person_id, into=first.person_id, at=NOON)

        assert self.found_names(session, "ruiz") == ["Ana Ruiz"]
        assert found(session, Person, second.person_id).merged_into_id == first.person_id
