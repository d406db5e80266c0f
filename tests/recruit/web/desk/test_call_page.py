"""The call workspace: what to know, what to say, and two clicks to log how it ended."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from recruit import pipeline
from recruit.accounts.models import Account, Role
from recruit.contact.models import Communication, Consent, ContactChannel
from recruit.db import Database, found
from recruit.intake import drafts
from recruit.intake.models import InquiryChannel
from recruit.matching import calling
from recruit.matching.models import DueReason, Match, OpenCall, Triage
from recruit.materials import service as materials
from recruit.materials.models import Material, MaterialKind, MaterialState
from recruit.people import queries as people
from recruit.people.models import ContactRole
from recruit.studies import versions
from recruit.studies.models import Study
from screening.asking.answers import parse
from screening.asking.questionnaire import Document, EarlierWords
from screening.asking.responses import Answer
from screening.slips import Problems
from screening.texts import Respondent
from tests.browsing import signed_in
from tests.conftest import NOON
from tests.factories import OpenStudy, approve_everything, make_account
from tests.recruit.arrivals import AGREED, FITS, UNSURE, arrive, contact_of
from tests.recruit.rewording import other_words, use
from tests.recruit.web.desk.conftest import Desk, version_of


def log(browser: FlaskClient, desk: Desk, database: Database, outcome: str, **fields: str) -> str:
    """Log a call; give where it leads."""
    data = {"version": str(version_of(database, desk.match_id)), "outcome": outcome, **fields}
    answer = browser.post(f"{desk.url}/call", data=data)
    assert answer.status_code == 303, answer.text
    return answer.location


def call_page(browser: FlaskClient, url: str) -> str:
    """Take the telephone; give the workspace."""
    browser.post(f"{url}/call/start")
    answer = browser.get(f"{url}/call")
    assert answer.status_code == 200
    return answer.text


def value_of(page: str, name: str) -> str:
    """Give what stands in a field."""
    field = re.search(rf'<input[^>]* name="{name}"[^>]* value="([^"]*)"', page)
    assert field is not None
    return field[1]


def answered_by_another(
    database: Database,
    desk: Desk,
    respondent: Respondent,
    *,
    adult: str = "",
    born: date = date(2014, 1, 8),
) -> str:
    """Let an adult answer for somebody, in words of their own; give the address of the person's page."""
    with database.transaction(actor="test") as session:
        ask_for_others(session, desk.opened)
        who = contact_of("Mateo", "Diaz", birth=born, role=ContactRole.GUARDIAN, contact_name=adult)
        draft, _token = pipeline.begin(session, desk.opened.study, language="en", at=NOON)
        drafts.choose_respondent(session, draft.id, respondent, at=NOON)
        drafts.save_answers(session, draft.id, unsure_answers(drafts.open_draft(session, draft).document))
        pipeline.conclude(session, draft.id, at=NOON)
        where = desk.opened.study_site.id
        _said, match = pipeline.submit(session, draft.id, who, AGREED, at=NOON, study_site_id=where)
        assert match is not None
        return f"/staff/desk/matches/{match.id}"


def unsure_answers(document: Document) -> list[tuple[str, Answer, datetime]]:
    """Give the answers of somebody who may fit and does not know the weight."""
    given = []
    for item in document.items:
        if item.id in FITS:
            read = parse(item, {**FITS, **UNSURE}[item.id], language="en", on=NOON.date())
            assert not isinstance(read, Problems)
            given.append((item.id, read, NOON))
    return given


def ask_for_others(session: Session, opened: OpenStudy) -> None:
    """Put a version in force whose every text says in brackets for whom it is worded."""
    document = Document.model_validate(worded(opened.questionnaire.document))
    everybody = document.model_copy(update={"respondents": tuple(Respondent)})
    draft = versions.draft_questionnaire(session, opened.study.id, everybody, at=NOON)
    published = versions.publish_questionnaire(session, draft.id, at=NOON)
    approve_everything(session, opened.study, at=NOON)
    versions.put_in_force(
        session,
        opened.study_site.id,
        protocol_version_id=opened.protocol.id,
        questionnaire_version_id=published.id,
        effective_from=NOON.date(),
        at=NOON,
    )


