"""From a study's page to the thank-you page, and what the database holds afterwards."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from recruit.clock import FixedClock
from recruit.contact.models import Consent, ContactChannel, Purpose
from recruit.db import Database
from recruit.intake.models import Draft, DraftStatus, Medium, SourceLink, Submission
from recruit.keys import DataKey
from recruit.matching.models import Match, Triage
from recruit.people import queries as people
from recruit.people.models import ContactKind, ContactPoint, FactRow, LineType, Person, PersonContact
from recruit.studies.models import Hold, HoldReason, QuestionnaireVersion, StudyStatus
from screening.asking.questionnaire import Document, Outcome
from screening.asking.wording import forbidden_phrases
from screening.verdict import Disposition
from tests.conftest import NOON
from tests.factories import OpenStudy
from tests.recruit.web.public.visitor import CONTACT, FITTING, Fields, Visitor, open_study
from tests.web_components.dom import parse

TOO_HEAVY: dict[str, Fields] = {**FITTING, "weight": {"answer-lb": "420"}}
UNSURE: dict[str, Fields] = {**FITTING, "condition_heart": {"answer": "dont_know"}}


def put_on_hold(database: Database, study: OpenStudy) -> None:
    """Stop the whole study."""
    with database.transaction(actor="test") as session:
        session.add(
            Hold(study_id=study.study.id, reason=HoldReason.SPONSOR, effective_at=NOON, placed_by="test")
        )


class TestMayFit:
    def test_ends_with_a_real_time_and_the_number_that_calls(self, ana: Visitor, codes: list[str]) -> None:
        ana.finish(FITTING)
        ana.get("/en/contact").send(CONTACT)

        ana.send({"code": codes[-1]})

        assert ana.path == "/en/thank-you"
        assert ana.heading == "Thank you. We will call you today by 12:15 PM (Eastern Standard Time)."
        assert "(555) 010-0101" in ana.page.text

    def test_keeps_exactly_what_was_said(self, ana: Visitor, database: Database, codes: list[str]) -> None:
        ana.finish(FITTING)
        ana.get("/en/contact").send({**CONTACT, "birth-month": "5", "birth-day": "17", "birth-year": "1970"})

        with database.reading() as session:
            person = session.scalars(sa.select(Person)).one()
            facts = {row.key: row.value for row in session.scalars(sa.select(FactRow))}
            link, point = session.execute(
                sa.select(PersonContact, ContactPoint).join(
                    ContactPoint, ContactPoint.id == PersonContact.contact_point_id
                )
            ).one()
            known = people.identity_of(session, person)
            reached = people.contacts_of(session, [person.id])
            submission = session.scalars(sa.select(Submission)).one()
        assert (known.given, known.family, str(known.birth)) == ("Ana", "Ruiz", "1970-05-17")
        assert (person.postcode, person.zone, person.best_time, person.language) == (
            *("33101", "America/New_York", "morning"),
            "en",
        )
        assert (point.kind, point.line_type, reached[0].address) == (
            *(ContactKind.PHONE, LineType.MOBILE),
            "+12125550123",
        )
        assert link.verified_at is None
        assert set(facts) == {"birth", "height", "weight", "condition.diabetes", "condition.heart", "pregnant"}
        assert facts["pregnant"] == {"type": "flag", "value": False}
        assert (submission.outcome, submission.is_test, submission.language) == (Outcome.MAY_FIT, False, "en")

    def test_proves_the_number_by_the_code(self, ana: Visitor, database: Database, codes: list[str]) -> None:
        ana.finish(FITTING)
        ana.get("/en/contact").send(CONTACT)

        ana.send({"code": f" {codes[-1][:3]} {codes[-1][3:]} "})

        with database.reading() as session:
            assert session.scalars(sa.select(PersonContact)).one().verified_at == NOON
        assert ana.get("/en/code").path == "/en/thank-you"

    def test_waits_in_the_queue_of_the_site_with_its_source(
        self, ana: Visitor, database: Database, study: OpenStudy
    ) -> None:
        with database.transaction(actor="test") as session:
            session.add(SourceLink(code="FLYER7", medium=Medium.POSTER, channel="library", created_at=NOON))
        ana.begin(source="FLYER7").answer(FITTING).send({})
        ana.get("/en/contact").send(CONTACT)

        with database.reading() as session:
            match = session.scalars(sa.select(Match)).one()
            link = session.scalars(sa.select(SourceLink)).one()
        assert (match.triage, match.machine_disposition) == (Triage.TO_CALL, Disposition.CANDIDATE)
        assert match.study_site_id == study.study_site.id
        assert match.first_source_link_id == link.id
        assert match.due_at == datetime(2026, 11, 18, 17, 15, tzinfo=UTC)

    @pytest.mark.parametrize("source", ["STOPPED", "NOBODYS", "%00", "x" * 300])
    def test_takes_a_code_that_is_nobodys_as_none(self, ana: Visitor, database: Database, source: str) -> None:
        with database.transaction(actor="test") as session:
            session.add(
                SourceLink(code="STOPPED", medium=Medium.POSTER, channel="x", created_at=NOON, stopped_at=NOON)
            )

        ana.begin(source=source)

        with database.reading() as session:
            assert session.scalars(sa.select(Draft)).one().source_link_id is None

    def test_forgets_the_draft_and_its_key(self, ana: Visitor, database: Database) -> None:
        ana.finish(FITTING)
        ana.get("/en/contact").send(CONTACT)

        with database.reading() as session:
            draft = session.scalars(sa.select(Draft)).one()
            keys = session.scalars(sa.select(DataKey.owner_id)).all()
        assert (draft.status, draft.answers_sealed) == (DraftStatus.SUBMITTED, None)
        assert draft.id not in keys


class TestInSpanish:
    def test_speaks_spanish_on_every_page(self, luz: Visitor, codes: list[str]) -> None:
        luz.finish(FITTING)
        luz.get("/es/contact").send({**CONTACT, "language": "es"})
        luz.send({"code": codes[-1]})

        assert luz.heading == "Gracias. Le llamaremos hoy antes de las 12:15 p.m. (hora estándar oriental)."
        for path, html in luz.seen:
            page = parse(html)
            assert page.one("html").attrs["lang"] == "es", path
            assert "Continue" not in page.text, path

    def test_keeps_the_spanish_words_of_each_consent(
        self, luz: Visitor, database: Database, study: OpenStudy
    ) -> None:
        luz.finish(FITTING)
        luz.get("/es/contact").send({**CONTACT, "language": "es", "contact": ["call"]})

        with database.reading() as session:
            document = Document.model_validate(
                session.get_one(QuestionnaireVersion, study.questionnaire.id).document
            )
            approved = {one.purpose.value: one.text.say("es") for one in document.consents}
            kept = {c.purpose: c for c in session.scalars(sa.select(Consent))}
        assert kept[Purpose.CONTACT].text == approved["contact"]
        assert kept[Purpose.CONTACT].language == "es"
        assert "llam" in approved["contact"].lower()

    def test_goes_on_at_the_same_place_in_the_other_language(self, ana: Visitor) -> None:
        ana.begin()
        ana.send(FITTING["birth"])
        switch = next(a for a in ana.page.all("a", hreflang="es"))

        ana.get(switch.attrs["href"])

        assert ana.path == "/es/questions/2"
        assert ana.heading == "¿Cuánto mide?"


class TestOutcomes:
    def test_unsure_answers_lead_to_a_talk_never_to_a_no(self, ana: Visitor) -> None:
        ana.finish(UNSURE)

        assert ana.path == "/en/questions/result"
        assert ana.heading == "We need a bit more information"
        assert "Have you ever had any of these?" in ana.page.one("main").text

    def test_not_this_study_asks_nothing_but_the_registry(self, ana: Visitor, database: Database) -> None:
        ana.finish(TOO_HEAVY)
        assert ana.heading == "This study does not look like a match right now"
        ana.get("/en/contact")
        fields = {field.attrs["name"] for field in ana.page.all("input", "textarea") if field.inside("main")}

        ana.send({"given": "Ana", "email": "ana@example.org", "contact": ["email"], "registry": "yes"})

        assert fields == {"key", "given", "family", "phone", "phone_kind", "email", "language"} | {
            "contact",
            "registry",
        }
        with database.reading() as session:
            consents = session.scalars(sa.select(Consent)).all()
            assert [(c.purpose, c.channel, c.study_id) for c in consents] == [
                (Purpose.REGISTRY, ContactChannel.EMAIL, None)
            ]
            assert session.scalars(sa.select(Match)).all() == []

    def test_not_this_study_without_a_registry_asks_nothing(self, app: Flask, database: Database) -> None:
        other = open_study(database)
        bea = Visitor(app.test_client(), other.study.slug)
        bea.finish(TOO_HEAVY)

        bea.get("/en/contact")

        assert bea.path == "/en/questions/result"
        assert "Leave my contact" not in bea.page.text

    def test_a_hold_in_between_means_the_waiting_list(
        self, ana: Visitor, database: Database, study: OpenStudy
    ) -> None:
        ana.begin().answer(FITTING)
        put_on_hold(database, study)

        ana.send({})
        ana.get("/en/contact").send(CONTACT)
        ana.get("/en/thank-you")

        with database.reading() as session:
            assert session.scalars(sa.select(Submission)).one().outcome is Outcome.WAITLIST
        assert "as soon as this study takes people again" in ana.page.text

    def test_never_says_more_than_a_site_may(self, ana: Visitor, luz: Visitor) -> None:
        for visitor, answers in ((ana, FITTING), (luz, FITTING), (ana, TOO_HEAVY), (luz, UNSURE)):
            visitor.client.post(visitor.url("/questions/stop"))
            visitor.finish(answers)

        for visitor in (ana, luz):
            for path, html in visitor.seen:
                assert forbidden_phrases(parse(html).text, visitor.language) == (), path


class TestStudyPage:
    def test_shows_the_approved_words_and_the_five_lines(self, ana: Visitor) -> None:
        ana.get(f"/en/studies/{ana.slug}")

        assert ana.heading == "A health study near you"
        assert "We are looking for people who may want to take part." in ana.page.text
        assert len(ana.page.one("main").all("ul")[0].all("li")) == 5

    def test_on_hold_shows_only_the_approved_no(
        self, ana: Visitor, database: Database, study: OpenStudy
    ) -> None:
        put_on_hold(database, study)

        ana.get(f"/en/studies/{ana.slug}")

        assert ana.status == 200
        assert "This study is not looking for people at the moment." in ana.page.text
        assert ana.page.all("form", method="post") == []

    def test_on_hold_starts_nothing(self, ana: Visitor, database: Database, study: OpenStudy) -> None:
        put_on_hold(database, study)

        ana.post(f"/en/studies/{ana.slug}/start")

        assert ana.status == 422
        with database.reading() as session:
            assert session.scalars(sa.select(Draft)).all() == []

    @pytest.mark.parametrize("status", [StudyStatus.DRAFT, StudyStatus.CLOSED])
    def test_does_not_exist_unless_the_study_is_open(
        self, ana: Visitor, database: Database, study: OpenStudy, status: StudyStatus
    ) -> None:
        with database.transaction(actor="test") as session:
            session.get_one(type(study.study), study.study.id).status = status

        assert ana.get(f"/en/studies/{ana.slug}").status == 404

    def test_shows_the_distance_from_a_zip_code(self, ana: Visitor) -> None:
        ana.get(f"/en/studies/{ana.slug}?zip=33602")

        assert "about 205 miles away" in ana.page.text

    @pytest.mark.parametrize("typed", ["abc", "0", "99999999999", "%00", "3310\u0661", "' OR 1=1"])
    def test_shows_sites_without_distance_for_a_zip_code_that_is_none(self, ana: Visitor, typed: str) -> None:
        ana.get(f"/en/studies/{ana.slug}?zip={typed}")

        assert ana.status == 200
        assert "away" not in ana.page.one("main").text

    def test_lists_open_studies_at_home(self, ana: Visitor) -> None:
        ana.get("/en/")

        assert f"/en/studies/{ana.slug}" in [a.attrs.get("href") for a in ana.page.all("a")]

    def test_leads_from_the_root_to_the_browsers_language(self, client: FlaskClient) -> None:
        answer = client.get("/", headers={"Accept-Language": "es-MX,es;q=0.9"})

        assert answer.headers["Location"] == "/es/"


class TestLanguages:
    def test_a_language_without_approval_is_not_shown(self, app: Flask, database: Database) -> None:
        only_english = open_study(database, languages=("en",))
        visitor = Visitor(app.test_client(), only_english.study.slug, language="es")
        visitor.get(f"/es/studies/{visitor.slug}")
        assert "solo en inglés" in visitor.page.text

        visitor.begin()

        assert visitor.path == "/en/questions/1"
        assert visitor.heading == "In what month and year were you born?"


class TestRetention:
    def test_prints_the_one_table_on_the_privacy_page(self, ana: Visitor) -> None:
        ana.get("/en/privacy")

        assert "24 hours after the last answer" in ana.page.text
        assert ana.get("/es/privacy").page.text.count("24 horas después de la última respuesta") == 1


class TestTheClock:
    def test_after_hours_the_call_comes_tomorrow(self, app: Flask, ana: Visitor, clock: FixedClock) -> None:
        clock.move_to(datetime(2026, 11, 18, 23, 40, tzinfo=UTC))
        ana.finish(FITTING)
        ana.get("/en/contact").send(CONTACT)

        ana.get("/en/thank-you")

        assert ana.heading == "Thank you. We will call you tomorrow by 9:15 AM (Eastern Standard Time)."

    def test_the_time_is_the_persons_own(self, ana: Visitor) -> None:
        ana.finish(FITTING)
        ana.get("/en/contact").send({**CONTACT, "zip": "90210"})

        ana.get("/en/thank-you")

        assert ana.heading == "Thank you. We will call you today by 9:15 AM (Pacific Standard Time)."
