"""The marketer's pages and short links, as a browser meets them."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from campaigns.app import create_app
from campaigns.audience.criteria import Criteria
from campaigns.audience.models import Audience, AudienceMember, Campaign
from campaigns.audience.service import NewCampaign, make_campaign
from campaigns.links import queries
from campaigns.links.service import NewLink, create_link, kind_of_visit
from campaigns.outbox.models import Message
from campaigns.outbox.queries import conservation
from campaigns.outbox.states import State
from campaigns.outbox.worker import send_due
from recruit import context, privacy
from recruit.accounts.models import Role
from recruit.accounts.policy import Scope
from recruit.clock import FixedClock
from recruit.contact import service as contact
from recruit.contact.models import ContactChannel
from recruit.contact.service import CodeResult
from recruit.db import Database, found, publish
from recruit.errors import NotFound, Refused
from recruit.intake.models import HitKind, LinkHit, Medium, SourceLink
from recruit.intake.notices import SubmissionReceived
from recruit.jobs import run_due
from recruit.matching import holds
from recruit.settings import Environment, Settings
from recruit.studies.models import HoldReason, Site
from recruit.studies.service import save_cohort
from screening.floor import FLOOR
from tests.browsing import signed_in
from tests.campaigns.scenes import FakeCarrier, OpenStudy, Reachable, make_open_study, make_reachable, make_text
from tests.conftest import NOON
from tests.factories import make_account

SMS = ContactChannel.SMS
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1"
EVERYTHING = Scope(frozenset({(None, None)}))


@pytest.fixture
def place(database: Database) -> OpenStudy:
    with database.transaction(actor="test") as session:
        return make_open_study(session, body="News for you: {link} Reply STOP to stop.")


@pytest.fixture
def marketer(app: Flask, database: Database) -> FlaskClient:
    with database.transaction(actor="test") as session:
        account = make_account(session, Role.MARKETER)
    return signed_in(app, account, at=NOON)


def link_to(database: Database, place: OpenStudy) -> SourceLink:
    with database.transaction(actor="test") as session:
        return create_link(session, NewLink(place.study.id, Medium.POSTER, "Clinic"), at=NOON)


def hits(database: Database) -> list[HitKind]:
    with database.reading() as session:
        return list(session.scalars(sa.select(LinkHit.kind)))


def people(database: Database, place: OpenStudy, count: int, **how: object) -> list[Reachable]:
    with database.transaction(actor="test") as session:
        return [make_reachable(session, place, **how) for _ in range(count)]  # type: ignore[arg-type]


class TestGo:
    def test_a_person_is_counted_and_sent_on(
        self, client: FlaskClient, database: Database, place: OpenStudy
    ) -> None:
        link = link_to(database, place)

        answer = client.get(f"/go/{link.code}", headers={"User-Agent": PHONE, "Accept-Language": "es"})

        assert answer.status_code == 302
        assert answer.headers["Location"] == f"/es/studies/{place.study.slug}?s={link.code}"
        assert answer.headers["Cache-Control"] == "no-store"
        assert hits(database) == [HitKind.PERSON]

    @pytest.mark.parametrize(
        ("method", "agent"),
        [
            ("HEAD", PHONE),
            ("GET", "facebookexternalhit/1.1"),
            ("GET", "WhatsApp/2.23"),
            ("GET", ""),
            ("GET", "Slackbot 1.0"),
        ],
    )
    def test_programs_are_counted_apart(self, method: str, agent: str) -> None:
        assert kind_of_visit(method, agent) is HitKind.PREVIEW

    def test_a_stopped_link_still_leads_to_the_study(
        self, client: FlaskClient, database: Database, place: OpenStudy
    ) -> None:
        link = link_to(database, place)
        with database.transaction(actor="test") as session:
            found(session, SourceLink, link.id).stopped_at = NOON

        answer = client.get(f"/go/{link.code}", headers={"User-Agent": PHONE})

        assert answer.headers["Location"] == f"/en/studies/{place.study.slug}"
        assert hits(database) == []

    @pytest.mark.parametrize("code", ["nobody7", "x", "%00", "%ED%A0%80", "a" * 300, "0OIl000"])
    def test_a_code_that_was_never_ours_is_not_found(self, client: FlaskClient, code: str) -> None:
        assert client.get(f"/go/{code}").status_code == 404


class TestLinksAndSpend:
    def test_a_link_is_made_shown_with_its_code_and_stopped(
        self, marketer: FlaskClient, database: Database, place: OpenStudy
    ) -> None:
        form = {"study": str(place.study.id), "medium": "poster", "channel": "Main Street clinic"}

        made = marketer.post("/staff/marketing/links", data=form)
        page = marketer.get(made.headers["Location"]).get_data(as_text=True)
        stopped = marketer.post(made.headers["Location"] + "/stop")

        assert made.status_code == 303
        assert re.search(r"http://localhost/go/[0-9A-Za-z]{7}", page)
        assert "<svg" in page
        assert stopped.status_code == 303
        assert "Stopped" in marketer.get("/staff/marketing/links").get_data(as_text=True)

    @pytest.mark.parametrize("field", ["study", "medium", "channel", "site", "campaign"])
    @pytest.mark.parametrize("value", ["\x00", "\ud800", "x" * 5000, "00000000-0000-0000-0000-000000000000"])
    def test_strange_values_get_a_clear_answer(
        self, marketer: FlaskClient, place: OpenStudy, field: str, value: str
    ) -> None:
        form = {"study": str(place.study.id), "medium": "poster", "channel": "Clinic"}
        form[field] = value.encode("utf-8", "replace").decode()

        assert marketer.post("/staff/marketing/links", data=form).status_code in (303, 404, 422)

    def test_an_amount_is_entered_once(
        self, marketer: FlaskClient, database: Database, place: OpenStudy
    ) -> None:
        link = link_to(database, place)
        form = {
            "link": str(link.id),
            "from_day": "2026-11-01",
            "until_day": "2026-11-10",
            "amount": "1,250.00",
            "currency": "USD",
            "key": "one",
        }

        answers = [marketer.post("/staff/marketing/spend", data=form).status_code for _ in range(2)]
        page = marketer.get("/staff/marketing/spend").get_data(as_text=True)

        assert answers == [303, 303]
        assert page.count("$1,250.00") == 1

    @pytest.mark.parametrize(
        "wrong",
        [{"amount": "NaN"}, {"from_day": "9999-13-99"}, {"currency": "XXX"}, {"key": ""}, {"link": "x"}],
    )
    def test_a_wrong_amount_comes_back_with_what_was_typed(
        self, marketer: FlaskClient, database: Database, place: OpenStudy, wrong: dict[str, str]
    ) -> None:
        form = {
            "link": str(link_to(database, place).id),
            "from_day": "2026-11-01",
            "until_day": "2026-11-10",
            "amount": "12",
            "currency": "USD",
            "key": "one",
            "note": "invoice 17",
        }

        answer = marketer.post("/staff/marketing/spend", data=form | wrong)

        assert answer.status_code == 422
        assert "invoice 17" in answer.get_data(as_text=True)

    def test_the_funnel_page_and_its_file(
        self, marketer: FlaskClient, database: Database, place: OpenStudy
    ) -> None:
        link = link_to(database, place)
        people(database, place, 3, source_link_id=link.id)

        page = marketer.get("/staff/marketing").get_data(as_text=True)
        file = marketer.get("/staff/marketing/funnel.csv").get_data(as_text=True)

        assert "Contact left" in page
        assert f"{link.id},Clinic,poster,0,0,0,0,3," in file

    @pytest.mark.parametrize("query", ["study=x", "from=9999-13-99", "until=%00", "from=" + "9" * 500])
    def test_a_strange_question_gets_a_clear_answer(self, marketer: FlaskClient, query: str) -> None:
        assert marketer.get(f"/staff/marketing?{query}").status_code == 422

    def test_another_study_is_not_there(self, app: Flask, database: Database, place: OpenStudy) -> None:
        with database.transaction(actor="test") as session:
            other = make_open_study(session)
            account = make_account(session, Role.MARKETER, study_id=other.study.id)
        link = link_to(database, place)
        client = signed_in(app, account, at=NOON)

        assert client.get(f"/staff/marketing/links/{link.id}").status_code == 404
        assert client.get(f"/staff/marketing?study={place.study.id}").status_code == 404


class TestStopYourAds:
    def test_names_the_study_and_the_links_that_lead_there(
        self, marketer: FlaskClient, database: Database, place: OpenStudy
    ) -> None:
        link, stopped = link_to(database, place), link_to(database, place)
        with database.transaction(actor="test") as session:
            found(session, SourceLink, stopped.id).stopped_at = NOON
            hold = holds.place(session, reason=HoldReason.SAFETY, at=NOON, study_id=place.study.id)

        page = marketer.get("/staff/marketing").text
        with database.transaction(actor="test") as session:
            holds.lift(session, hold.id, at=NOON)
        after = marketer.get("/staff/marketing").text

        assert f"Stop your ads: {place.study.nickname} is not recruiting</h2>" in page
        assert f'<a href="/staff/marketing/links/{link.id}">Clinic</a></li>' in page
        assert (
            f"/staff/marketing/links/{stopped.id}" not in page.split("Stop your ads")[1].split("</section>")[0]
        )
        assert "Stop your ads" not in after

    def test_names_the_site_and_only_its_links(
        self, marketer: FlaskClient, database: Database, place: OpenStudy
    ) -> None:
        anywhere = link_to(database, place)
        with database.transaction(actor="test") as session:
            site = found(session, Site, place.study_site.site_id)
            new = NewLink(place.study.id, Medium.POSTER, "Lobby", site_id=site.id)
            here = create_link(session, new, at=NOON)
            holds.place(session, reason=HoldReason.CAPACITY, at=NOON, site_id=site.id)

        with database.reading() as session:
            [stop] = queries.ads_to_stop(session, EVERYTHING, at=NOON)
        page = marketer.get("/staff/marketing").text

        assert f"Stop your ads: {place.study.nickname} is not recruiting at {site.name}" in page
        assert [link.id for link in stop.links] == [here.id] != [anywhere.id]

    def test_says_so_where_no_link_leads_there(
        self, marketer: FlaskClient, database: Database, place: OpenStudy
    ) -> None:
        with database.transaction(actor="test") as session:
            holds.place(session, reason=HoldReason.IRB, at=NOON, study_id=place.study.id)

        assert "No link of yours leads there." in marketer.get("/staff/marketing").text

    def test_is_told_to_nobody_elses_marketer(self, database: Database, place: OpenStudy) -> None:
        with database.transaction(actor="test") as session:
            other = make_open_study(session)
            holds.place(session, reason=HoldReason.IRB, at=NOON, study_id=place.study.id)
            cohort = save_cohort(session, other.study.id, "A", name="Young")
            holds.place(session, reason=HoldReason.IRB, at=NOON, cohort_id=cohort.id)
        scopes = [Scope(frozenset({(None, study.id)})) for study in (place.study, other.study)]

        with database.reading() as session:
            told = [queries.ads_to_stop(session, scope, at=NOON) for scope in scopes]

        assert [len(stops) for stops in told] == [1, 0]


class TestAudienceOfOne:
    def form(self, place: OpenStudy, **more: str) -> dict[str, str]:
        return {"name": "Hand-over", "text": str(place.text.id), "key": "key-1", **more}

    def test_one_approved_message_to_one_person_nobody_knows(
        self, marketer: FlaskClient, database: Database, place: OpenStudy, clock: FixedClock
    ) -> None:
        [somebody] = people(database, place, 1)
        carrier = FakeCarrier()

        made = marketer.post(
            "/staff/marketing/messages", data=self.form(place, reference=str(somebody.match.id))
        )
        where = made.headers["Location"]
        started = [marketer.post(f"{where}/start").status_code for _ in range(2)]
        send_due(database, {SMS: carrier}, clock=clock)
        page = marketer.get(where).get_data(as_text=True)

        assert made.status_code == 303
        assert started == [303, 303]
        assert len(carrier.carried) == 1
        assert re.search(
            r"News for you: http://localhost/go/\w{7} Reply STOP", carrier.carried[0].outgoing.body
        )
        assert "Taken by the carrier" in page
        for hidden in ("Marisol", "Quintero", str(somebody.person.id), "+1212"):
            assert hidden not in page

    def test_the_same_form_twice_is_one_campaign(
        self, marketer: FlaskClient, database: Database, place: OpenStudy
    ) -> None:
        [somebody] = people(database, place, 1)
        form = self.form(place, reference=str(somebody.match.id))

        answers = {marketer.post("/staff/marketing/messages", data=form).headers["Location"] for _ in range(2)}

        assert len(answers) == 1

    @pytest.mark.parametrize(
        "wrong",
        [{"reference": "x"}, {"reference": "00000000-0000-0000-0000-000000000000"}, {"text": ""}, {"name": ""}],
    )
    def test_what_cannot_be_is_said(
        self, marketer: FlaskClient, database: Database, place: OpenStudy, wrong: dict[str, str]
    ) -> None:
        [somebody] = people(database, place, 1)
        form = self.form(place, reference=str(somebody.match.id)) | wrong

        assert marketer.post("/staff/marketing/messages", data=form).status_code == 422


class TestAudience:
    def make(
        self, session: Session, place: OpenStudy, *, key: str = "k", reference: UUID | None = None
    ) -> Campaign:
        new = NewCampaign("News", place.study.id, place.text.id, Criteria(reference=reference))
        return make_campaign(session, new, EVERYTHING, key=key, at=NOON)

    def test_criteria_never_point_at_fewer_than_eleven(self, database: Database, place: OpenStudy) -> None:
        people(database, place, FLOOR - 1)

        with database.transaction(actor="test") as session, pytest.raises(Refused, match="Fewer than 11"):
            self.make(session, place)

    def test_left_out_are_those_without_a_yes_a_number_the_language_or_a_phone_of_their_own(
        self, database: Database, place: OpenStudy
    ) -> None:
        people(database, place, FLOOR)
        people(database, place, 1, agreed=False)
        people(database, place, 1, verified=False)
        people(database, place, 1, language="es")
        people(database, place, 3, number="+12125557777")
        people(database, place, 1, is_test=True)

        with database.transaction(actor="test") as session:
            audience = found(session, Audience, self.make(session, place).audience_id)

        assert audience.size == FLOOR + 1
        assert audience.left_out == {"no_consent": 1, "no_number": 1, "other_language": 1, "same_number": 2}

    def test_a_reference_of_another_study_leads_nowhere(self, database: Database, place: OpenStudy) -> None:
        with database.transaction(actor="test") as session:
            other = make_reachable(session, make_open_study(session))

        with database.transaction(actor="test") as session, pytest.raises(NotFound):
            self.make(session, place, reference=other.match.id)

    def test_the_audience_is_the_sum_over_all_states(
        self, database: Database, place: OpenStudy, marketer: FlaskClient, clock: FixedClock
    ) -> None:
        people(database, place, 20)
        with database.transaction(actor="test") as session:
            campaign = self.make(session, place)
        marketer.post(f"/staff/marketing/messages/{campaign.id}/start")
        carrier = FakeCarrier(seed=3, lost=0.3, broken=0.3)

        send_due(database, {SMS: carrier}, clock=clock)

        with database.reading() as session:
            kept = conservation(session, campaign.id)
        assert kept.holds
        assert (kept.members, sum(kept.states.values())) == (20, 20)
        assert len(kept.states) > 1

    def test_a_lost_row_is_seen(self, database: Database, place: OpenStudy, marketer: FlaskClient) -> None:
        people(database, place, 12)
        with database.transaction(actor="test") as session:
            campaign = self.make(session, place)
        marketer.post(f"/staff/marketing/messages/{campaign.id}/start")
        with database.transaction(actor="test") as session:
            session.execute(sa.update(Message).values(campaign_id=campaign.id, state=State.SENT))

        with database.reading() as session:
            kept = conservation(session, campaign.id)

        assert not kept.holds
        assert kept.without_sid == 12

    def test_paused_nothing_goes_and_cancelled_nothing_ever_goes(
        self, database: Database, place: OpenStudy, marketer: FlaskClient, clock: FixedClock
    ) -> None:
        people(database, place, 12)
        with database.transaction(actor="test") as session:
            campaign = self.make(session, place)
        where, carrier = f"/staff/marketing/messages/{campaign.id}", FakeCarrier()

        for step in ("start", "pause"):
            assert marketer.post(f"{where}/{step}").status_code == 303
        paused = send_due(database, {SMS: carrier}, clock=clock)
        marketer.post(f"{where}/cancel")
        again = marketer.post(f"{where}/start").status_code

        assert (paused, carrier.carried) == (0, [])
        assert again == 422
        with database.reading() as session:
            assert set(session.scalars(sa.select(Message.state))) == {State.CANCELLED}

    def test_forgetting_somebody_keeps_the_sum(
        self, app: Flask, database: Database, place: OpenStudy, marketer: FlaskClient
    ) -> None:
        somebody, *_ = people(database, place, 12)
        with database.transaction(actor="test") as session:
            campaign = self.make(session, place)
        marketer.post(f"/staff/marketing/messages/{campaign.id}/start")

        with database.transaction(actor="test") as session:
            privacy.erase_person(session, somebody.person.id, at=NOON)

        with database.reading() as session:
            assert conservation(session, campaign.id).holds
            left = session.scalars(sa.select(AudienceMember.person_id)).all()
        assert somebody.person.id not in left


class TestReactions:
    def test_a_code_is_sent_and_read_on_the_demo_page(
        self, app: Flask, client: FlaskClient, database: Database, place: OpenStudy, clock: FixedClock
    ) -> None:
        [somebody] = people(database, place, 1, verified=False)
        with database.transaction(actor="test") as session:
            verification = contact.request_code(
                session, somebody.person.id, somebody.point_id, language="es", at=NOON
            )

        ran = run_due(database, context.of(app).jobs, at=NOON)
        page = client.get("/demo/messages").get_data(as_text=True)

        code = re.search(r"su clave es (\d{6})", page)
        assert {"send_messages", "sweep_messages", "apply_callbacks"} <= set(ran)
        assert code is not None
        with database.transaction(actor="test") as session:
            assert contact.confirm_code(session, verification, code[1], at=NOON) is CodeResult.CONFIRMED

    def test_an_acknowledgement_waits_for_the_address_to_be_proven(
        self, app: Flask, database: Database, place: OpenStudy, clock: FixedClock
    ) -> None:
        carrier = FakeCarrier()
        with database.transaction(actor="test") as session:
            make_text(session, place.study, name="Acknowledgement", body="Thank you. We will call you.")
            somebody = make_reachable(session, place, verified=False)
            notice = SubmissionReceived(somebody.person.id, place.study.id, somebody.match.id, "en")
            publish(session, notice)

        send_due(database, {SMS: carrier}, clock=clock)
        before = len(carrier.carried)
        with database.transaction(actor="test") as session:
            contact.verify_contact(session, somebody.person.id, somebody.point_id, at=NOON)
        send_due(database, {SMS: carrier}, clock=clock)

        assert before == 0
        assert [one.outgoing.body for one in carrier.carried] == ["Thank you. We will call you."]

    def test_without_an_approved_acknowledgement_nothing_is_said(
        self, app: Flask, database: Database, place: OpenStudy
    ) -> None:
        [somebody] = people(database, place, 1)
        with database.transaction(actor="test") as session:
            publish(session, SubmissionReceived(somebody.person.id, place.study.id, somebody.match.id, "en"))

        with database.reading() as session:
            assert session.scalar(sa.select(sa.func.count()).select_from(Message)) == 0

    def test_an_acknowledgement_that_cannot_be_filled_in_costs_nobody_their_answers(
        self, app: Flask, database: Database, place: OpenStudy
    ) -> None:
        with database.transaction(actor="test") as session:
            make_text(session, place.study, name="Acknowledgement", body="Call us at {nowhere}.")
            somebody = make_reachable(session, place)

            publish(session, SubmissionReceived(somebody.person.id, place.study.id, somebody.match.id, "en"))

        with database.reading() as session:
            assert session.scalar(sa.select(sa.func.count()).select_from(Message)) == 0

    def test_the_demo_page_is_nowhere_else(
        self, database: Database, settings: Settings, clock: FixedClock
    ) -> None:
        real = settings.model_copy(update={"environment": Environment.PRODUCTION})
        app = create_app(real, clock=clock, database=database)

        assert app.test_client().get("/demo/messages").status_code == 404