def worded(part: object) -> object:
    """Add to every text its own words for a child and for somebody cared for."""
    if isinstance(part, list):
        return [worded(one) for one in part]
    if not isinstance(part, dict):
        return part
    if isinstance(said := part.get("self"), str):
        return {**part, "child": f"{said} (child)", "cared_for": f"{said} (cared_for)"}
    return {name: worded(one) for name, one in part.items()}


def approve_script(database: Database, desk: Desk, body: str, *, language: str = "en") -> None:
    """Let an approved script take the place of the study's own."""
    with database.transaction(actor="test") as session:
        material = session.scalars(
            sa.select(Material).where(
                Material.study_id == desk.opened.study.id, Material.kind == MaterialKind.PHONE_SCRIPT
            )
        ).one()
        version = materials.write(session, material.id, language, body, at=NOON)
        for state in (MaterialState.INTERNAL_REVIEW, MaterialState.SUBMITTED):
            materials.move(session, version.id, state, at=NOON)
        approve_everything(session, desk.opened.study, at=NOON)


class TestWorkspace:
    def test_holds_everything_beside_the_telephone(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        with database.transaction(actor="test") as session:
            who = contact_of("Rosa", "Vega", birth=date(1976, 3, 9), language="es")
            match_id = arrive(session, desk.opened, who, at=NOON, answers=UNSURE).id
        url = f"/staff/desk/matches/{match_id}"

        browser.post(f"{url}/call/start")
        page = browser.get(f"{url}/call").text

        assert "Call Rosa Vega" in page
        assert "Am I speaking with Rosa?" in page
        assert "It should be 1976." in page
        assert "Hola, soy Ana Ortiz, por el estudio de salud que pidió." in page
        assert "¿Cuánto pesa?" in page
        assert "(555) 010-0101" in page
        assert "the next try is Today, 4:00 PM EST" in page
        assert "Nobody has talked to this person yet." in page

    def test_is_open_only_while_one_is_on_the_phone(self, browser: FlaskClient, desk: Desk) -> None:
        assert browser.get(f"{desk.url}/call").location == desk.url
        browser.post(f"{desk.url}/call/start")
        assert browser.get(f"{desk.url}/call").status_code == 200

        browser.post(f"{desk.url}/call/leave")

        assert browser.get(f"{desk.url}/call").location == desk.url

    def test_shows_to_others_and_keeps_them_out(
        self, app: Flask, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        with database.transaction(actor="test") as session:
            ben = make_account(session, Role.RECRUITER, name="Ben Kim")
        other = signed_in(app, ben, at=NOON)
        browser.post(f"{desk.url}/call/start")

        assert "Ana Ortiz is on the phone with this person" in other.get(desk.url).text
        assert other.post(f"{desk.url}/call/start").status_code == 409
        data = {"version": str(version_of(database, desk.match_id)), "outcome": "reached"}
        assert other.post(f"{desk.url}/call", data=data).status_code == 409


class TestRightPerson:
    def test_a_parent_is_asked_for_where_a_child_would_take_part(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        url = answered_by_another(database, desk, Respondent.CHILD, adult="Carmen Diaz")

        page = call_page(browser, url)

        assert "Call about Mateo Diaz" in page
        assert "Mateo is 12 years old. Speak with the parent or guardian: Carmen Diaz." in page
        assert "If the child answers, ask for the parent or guardian" in page
        assert "Parent, guardian or caregiver: Carmen Diaz" in page
        assert "“Am I speaking with Carmen Diaz?”" in page
        assert "“Am I speaking with Mateo?”" not in page
        assert "“In which year was Mateo born?”" in page
        assert "It should be 2014, the child&#39;s year of birth." in page

    def test_a_parent_is_asked_in_the_words_for_a_child(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        url = answered_by_another(database, desk, Respondent.CHILD)

        page = call_page(browser, url)

        assert "How much do you weigh? (child)" in page
        assert "How much do you weigh?<" not in page

    def test_a_parent_without_a_name_is_asked_for_as_the_parent(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        url = answered_by_another(database, desk, Respondent.CHILD)

        page = call_page(browser, url)

        assert "Speak with the parent or guardian." in page
        assert "“Am I speaking with the parent or guardian of Mateo?”" in page

    def test_a_caregiver_is_asked_for_where_somebody_else_answers(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        born = date(1951, 6, 17)
        url = answered_by_another(database, desk, Respondent.CARED_FOR, adult="Carmen Diaz", born=born)

        page = call_page(browser, url)

        assert "Somebody else answers for Mateo. Speak with the caregiver: Carmen Diaz." in page
        assert "“Am I speaking with Carmen Diaz?”" in page
        assert "It should be 1951, the year of birth of Mateo." in page
        assert "How much do you weigh? (cared_for)" in page

    def test_a_child_who_came_of_age_is_asked_for_and_has_to_agree(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        born = NOON.date().replace(year=NOON.year - 18)
        url = answered_by_another(database, desk, Respondent.CHILD, adult="Carmen Diaz", born=born)

        page = call_page(browser, url)

        assert "Mateo is of age now. Speak with Mateo." in page
        assert "From now on Mateo has to agree in person." in page
        assert "“Am I speaking with Mateo?”" in page
        assert "Parent, guardian or caregiver: Carmen Diaz" in page

    def test_what_is_said_aloud_is_in_the_persons_language_beside_the_callers(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        with database.transaction(actor="test") as session:
            who = contact_of("Rosa", "Vega", birth=date(1976, 3, 9), language="es")
            match_id = arrive(session, desk.opened, who, at=NOON, answers=UNSURE).id

        page = call_page(browser, f"/staff/desk/matches/{match_id}")

        assert '<span lang="es">«¿Hablo con Rosa?»</span>' in page
        assert '<span class="small muted">“Am I speaking with Rosa?”</span>' in page
        assert '<p lang="es">¿Cuánto pesa?</p>' in page
        assert "It should be 1976." in page

    def test_what_is_said_aloud_is_said_once_in_one_language(self, browser: FlaskClient, desk: Desk) -> None:
        page = call_page(browser, desk.url)

        assert page.count("“Am I speaking with Maria?”") == 1
        assert "Speak with the parent" not in page


class TestScript:
    def test_every_field_of_the_script_is_filled_in(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        approve_script(database, desk, "I am {agent} of {operator}, {site}, about {study}. Call {phone}.")

        page = call_page(browser, desk.url)

        site, study = desk.opened.site.name, desk.opened.study.neutral_names["en"]
        assert f"I am Ana Ortiz of Trial Recruit, {site}, about {study}. Call (555) 010-0101." in page

    @pytest.mark.parametrize(
        ("names", "said"),
        [
            ({"en": "Harbor study", "es": "estudio Faro"}, "Usted preguntó por el estudio Faro."),
            ({"en": "Harbor study"}, "Usted preguntó por el estudio de salud."),
        ],
    )
    def test_a_script_in_spanish_names_the_study_in_spanish(
        self, browser: FlaskClient, desk: Desk, database: Database, names: dict[str, str], said: str
    ) -> None:
        with database.transaction(actor="test") as session:
            found(session, Study, desk.opened.study.id).neutral_names = names
            match_id = arrive(session, desk.opened, contact_of("Rosa", language="es"), at=NOON).id
        approve_script(database, desk, "Usted preguntó por el {study}.", language="es")

        page = call_page(browser, f"/staff/desk/matches/{match_id}")

        assert said in page

    def test_each_line_of_the_script_stands_on_its_own(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        approve_script(database, desk, "Hello.\nIs this a good time?\n\nThank you.")

        page = call_page(browser, desk.url)

        assert "<p>Hello.<br>Is this a good time?</p><p>Thank you.</p>" in page

    @pytest.mark.parametrize(
        ("body", "why"),
        [
            ("Hello. Open {link} now.", "it has a field that is not known here (link)"),
            ("Hello, I am { Agent }.", "one of its fields is not written correctly"),
        ],
    )
    def test_a_script_with_an_open_field_is_not_shown_but_why(
        self, browser: FlaskClient, desk: Desk, database: Database, body: str, why: str
    ) -> None:
        approve_script(database, desk, body)

        page = call_page(browser, desk.url)

        assert f"The approved script cannot be shown: {why}" in page
        assert "Hello" not in page
        assert "{link}" not in page
        assert "{ Agent }" not in page


class TestCallingBack:
    def test_no_time_is_there_before_one_is_entered(self, browser: FlaskClient, desk: Desk) -> None:
        page = call_page(browser, desk.url)

        assert value_of(page, "call_back_day") == ""
        assert value_of(page, "call_back_time") == ""

    def test_what_was_entered_stays_where_something_is_wrong(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        data = {"version": str(version_of(database, desk.match_id)), "outcome": "call_back"}

        answer = browser.post(f"{desk.url}/call", data={**data, "call_back_day": "2026-11-20"})

        assert answer.status_code == 422
        assert value_of(answer.text, "call_back_day") == "2026-11-20"

    def test_a_time_is_taken_in_the_persons_zone_and_the_sites_is_beside(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        with database.transaction(actor="test") as session:
            match_id = arrive(session, desk.opened, contact_of(postcode="90001"), at=NOON).id
        url = f"/staff/desk/matches/{match_id}"
        page = call_page(browser, url)
        data = {"version": str(version_of(database, match_id)), "outcome": "call_back"}

        browser.post(f"{url}/call", data={**data, "call_back_day": "2026-11-20", "call_back_time": "14:30"})

        assert "at (the person&#39;s time)" in page
        assert "It is now 9:00 AM PST for the person and 12:00 PM EST at the site." in page
        with database.reading() as session:
            due = found(session, Match, match_id).due_at
        assert due is not None
        assert due.isoformat() == "2026-11-20T22:30:00+00:00"

    def test_a_time_is_taken_in_the_sites_zone_where_the_persons_is_unknown(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        with database.transaction(actor="test") as session:
            match_id = arrive(session, desk.opened, contact_of(postcode=""), at=NOON).id

        page = call_page(browser, f"/staff/desk/matches/{match_id}")

        assert "at (site&#39;s time)" in page
        assert "At the site it is now 12:00 PM EST. The person&#39;s own time is not known." in page


class TestLogging:
    def test_no_answer_goes_back_to_the_queue_and_says_what_comes_next(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        browser.post(f"{desk.url}/call/start")

        location = log(browser, desk, database, "no_answer", note="Rang long")

        assert location == "/staff/desk/"
        assert "Call logged. Next: Today, 4:00 PM EST." in browser.get(location).text
        with database.reading() as session:
            assert session.scalar(sa.select(sa.func.count(OpenCall.id))) == 0

    def test_somebody_reached_stays_on_the_page(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        assert log(browser, desk, database, "reached") == desk.url
        assert "Spoken to: decide the next step" in browser.get(desk.url).text

    def test_a_promise_is_kept_in_the_sites_time(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        log(browser, desk, database, "call_back", call_back_day="2026-11-20", call_back_time="14:30")

        with database.reading() as session:
            match = found(session, Match, desk.match_id)
        assert match.due_at is not None
        assert match.due_at.isoformat() == "2026-11-20T19:30:00+00:00"
        assert match.due_reason is DueReason.PROMISE

    def test_the_only_number_is_the_one_that_was_called(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        log(browser, desk, database, "wrong_number")

        with database.reading() as session:
            assert found(session, Match, desk.match_id).triage is Triage.CLOSED
            assert people.contacts_of(session, {desk.person_id})[0].point.wrong_number_at == NOON

    def test_an_older_page_does_not_log_over_a_newer_call(
        self, browser: FlaskClient, desk: Desk, database: Database, ana: Account
    ) -> None:
        stale = version_of(database, desk.match_id)
        log(browser, desk, database, "no_answer")

        answer = browser.post(
            f"{desk.url}/call", data={"version": str(stale), "outcome": "busy", "note": "My words"}
        )

        assert answer.status_code == 409
        assert "My words" in answer.text
        with database.reading() as session:
            assert session.scalar(sa.select(sa.func.count(Communication.id))) == 1


@pytest.mark.parametrize("minutes", [0, 59])
def test_an_open_call_is_anothers_for_an_hour(
    app: Flask, desk: Desk, database: Database, ana: Account, minutes: int
) -> None:
    with database.transaction(actor="test") as session:
        ben = make_account(session, Role.RECRUITER)
        calling.open_call(session, desk.match_id, ana.id, at=NOON - timedelta(minutes=minutes))

    assert signed_in(app, ben, at=NOON).post(f"{desk.url}/call/start").status_code == 409


class TestWordsThatHaveChanged:
    @pytest.fixture
    def url(self, database: Database, desk: Desk) -> str:
        with database.transaction(actor="test") as session:
            agreed = [replace(one, questionnaire_version_id=desk.opened.questionnaire.id) for one in AGREED]
            who = contact_of("Nora", "Vega")
            _inquiry, match = pipeline.inquire(
                session,
                desk.opened.study,
                who,
                agreed,
                channel=InquiryChannel.FORM,
                at=NOON - timedelta(days=9),
                study_site_id=desk.opened.study_site.id,
            )
            newer = other_words(session, desk.opened, EarlierWords.ASK_AGAIN, words="You may also write to me.")
            use(session, desk.opened, newer)
            return f"/staff/desk/matches/{match.id}"

    def test_are_read_out_and_the_yes_is_kept_with_them(
        self, database: Database, browser: FlaskClient, url: str
    ) -> None:
        before = call_page(browser, url)

        answer = browser.post(
            f"{url}/call/agreements",
            data={"purpose": "contact", "said": "yes", "read": value_of(before, "read")},
        )
        after = browser.get(f"{url}/call").text

        with database.reading() as session:
            written = session.scalars(
                sa.select(Consent).where(Consent.text == "You may also write to me.").order_by(Consent.id)
            ).all()
        assert "You may also write to me." in before
        assert answer.status_code == 303
        assert "You may also write to me." not in after
        assert {(one.channel, one.how, one.text_version) for one in written} == {
            (ContactChannel.CALL, "phone", "2"),
            (ContactChannel.SMS, "phone", "2"),
        }

    def test_are_not_agreed_to_in_words_that_others_have_followed(
        self, database: Database, browser: FlaskClient, url: str, desk: Desk
    ) -> None:
        before = call_page(browser, url)
        with database.transaction(actor="test") as session:
            newest = other_words(
                session, desk.opened, EarlierWords.ASK_AGAIN, words="You may call or write to me."
            )
            use(session, desk.opened, newest)

        answer = browser.post(
            f"{url}/call/agreements",
            data={"purpose": "contact", "said": "yes", "read": value_of(before, "read")},
            follow_redirects=True,
        )

        with database.reading() as session:
            written = session.scalars(sa.select(Consent.how).where(Consent.how == "phone")).all()
        assert written == []
        assert "These words are no longer used." in answer.text
        assert "You may call or write to me." in answer.text

    def test_cannot_be_agreed_to_without_a_call(self, browser: FlaskClient, url: str) -> None:
        answer = browser.post(f"{url}/call/agreements", data={"purpose": "contact", "said": "yes"})

        assert answer.status_code == 409
