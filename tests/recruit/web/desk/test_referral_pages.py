"""Handing over, the steps that may follow, visits, and corrections, as pages."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from itertools import product
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from recruit import events, pipeline
from recruit.accounts.models import Role
from recruit.clock import FixedClock
from recruit.contact.models import Consent, Purpose
from recruit.db import Database, found
from recruit.matching import holds
from recruit.matching.models import Match, Triage
from recruit.referrals.models import Referral
from recruit.referrals.states import State
from recruit.studies.models import HoldReason
from recruit.visits import service as visits
from recruit.visits.models import CancelledBy, Visit, VisitKind, VisitStatus
from recruit.visits.service import Appointment
from tests.browsing import signed_in
from tests.conftest import NOON
from tests.factories import make_account
from tests.recruit.arrivals import arrive, bring_to, contact_of, said
from tests.recruit.referrals.test_service import second_site
from tests.recruit.web.desk.conftest import Desk, version_of
from tests.recruit.web.desk.test_person_page import HOSTILE, quoted

TODAY = NOON.date()
BOOKED = {
    "visit_day": "2026-11-20",
    "visit_time": "10:00",
    "minutes": "60",
    "kind": "screening",
    "place": "Floor 2",
}


@pytest.fixture
def referral_id(desk: Desk, database: Database) -> UUID:
    """Hand the person on the desk over to the site."""
    with database.transaction(actor="test") as session:
        return pipeline.refer(session, desk.match_id, desk.opened.study_site.id, at=NOON).id


@pytest.fixture
def url(referral_id: UUID) -> str:
    """Give the address of the referral's page."""
    return f"/staff/desk/referrals/{referral_id}"


def post(browser: FlaskClient, database: Database, url: str, path: str, **fields: str) -> tuple[int, str]:
    """Send a form about a referral with the version that stands."""
    with database.reading() as session:
        version = found(session, Referral, UUID(url.rsplit("/", 1)[-1])).version
    answer = browser.post(f"{url}/{path}", data={"version": str(version), **fields})
    return answer.status_code, answer.text


def state_of(database: Database, referral_id: UUID) -> State:
    """Read where a referral stands."""
    with database.reading() as session:
        return found(session, Referral, referral_id).state


def row_of(page: str, name: str) -> str:
    """Cut a person's row out of the list."""
    return next(row for row in page.split('<tr role="row">') if f">{name}</a>" in row)


def book(database: Database, referral_id: UUID, *, starts_at: datetime, at: datetime = NOON) -> UUID:
    """Book a screening visit."""
    with database.transaction(actor="test") as session:
        return visits.book(session, referral_id, Appointment(starts_at), at=at).id


def call_off(database: Database, visit_id: UUID) -> None:
    """Call a visit off."""
    with database.transaction(actor="test") as session:
        visits.cancel(session, visit_id, by=CancelledBy.PARTICIPANT, reason="time", at=NOON)


