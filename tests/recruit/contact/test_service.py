"""Consents, closed addresses, the timeline, and codes that prove an address."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.contact import queries, service
from recruit.contact.models import (
    Consent,
    ConsentScope,
    ContactChannel,
    Direction,
    Purpose,
    Suppression,
    SuppressionReason,
    Verification,
)
from recruit.contact.notices import AddressClosed, CodeNeeded, ContactVerified
from recruit.contact.policy import MessagePurpose
from recruit.contact.service import CodeResult, OwnAct
from recruit.contact.wordings import wordings
from recruit.db import Database, found
from recruit.errors import Refused
from recruit.matching import merging
from recruit.people.models import ContactPoint, LineType
from tests.campaigns.scenes import OpenStudy, Reachable, agree, make_open_study, make_reachable
from tests.conftest import NOON

SMS = ContactChannel.SMS
TODAY = NOON.date()


@pytest.fixture
def place(session: Session) -> OpenStudy:
    return make_open_study(session)


@pytest.fixture
def heard(database: Database) -> list[object]:
    notices: list[object] = []
    for kind in (CodeNeeded, ContactVerified, AddressClosed):
        database.subscribe(kind, lambda _session, notice: notices.append(notice))
    return notices


def covering(
    session: Session,
    somebody: Reachable,
    place: OpenStudy,
    *,
    point_id: UUID | None = None,
    purpose: MessagePurpose = MessagePurpose.STUDY,
    on: date = TODAY,
) -> UUID | None:
    members = queries.members_of(session, somebody.person.id)
    return queries.covering_consent(
        queries.standing_consents(session, members),
        channel=SMS,
        contact_point_id=point_id or somebody.point_id,
        study_id=place.study.id,
        purpose=purpose,
        on=on,
        wordings=wordings(session),
    )


class TestConsent:
    def test_the_last_word_counts(self, session: Session, place: OpenStudy) -> None:
        somebody = make_reachable(session, place)
        before = covering(session, somebody, place)

        service.withdraw_consent(session, somebody.person.id, how="phone", at=NOON)

        assert before is not None
        assert covering(session, somebody, place) is None
        assert session.scalar(sa.select(sa.func.count()).select_from(Consent)) == 2

    def test_a_yes_for_one_number_is_none_for_another(self, session: Session, place: OpenStudy) -> None:
        somebody = make_reachable(session, place)
        other = make_reachable(session, place)

        assert covering(session, somebody, place, point_id=other.point_id) is None

    def test_a_yes_for_one_study_is_none_for_another(self, session: Session, place: OpenStudy) -> None:
        somebody = make_reachable(session, place)

        assert covering(session, somebody, make_open_study(session)) is None

    def test_a_withdrawal_of_one_channel_leaves_the_others(self, session: Session, place: OpenStudy) -> None:
        somebody = make_reachable(session, place)
        service.give_consent(
            session,
            somebody.person.id,
            Purpose.CONTACT,
            ConsentScope.STUDY,
            channel=ContactChannel.CALL,
            study_id=place.study.id,
            text="You may call me.",
            text_version="1",
            language="en",
            how="web_form",
            at=NOON,
        )

        service.withdraw_consent(session, somebody.person.id, channel=SMS, how="phone", at=NOON)

        standing = queries.standing_consents(session, {somebody.person.id})
        assert {(consent.channel, consent.given) for consent in standing} == {
            (SMS, False),
            (ContactChannel.CALL, True),
        }

    def test_a_no_of_a_merged_entry_counts_for_the_person(self, session: Session, place: OpenStudy) -> None:
        somebody = make_reachable(session, place)
        twin = make_reachable(session, place, agreed=False)
        merging.merge(session, twin.person.id, into=somebody.person.id, at=NOON)

        agree(session, twin.person, place.study, somebody.point_id, given=False)
        session.flush()

        assert covering(session, somebody, place) is None

    def test_the_registry_allows_invitations_and_no_study_messages(
        self, session: Session, place: OpenStudy
    ) -> None:
        somebody = make_reachable(session, place, agreed=False)
        service.give_consent(
            session,
            somebody.person.id,
            Purpose.REGISTRY,
            ConsentScope.REGISTRY,
            channel=SMS,
            text="You may tell me about other studies.",
            text_version="1",
            language="en",
            how="web_form",
            at=NOON,
        )

        assert covering(session, somebody, place) is None
        assert covering(session, somebody, place, purpose=MessagePurpose.INVITATION) is not None

    def test_holds_no_longer_than_its_words_say(self, session: Session, place: OpenStudy) -> None:
        somebody = make_reachable(session, place, agreed=False)
        given = service.give_consent(
            session,
            somebody.person.id,
            Purpose.REGISTRY,
            ConsentScope.REGISTRY,
            channel=SMS,
            text="You may tell me about other studies for 2 years.",
            text_version="1",
            language="en",
            how="web_form",
            at=NOON,
            months=24,
        )
        invitation = MessagePurpose.INVITATION

        assert given.ends_on == date(2028, 11, 18)
        assert covering(session, somebody, place, purpose=invitation, on=date(2028, 11, 18)) == given.id
        assert covering(session, somebody, place, purpose=invitation, on=date(2028, 11, 19)) is None


class TestSuppression:
    def token(self, session: Session, somebody: Reachable) -> bytes:
        return found(session, ContactPoint, somebody.point_id).address_token

    def test_closing_twice_is_closing_once(
        self, session: Session, place: OpenStudy, heard: list[object]
    ) -> None:
        somebody = make_reachable(session, place)
        token = self.token(session, somebody)

        for _ in range(2):
            service.suppress(session, token, SMS, SuppressionReason.STOP, source="reply", at=NOON)

        assert session.scalar(sa.select(sa.func.count()).select_from(Suppression)) == 1
        assert heard[0] == AddressClosed(somebody.point_id, SMS, SuppressionReason.STOP)

    def test_a_stop_of_texts_leaves_calls(self, session: Session, place: OpenStudy) -> None:
        token = self.token(session, make_reachable(session, place))

        service.suppress(session, token, SMS, SuppressionReason.STOP, source="reply", at=NOON)

        assert queries.closed_for(session, token, ContactChannel.CALL) is None

    def test_the_holder_opens_it_again_and_may_close_it_again(self, session: Session, place: OpenStudy) -> None:
        token = self.token(session, make_reachable(session, place))
        service.suppress(session, token, SMS, SuppressionReason.STOP, source="reply", at=NOON)

        lifted = service.lift(session, token, SMS, act=OwnAct.TEXTED_START, at=NOON)
        service.suppress(session, token, SMS, SuppressionReason.STOP, source="reply", at=NOON)

        assert lifted
        assert queries.closed_for(session, token, SMS) is SuppressionReason.STOP

    def test_a_wrong_number_is_not_opened(self, session: Session, place: OpenStudy) -> None:
        somebody = make_reachable(session, place)
        token = self.token(session, somebody)
        service.suppress(session, token, SMS, SuppressionReason.WRONG_NUMBER, source="reply", at=NOON)

        lifted = service.lift(session, token, SMS, act=OwnAct.WEB_FORM, at=NOON)

        assert not lifted
        assert found(session, ContactPoint, somebody.point_id).wrong_number_at == NOON


class TestCodes:
    def ask(self, session: Session, somebody: Reachable, *, minutes: int = 0) -> UUID:
        at = NOON + timedelta(minutes=minutes)
        return service.request_code(session, somebody.person.id, somebody.point_id, language="en", at=at)

    def code(self, heard: list[object]) -> str:
        return next(notice.code for notice in reversed(heard) if isinstance(notice, CodeNeeded))

    def test_the_right_code_proves_the_address_once(
        self, session: Session, place: OpenStudy, heard: list[object]
    ) -> None:
        somebody = make_reachable(session, place, verified=False)
        verification = self.ask(session, somebody)

        first = service.confirm_code(
            session, verification, f" {self.code(heard)[:3]} {self.code(heard)[3:]} ", at=NOON
        )
        again = service.confirm_code(session, verification, self.code(heard), at=NOON)

        session.refresh(somebody.link)
        assert (first, again) == (CodeResult.CONFIRMED, CodeResult.USED)
        assert somebody.link.verified_at == NOON
        assert heard[-1] == ContactVerified(somebody.person.id, somebody.point_id)

    def test_the_code_is_six_digits_and_not_in_the_database(
        self, session: Session, place: OpenStudy, heard: list[object]
    ) -> None:
        somebody = make_reachable(session, place, verified=False)

        verification = self.ask(session, somebody)

        code = self.code(heard)
        assert len(code) == 6
        assert code.isdigit()
        assert code.encode() not in found(session, Verification, verification).code_hash
        assert code not in repr(heard)

    def test_after_five_wrong_tries_the_right_code_is_too_late(
        self, session: Session, place: OpenStudy, heard: list[object]
    ) -> None:
        verification = self.ask(session, make_reachable(session, place, verified=False))
        wrong = "000000" if self.code(heard) != "000000" else "000001"

        results = [service.confirm_code(session, verification, wrong, at=NOON) for _ in range(5)]

        assert results == [CodeResult.WRONG] * 4 + [CodeResult.TOO_MANY_TRIES]
        late = service.confirm_code(session, verification, self.code(heard), at=NOON)
        assert late is CodeResult.TOO_MANY_TRIES

    @pytest.mark.parametrize(
        "typed", ["", "\x00", "\ud800", "9" * 5000, "\u0661\u0662\u0663\u0664\u0665\u0666"]
    )
    def test_anything_else_is_a_wrong_code(
        self, session: Session, place: OpenStudy, heard: list[object], typed: str
    ) -> None:
        verification = self.ask(session, make_reachable(session, place, verified=False))

        assert service.confirm_code(session, verification, typed, at=NOON) is CodeResult.WRONG

    def test_a_code_lasts_fifteen_minutes(
        self, session: Session, place: OpenStudy, heard: list[object]
    ) -> None:
        verification = self.ask(session, make_reachable(session, place, verified=False))

        late = service.confirm_code(session, verification, self.code(heard), at=NOON + timedelta(minutes=15))

        assert late is CodeResult.EXPIRED

    def test_a_newer_code_replaces_an_older_one(
        self, session: Session, place: OpenStudy, heard: list[object]
    ) -> None:
        somebody = make_reachable(session, place, verified=False)
        old = self.ask(session, somebody)
        old_code = self.code(heard)
        self.ask(session, somebody, minutes=1)

        result = service.confirm_code(session, old, old_code, at=NOON + timedelta(minutes=2))

        assert result is CodeResult.EXPIRED

    def test_a_person_gets_three_codes_an_hour(self, session: Session, place: OpenStudy) -> None:
        somebody = make_reachable(session, place, verified=False)
        for minute in range(3):
            self.ask(session, somebody, minutes=minute)

        with pytest.raises(Refused, match="several codes"):
            self.ask(session, somebody, minutes=4)

        assert self.ask(session, somebody, minutes=61)

    def test_an_address_gets_six_codes_a_day_whoever_asks(self, session: Session, place: OpenStudy) -> None:
        people_of_one_phone = [
            make_reachable(session, place, number="+12125559999", verified=False) for _ in range(3)
        ]
        for minute, somebody in enumerate(people_of_one_phone * 2):
            self.ask(session, somebody, minutes=minute)

        with pytest.raises(Refused, match="several codes"):
            self.ask(session, people_of_one_phone[0], minutes=90)

    def test_a_landline_and_a_stopped_number_get_none(self, session: Session, place: OpenStudy) -> None:
        landline, stopped = make_reachable(session, place), make_reachable(session, place)
        found(session, ContactPoint, landline.point_id).line_type = LineType.LANDLINE
        token = found(session, ContactPoint, stopped.point_id).address_token
        service.suppress(session, token, SMS, SuppressionReason.STOP, source="reply", at=NOON)

        for somebody in (landline, stopped):
            with pytest.raises(Refused, match="call you"):
                self.ask(session, somebody)


def test_a_note_on_the_timeline_is_sealed(session: Session, place: OpenStudy) -> None:
    somebody = make_reachable(session, place)

    row = service.note_contact(
        session,
        somebody.person.id,
        direction=Direction.IN,
        channel=ContactChannel.CALL,
        purpose="study_contact",
        outcome="reached",
        at=NOON,
        note="asked about parking",
    )

    assert row.note_sealed is not None
    assert b"parking" not in row.note_sealed
    assert queries.timeline(session, {somebody.person.id}) == [row]
