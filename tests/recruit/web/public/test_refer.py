"""The doctor's form: one patient who agreed, called without ever getting a message unasked."""

import pytest
import sqlalchemy as sa
from flask import Flask

from recruit.contact.models import Consent, ContactChannel
from recruit.db import Database
from recruit.intake.models import Inquiry, InquiryChannel, Medium, SourceLink
from recruit.keys import vault_of
from recruit.matching.models import Match
from recruit.people.models import Person
from recruit.studies.models import Hold, HoldReason
from tests.conftest import NOON
from tests.factories import OpenStudy
from tests.recruit.web.public.visitor import Fields, Visitor
from tests.web_components.dom import parse

NOTE: Fields = {
    "clinician": "Dr. Ines Vega",
    "practice": "Palm Clinic",
    "clinician_phone": "212 555 0177",
    "given": "Otto",
    "family": "Lang",
    "phone": "212 555 0188",
    "language": "es",
    "best_time": "evening",
    "agreed": "yes",
}


@pytest.fixture
def doctor(app: Flask, database: Database, study: OpenStudy) -> Visitor:
    """Give a doctor with the address of the form."""
    with database.transaction(actor="test") as session:
        for code, medium in (("VEGA22", Medium.DOCTOR), ("FLYER7", Medium.POSTER)):
            session.add(
                SourceLink(
                    code=code, medium=medium, channel="practice", study_id=study.study.id, created_at=NOON
                )
            )
    return Visitor(app.test_client(), study.study.slug)


class TestForm:
    def test_takes_a_patient_who_agreed(self, doctor: Visitor, database: Database, codes: list[str]) -> None:
        doctor.get("/en/refer/VEGA22").send(NOTE)

        assert doctor.heading == "Thank you. We have your note."
        with database.reading() as session:
            inquiry = session.scalars(sa.select(Inquiry)).one()
            consent = session.scalars(sa.select(Consent)).one()
            person = session.scalars(sa.select(Person)).one()
            note = vault_of(session).open(
                person.id, "inquiry", "clinician_sealed", inquiry.id, inquiry.clinician_sealed
            )
            assert session.scalars(sa.select(Match)).one().due_at is not None
        assert (inquiry.channel, note) == (InquiryChannel.DOCTOR, "Dr. Ines Vega, Palm Clinic, 212 555 0177")
        assert (consent.channel, consent.how) == (ContactChannel.CALL, "doctor_form")
        assert (person.language, person.best_time) == ("es", "evening")
        assert codes == []

    @pytest.mark.parametrize(
        ("fields", "problem"),
        [
            ({"agreed": ""}, "Confirm that your patient agreed to be contacted"),
            ({"clinician": ""}, "Enter your name"),
            ({"clinician_phone": "12"}, "Enter a telephone number with all its digits, like 555 010 0123."),
            ({"given": ""}, "Enter your patient's first name"),
            ({"phone": ""}, "Enter your patient's phone number"),
            ({"practice": "x" * 500}, "That is too long."),
        ],
    )
    def test_says_what_is_missing(
        self, doctor: Visitor, database: Database, fields: Fields, problem: str
    ) -> None:
        doctor.get("/en/refer/VEGA22").send({**NOTE, **fields})

        assert (doctor.status, doctor.errors) == (422, [problem])
        with database.reading() as session:
            assert session.scalars(sa.select(Person)).all() == []

    def test_sent_twice_counts_once(self, doctor: Visitor, database: Database) -> None:
        doctor.get("/en/refer/VEGA22")
        form = {**doctor.hidden(), **NOTE}

        for _ in range(2):
            doctor.post("/en/refer/VEGA22", form)

        with database.reading() as session:
            assert len(session.scalars(sa.select(Inquiry)).all()) == 1

    @pytest.mark.parametrize("code", ["NOBODY", "FLYER7", "%00", "x" * 400])
    def test_another_address_is_not_found(self, doctor: Visitor, code: str) -> None:
        assert doctor.get(f"/en/refer/{code}").status == 404
        assert doctor.post(f"/en/refer/{code}", NOTE).status == 404

    def test_the_short_address_leads_to_the_browsers_language(self, doctor: Visitor) -> None:
        answer = doctor.client.get("/refer/VEGA22", headers={"Accept-Language": "es"})

        assert answer.headers["Location"] == "/es/refer/VEGA22"

    @pytest.mark.parametrize("path", ["", "/print"])
    def test_a_study_on_hold_takes_nobody_on_the_screen_or_on_paper(
        self, doctor: Visitor, database: Database, study: OpenStudy, path: str
    ) -> None:
        with database.transaction(actor="test") as session:
            session.add(
                Hold(study_id=study.study.id, reason=HoldReason.SPONSOR, effective_at=NOON, placed_by="test")
            )

        doctor.get(f"/en/refer/VEGA22{path}")

        assert "This study is not looking for people right now" in doctor.page.text
        assert "Your patient's name" not in doctor.page.text

    def test_is_there_on_paper_too(self, doctor: Visitor) -> None:
        doctor.get("/es/refer/VEGA22/print")

        assert parse(doctor.html).one("h1").text == "Referir a un paciente"
        assert "/refer/VEGA22" in doctor.page.text