class TestHandingOver:
    def test_offers_sites_nearest_first_with_what_holds_there(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        with database.transaction(actor="test") as session:
            near = second_site(session, desk.opened, name="Near", postcode="33101", languages=["en"])
            far = second_site(session, desk.opened, name="Far away", postcode="10001")
            holds.place(session, reason=HoldReason.CAPACITY, at=NOON, site_id=far.site_id)
            assert near.id != far.id

        page = browser.get(f"{desk.url}/refer").text

        assert page.index("Near") < page.index("Far away")
        assert "On hold: no capacity" in page
        assert re.search(r"1,?\d{3} miles away", page)
        assert "Speaks English" in page

    def test_shows_first_where_another_version_changes_what_holds(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        with database.transaction(actor="test") as session:
            match = found(session, Match, desk.match_id)
            match.effective_disposition = None

        assert "Here: May fit, so far: Not assessed" in browser.get(f"{desk.url}/refer").text

    def test_leads_to_the_referral(self, browser: FlaskClient, desk: Desk, database: Database) -> None:
        data = {
            "version": str(version_of(database, desk.match_id)),
            "site": str(desk.opened.study_site.id),
        }

        answer = browser.post(f"{desk.url}/refer", data=data)

        assert answer.status_code == 303
        page = browser.get(answer.location).text
        assert "Handed over by" in page
        assert "Ana Ortiz" in page
        assert browser.get(f"{desk.url}/refer").location == answer.location

    def test_another_site_after_the_first_needs_the_persons_yes(
        self, browser: FlaskClient, desk: Desk, database: Database, referral_id: UUID
    ) -> None:
        with database.transaction(actor="test") as session:
            other = second_site(session, desk.opened, name="Second").id
            pipeline.report(session, referral_id, said(State.TRANSFERRED, on=TODAY), at=NOON)
        data = {"version": str(version_of(database, desk.match_id)), "site": str(other)}
        refused = browser.post(f"{desk.url}/refer", data=data)
        assert refused.status_code == 422
        assert 'href="#agreed"' in refused.text

        answer = browser.post(f"{desk.url}/refer", data={**data, "agreed": "yes"})

        assert answer.status_code == 303
        with database.reading() as session:
            yes = session.scalars(sa.select(Consent).where(Consent.purpose == Purpose.PARTNER_SITE)).one()
        assert "Second" in yes.text
        assert yes.how == "phone"


class TestSteps:
    def test_only_what_may_follow_is_offered(
        self, browser: FlaskClient, database: Database, referral_id: UUID, url: str
    ) -> None:
        page = browser.get(url).text
        assert "step=contacted" in page
        assert "step=screen_failed" not in page
        assert "step=visit_attended" not in page

        with database.transaction(actor="test") as session:
            bring_to(session, found(session, Referral, referral_id), State.CONSENTED, at=NOON)

        page = browser.get(url).text
        assert "step=screen_failed" in page
        assert "step=contacted" not in page
        assert "screen_failed" not in browser.get(f"{url}?step=nonsense").text.split("Close this referral")[0]

    def test_ask_for_what_belongs_to_them(
        self, browser: FlaskClient, database: Database, referral_id: UUID, url: str
    ) -> None:
        assert "Come back on" in browser.get(f"{url}?step=deferred").text
        assert "Too far away" in browser.get(f"{url}?step=not_interested").text
        with database.transaction(actor="test") as session:
            bring_to(session, found(session, Referral, referral_id), State.CONSENTED, at=NOON)

        page = browser.get(f"{url}?step=screen_failed").text

        assert "Which criterion was not met?" in page
        assert "3 Body mass index of 25 to 40 kg/m2" in page
        assert "The site's number of the participant" in page

    def test_are_recorded_with_their_day_and_reporter(
        self, browser: FlaskClient, database: Database, referral_id: UUID, url: str
    ) -> None:
        status, _page = post(
            browser, database, url, "moves",
            state="not_interested", happened_on="2026-11-18", reason="pay", channel="call_team_for_site",
        )  # fmt: skip

        assert status == 303
        assert state_of(database, referral_id) is State.NOT_INTERESTED
        assert "Payment" in browser.get(url).text
        with database.reading() as session:
            last = events.standing(session, ("referral", referral_id))[-1]
        assert (last.channel, last.payload) == ("call_team_for_site", {"reason": "pay"})

    def test_after_the_only_visit_was_called_off_nobody_can_have_come(
        self, browser: FlaskClient, database: Database, referral_id: UUID, url: str
    ) -> None:
        call_off(database, book(database, referral_id, starts_at=NOON + timedelta(days=1)))

        page = browser.get(url).text

        assert "step=visit_attended" not in page
        assert "step=no_show" not in page
        assert "step=contacted" in page
        assert "Book a new visit" in page
        title = page.partition("<h1")[2].partition('class="split"')[0]
        assert "Visit called off" in title
        assert "Visit booked" not in title
        status, page = post(browser, database, url, "moves", state="no_show", happened_on="2026-11-18")
        assert status == 422

    def test_coming_to_another_visit_is_told_once_it_has_begun(
        self, browser: FlaskClient, database: Database, referral_id: UUID, url: str, clock: FixedClock
    ) -> None:
        with database.transaction(actor="test") as session:
            planned = Appointment(NOON + timedelta(minutes=5), kind=VisitKind.BASELINE)
            visits.book(session, referral_id, planned, at=NOON)
        before = browser.get(url).text

        clock.move_to(NOON + timedelta(minutes=5))

        assert "step=visit_attended" not in before
        assert "step=visit_attended" in browser.get(url).text

    def test_say_what_is_wrong_with_the_values_back(
        self, browser: FlaskClient, database: Database, referral_id: UUID, url: str
    ) -> None:
        wrong = (
            ({"state": "randomised", "happened_on": "2026-11-18"}, "state"),
            ({"state": "contacted", "happened_on": ""}, "happened_on"),
            ({"state": "contacted", "happened_on": "2026-11-19"}, "happened_on"),
            ({"state": "contacted", "happened_on": "2026-11-17"}, "happened_on"),
            ({"state": "contacted", "happened_on": "9999-13-99"}, "happened_on"),
            ({"state": "not_interested", "happened_on": "2026-11-18"}, "reason"),
            ({"state": "phone_screen_failed", "happened_on": "2026-11-18", "criterion": "c77"}, "criterion"),
            ({"state": "deferred", "happened_on": "2026-11-18", "until": "2026-11-18"}, "until"),
            ({"state": "contacted", "happened_on": "2026-11-18", "subject_number": "1"}, "subject_number"),
        )
        for fields, field in wrong:
            status, page = post(browser, database, url, "moves", **fields)

            assert status == 422, fields
            assert f'href="#{field}"' in page, fields
        assert state_of(database, referral_id) is State.REFERRED

    def test_an_older_page_is_told_what_changed(
        self, browser: FlaskClient, database: Database, referral_id: UUID, url: str
    ) -> None:
        with database.transaction(actor="test") as session:
            pipeline.report(session, referral_id, said(State.CONTACTED, on=TODAY), at=NOON)
        fields = {"state": "deferred", "happened_on": "2026-11-18", "until": "2026-12-24", "version": "1"}

        answer = browser.post(f"{url}/moves", data={**fields, "seen": NOON.isoformat()})

        assert answer.status_code == 409
        assert "Contacted" in answer.text
        assert 'name="until" value="2026-12-24"' in answer.text


class TestVisits:
    def test_are_booked_in_the_sites_time(
        self, browser: FlaskClient, database: Database, referral_id: UUID, url: str
    ) -> None:
        status, _page = post(browser, database, url, "visits", **BOOKED)

        assert status == 303
        page = browser.get(url).text
        assert "Nov 20, 2026, 10:00 AM EST" in page
        assert "60 minutes · Floor 2" in page
        assert state_of(database, referral_id) is State.VISIT_BOOKED
        assert "step=no_show" not in page

    def test_a_second_click_books_nothing_more_and_leads_on(
        self, browser: FlaskClient, database: Database, referral_id: UUID, url: str
    ) -> None:
        with database.reading() as session:
            body = {**BOOKED, "version": str(found(session, Referral, referral_id).version)}

        first, again = (browser.post(f"{url}/visits", data=body) for _ in range(2))
        other = browser.post(f"{url}/visits", data={**body, "visit_time": "11:00"})

        assert (first.status_code, again.status_code, other.status_code) == (303, 303, 409)
        assert first.headers["Location"] == again.headers["Location"]
        with database.reading() as session:
            assert session.scalar(sa.select(sa.func.count(Visit.id))) == 1

    def test_say_what_cannot_be(self, browser: FlaskClient, database: Database, url: str) -> None:
        for fields, field in (
            ({"visit_day": "2026-11-18", "visit_time": "09:00"}, "visit_day"),
            ({"visit_day": "x"}, "visit_day"),
            ({"visit_time": "26:00"}, "visit_time"),
            ({"visit_day": "2027-03-14", "visit_time": "02:30"}, "visit_time"),
            ({"minutes": "0"}, "minutes"),
            ({"minutes": "9" * 12}, "minutes"),
            ({"minutes": "\u0665"}, "minutes"),
            ({"kind": "party"}, "kind"),
            ({"place": "x" * 400}, "place"),
        ):
            status, page = post(browser, database, url, "visits", **{**BOOKED, **fields})

            assert status == 422, fields
            assert f'href="#{field}"' in page, fields

    def test_go_their_way(
        self, browser: FlaskClient, database: Database, referral_id: UUID, url: str, desk: Desk
    ) -> None:
        with database.transaction(actor="test") as session:
            booked = visits.book(session, referral_id, Appointment(NOON + timedelta(days=1)), at=NOON)
            visit_id = booked.id
        path = f"/staff/desk/visits/{visit_id}"
        assert browser.post(f"{path}/confirm", data={"version": "1"}).status_code == 303
        assert browser.post(f"{path}/confirm", data={"version": "1"}).status_code == 409
        assert browser.post(f"{path}/attended", data={"version": "2"}).status_code == 422
        assert "Who called it off?" in browser.get(f"{url}?visit={visit_id}&do=cancel").text
        assert "Put at this time" in browser.get(f"{url}?visit={visit_id}&do=reschedule").text
        wrong = browser.post(f"{path}/cancel", data={"version": "2", "cancelled_by": "weather"})
        assert wrong.status_code == 422
        moved = browser.post(f"{path}/reschedule", data={"version": "2", **BOOKED})
        assert moved.status_code == 303
        with database.reading() as session:
            new_id = session.scalars(sa.select(Visit.id).where(Visit.status == VisitStatus.BOOKED)).one()

        off = {"version": "1", "cancelled_by": "participant", "cancel_reason": "transport"}
        answer = browser.post(f"/staff/desk/visits/{new_id}/cancel", data=off)

        assert answer.status_code == 303
        assert "No transport" in browser.get(url).text
        assert "Visit called off: book another" in browser.get("/staff/desk/").text

    def test_that_are_missed_bring_the_person_back_to_the_queue(
        self, browser: FlaskClient, database: Database, referral_id: UUID, desk: Desk
    ) -> None:
        with database.transaction(actor="test") as session:
            early = NOON - timedelta(days=2)
            found(session, Referral, referral_id).state_since = early.date()
            visit_id = visits.book(session, referral_id, Appointment(NOON - timedelta(hours=1)), at=early).id

        browser.post(f"/staff/desk/visits/{visit_id}/no-show", data={"version": "1"})

        page = browser.get("/staff/desk/").text
        assert "Maria Lopez" in page
        assert "Did not come to the visit: call today" in page


class TestCorrections:
    def test_strike_the_wrong_entry_out_and_tell_why(
        self, browser: FlaskClient, database: Database, referral_id: UUID, url: str, desk: Desk
    ) -> None:
        with database.transaction(actor="test") as session:
            pipeline.report(session, referral_id, said(State.NOT_INTERESTED, on=TODAY), at=NOON)
            wrong = events.standing(session, ("referral", referral_id))[-1].id

        status, _page = post(
            browser, database, url, "corrections", event=str(wrong), correction="Meant her sister"
        )

        assert status == 303
        page = browser.get(url).text
        assert '<li class="void">' in page
        assert "Corrected by a later entry" in page
        assert "Meant her sister" in page
        assert state_of(database, referral_id) is State.REFERRED
        with database.reading() as session:
            assert found(session, Match, desk.match_id).triage is Triage.REFERRED

    def test_need_an_entry_and_a_reason(self, browser: FlaskClient, database: Database, url: str) -> None:
        for fields, field in (
            ({"event": str(uuid4()), "correction": "why"}, "event"),
            ({"event": "", "correction": ""}, "event"),
        ):
            status, page = post(browser, database, url, "corrections", **fields)

            assert status == 422
            assert f'href="#{field}"' in page

    def test_refuse_what_others_rest_on(
        self, browser: FlaskClient, database: Database, referral_id: UUID, url: str
    ) -> None:
        with database.transaction(actor="test") as session:
            bring_to(session, found(session, Referral, referral_id), State.CONSENTED, at=NOON)
            attended = events.standing(session, ("referral", referral_id))[-2].id
        assert f'value="{attended}"' not in browser.get(url).text

        status, page = post(browser, database, url, "corrections", event=str(attended), correction="wrong day")

        assert status == 422
        assert "rests on this one" in page
        assert "wrong day" in page


class TestList:
    def test_shows_age_next_step_and_silence(
        self, browser: FlaskClient, database: Database, referral_id: UUID, desk: Desk
    ) -> None:
        with database.transaction(actor="test") as session:
            old = arrive(session, desk.opened, contact_of("Otto"), at=NOON - timedelta(days=12))
            pipeline.refer(session, old.id, desk.opened.study_site.id, at=NOON - timedelta(days=12))

        page = browser.get("/staff/desk/referrals").text

        assert page.index("Otto") < page.index("Maria")
        assert "12 days" in page
        assert "Ask the site" in page
        assert "Acknowledge and call" in page
        assert "No referrals here" in browser.get("/staff/desk/referrals?show=ended").text

    def test_a_visit_is_waited_for_and_then_told_about(
        self, browser: FlaskClient, database: Database, referral_id: UUID, clock: FixedClock
    ) -> None:
        book(database, referral_id, starts_at=NOON + timedelta(minutes=5))
        before = row_of(browser.get("/staff/desk/referrals").text, "Maria Lopez")

        clock.move_to(NOON + timedelta(minutes=5))

        after = row_of(browser.get("/staff/desk/referrals").text, "Maria Lopez")
        assert "Visit on Nov 18" in before
        assert "Say who came" not in before
        assert "Say who came" in after

    def test_a_visit_called_off_asks_for_another_one(
        self, browser: FlaskClient, database: Database, referral_id: UUID
    ) -> None:
        call_off(database, book(database, referral_id, starts_at=NOON + timedelta(days=1)))

        row = row_of(browser.get("/staff/desk/referrals").text, "Maria Lopez")

        assert "Visit called off" in row
        assert "Book a new visit" in row
        assert "Visit booked" not in row
        assert "Say who came" not in row

    def test_silence_counts_from_the_visit_on(
        self, browser: FlaskClient, database: Database, desk: Desk
    ) -> None:
        for name, visit_in_days in (("Ahead", 3), ("Just", -7), ("Long", -8)):
            with database.transaction(actor="test") as session:
                early = NOON - timedelta(days=12)
                match = arrive(session, desk.opened, contact_of(name), at=early)
                key = pipeline.refer(session, match.id, desk.opened.study_site.id, at=early).id
            book(database, key, starts_at=NOON + timedelta(days=visit_in_days), at=early)

        page = browser.get("/staff/desk/referrals").text

        asked = {name: "Ask the site" in row_of(page, f"{name} Lopez") for name in ("Ahead", "Just", "Long")}
        assert asked == {"Ahead": False, "Just": False, "Long": True}

    def test_nobody_is_asked_before_the_day_somebody_was_put_off_to(
        self, browser: FlaskClient, database: Database, desk: Desk
    ) -> None:
        for name, until in (("Later", "2026-12-24"), ("Today", "2026-11-18"), ("Past", "2026-11-10")):
            with database.transaction(actor="test") as session:
                early = NOON - timedelta(days=12)
                match = arrive(session, desk.opened, contact_of(name), at=early)
                key = pipeline.refer(session, match.id, desk.opened.study_site.id, at=early).id
                put_off = said(State.DEFERRED, on=early.date(), until=date.fromisoformat(until))
                pipeline.report(session, key, put_off, at=early)

        page = browser.get("/staff/desk/referrals").text

        rows = {name: row_of(page, f"{name} Lopez") for name in ("Later", "Today", "Past")}
        assert "Wait until Dec 24, 2026" in rows["Later"]
        assert "Wait until" not in rows["Today"] + rows["Past"]
        assert "Call again" in rows["Today"]
        assert ["Ask the site" in row for row in rows.values()] == [False, False, True]

    def test_whoever_has_a_visit_at_a_site_on_hold_is_called_first(
        self, browser: FlaskClient, database: Database, referral_id: UUID, desk: Desk
    ) -> None:
        book(database, referral_id, starts_at=NOON + timedelta(days=1))
        with database.transaction(actor="test") as session:
            old = arrive(session, desk.opened, contact_of("Otto"), at=NOON - timedelta(days=12))
            pipeline.refer(session, old.id, desk.opened.study_site.id, at=NOON - timedelta(days=12))
            holds.place(session, reason=HoldReason.SPONSOR, at=NOON, site_id=desk.opened.site.id)

        page = browser.get("/staff/desk/referrals").text

        assert page.index("Maria") < page.index("Otto")
        assert "Site on hold: call them" in row_of(page, "Maria Lopez")
        assert "Site on hold: call them" not in row_of(page, "Otto Lopez")

    def test_says_what_alone_is_listed(self, browser: FlaskClient, referral_id: UUID, desk: Desk) -> None:
        site = desk.opened.site

        page = browser.get(f"/staff/desk/referrals?site={site.id}").text

        assert f"Only {site.name}" in page
        assert "Show all referrals" in page
        assert "Show all referrals" not in browser.get("/staff/desk/referrals").text

    def test_a_hold_leads_a_recruiter_to_the_visits_to_cancel(
        self, app: Flask, database: Database, referral_id: UUID, desk: Desk
    ) -> None:
        book(database, referral_id, starts_at=NOON + timedelta(days=1))
        with database.transaction(actor="test") as session:
            holds.place(session, reason=HoldReason.SPONSOR, at=NOON, site_id=desk.opened.site.id)
            both = make_account(session, Role.COORDINATOR, Role.RECRUITER)
            coordinator = make_account(session, Role.COORDINATOR)

        pages = [signed_in(app, one, at=NOON).get("/staff/holds").text for one in (both, coordinator)]

        assert all("1 booked visit to cancel by phone" in page for page in pages)
        link = f'<a href="/staff/desk/referrals?site={desk.opened.site.id}">'
        assert [link in page for page in pages] == [True, False]

    def test_pages_go_on_after_a_referral(
        self, browser: FlaskClient, database: Database, referral_id: UUID
    ) -> None:
        assert "Maria" not in browser.get(f"/staff/desk/referrals?after={referral_id}").text
        assert browser.get(f"/staff/desk/referrals?after={uuid4()}&study=x&site=%00").status_code == 200

    def test_another_site_sees_none(self, stranger: FlaskClient, referral_id: UUID) -> None:
        assert "Maria" not in stranger.get("/staff/desk/referrals").text


def test_other_sites_find_nothing_behind_any_address(
    stranger: FlaskClient, database: Database, referral_id: UUID, url: str
) -> None:
    with database.transaction(actor="test") as session:
        visit_id = visits.book(session, referral_id, Appointment(NOON + timedelta(days=1)), at=NOON).id
    fields = {
        "version": "2",
        "state": "contacted",
        "happened_on": "2026-11-18",
        "cancelled_by": "site",
        **BOOKED,
    }
    paths = [f"{url}/{path}" for path in ("moves", "corrections", "visits")]
    paths += [
        f"/staff/desk/visits/{visit_id}/{path}"
        for path in ("confirm", "attended", "no-show", "reschedule", "cancel")
    ]

    answers = {path: stranger.post(path, data=fields).status_code for path in paths}

    assert set(answers.values()) == {404}
    assert stranger.get(url).status_code == 404


def test_hostile_values_break_nothing(
    browser: FlaskClient, database: Database, referral_id: UUID, url: str
) -> None:
    with database.transaction(actor="test") as session:
        visit_id = visits.book(session, referral_id, Appointment(NOON + timedelta(days=1)), at=NOON).id
    names = (
        "state", "happened_on", "precision", "channel", "criterion", "reason", "until", "subject_number",
        "event", "correction", "visit_day", "visit_time", "minutes", "place", "kind", "cancelled_by",
        "cancel_reason", "seen",
    )  # fmt: skip
    paths = [f"{url}/{path}" for path in ("moves", "corrections", "visits")]
    paths += [f"/staff/desk/visits/{visit_id}/{path}" for path in ("reschedule", "cancel", "attended")]

    for path, value in product(paths, HOSTILE):
        raw = quoted(value.encode("utf-8", "surrogatepass"))
        body = b"&".join(name.encode() + b"=" + raw for name in names) + b"&version=2"
        answer = browser.post(path, data=body, content_type="application/x-www-form-urlencoded")

        assert answer.status_code in (303, 409, 422), (path, value)
