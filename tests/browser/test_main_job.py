"""The main job: one person's whole way in a real browser, from an empty database, through all roles' pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from recruit import context
from recruit.clock import FixedClock
from recruit.jobs import Loop
from recruit.settings import Environment, Settings
from tests.browser.steps import admin, coordinator, marketer, participant, recruiter, staff
from tests.browser.steps.coordinator import Text
from tests.browser.steps.looking import Looker
from tests.browser.steps.pressing import require_said
from tests.browser.steps.staff import Member
from tests.conftest import NOON
from tests.real_data import DATA
from tests.recruit.interop.records import make_document

pytestmark = pytest.mark.browser
Open = Callable[..., Page]

PHONE = {"width": 360, "height": 740}
PHONE_BROWSER = (
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36"
)
REAL_RECORD = DATA / "ctgov" / "studies" / "NCT04949204.json"
OWN_CRITERIA = """Inclusion Criteria:

* Diagnosis of migraine by a physician
* At least 2 attacks on average in the past
* Owns a smartphone

Exclusion Criteria:

* Unstable disease of any kind in the judgement of the physician
* Participating in other trials"""

MIAMI, HARBOR = "Miami Headache Center", "Harbor Clinic"
ROSA = "Rosa Delgado"
DETAILS = {
    "neutral_name_es": "estudio de salud Faro",
    "nickname": "FARO",
    "safety_contact": "Dr. Vera Lind, +1 555 010 0190",
    "safety_deputy": "Dr. Omar Reyes, +1 555 010 0191",
    "icf_languages": "en, es",
}
RULES = {"smartphone": "has_smartphone is yes", "articipating in other": "in_another_trial is yes"}
MATERIALS = (
    Text("study_page", "Page", "en", "A migraine study in Miami", "We look for adults who have migraine."),
    Text(
        "study_page", "Page", "es", "Un estudio de migraña en Miami", "Buscamos personas adultas con migraña."
    ),
    Text("phone_script", "Script", "es", "", "Hola, soy {agent}. ¿Puede hablar en privado?"),
    Text(
        "sms", "Novedades", "es", "", "Hay novedades sobre el estudio. Responda STOP para no recibir mensajes."
    ),
)
APPROVAL = {
    "irb_name": "Central IRB",
    "submission_number": "2026-0415",
    "decided_on": "2026-10-01",
    "valid_until": "2027-09-30",
}
PLACE = {
    "zone": "America/New_York",
    "street": "100 Palm Avenue",
    "city": "Miami",
    "state": "FL",
    "postcode": "33101",
    "phone": "+1 555 010 0101",
    "languages": "en, es",
}
AT_THE_SITE = {
    "protocol_site_number": "101",
    "study_phone": "+1 555 010 0101",
    "weekly_calls": "40",
    "weekly_visits": "8",
    "irb_name": "Central IRB",
    "irb_number": "IRB-77",
    "approved_on": "2026-10-01",
    "approval_expires_on": "2027-09-30",
}
WORDING = {
    "en": "Do you have a smartphone that you would use for this study?",
    "es": "¿Tiene un teléfono inteligente que usaría para este estudio?",
}
ANSWERS: participant.Answers = {
    "birth": {"answer-month": "5", "answer-year": "1985"},
    "condition_migraine": "yes",
    "has_smartphone": "yes",
    "in_another_trial": "no",
}
CONTACT = {"given": "Rosa", "family": "Delgado", "phone": "305 555 0123", "zip": "33101"}
CONSENTS = {
    "phone_kind": ("mobile",),
    "contact": ("call", "sms"),
    "language": ("es",),
    "best_time": ("any",),
    "check_answers": ("yes",),
}
STAGES = (
    *("Clicks", "Started", "Completed", "May fit", "Contact left", "Contacted", "Referred"),
    *("Visit booked", "Visit attended", "Consented", "Randomized"),
)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Run as a demonstration: only there can the messages be read on a page."""
    return settings.model_copy(update={"environment": Environment.DEMO})


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """Give a real record of the registry, or one of ours where the real data is absent."""
    if REAL_RECORD.exists():
        return REAL_RECORD
    file = tmp_path / "NCT01234567.json"
    file.write_text(json.dumps(make_document({"eligibilityModule.eligibilityCriteria": OWN_CRITERIA})))
    return file


class Journey:
    """The browsers of everybody in one story, and what each has found out."""

    def __init__(self, app: Flask, open_page: Open, clock: FixedClock) -> None:
        self.app, self.open_page, self.clock = app, open_page, clock
        self.looker = Looker()
        self.look = self.looker.look

    def staff_window(self) -> Page:
        """Open a browser for somebody of the staff."""
        return self.open_page("/staff/sign-in")

    def run_jobs(self) -> None:
        """Let the worker do what is due a minute later."""
        self.clock.move_to(self.clock.now() + timedelta(minutes=1))
        application = context.of(self.app)
        Loop(application.database, application.jobs, application.clock).run_once()

    def invite(self, by: Member, name: str, role: str, **place: str) -> Member:
        """Let an administrator invite somebody, who then signs in."""
        return admin.invite(by, name, role, self.staff_window(), look=self.look, **place)

    def prepare_study(self, page: Page, record: Path) -> None:
        """Bring a study from the registry's record to published versions."""
        look = self.look
        coordinator.import_record(page, record, look=look)
        coordinator.fill_in(page, DETAILS, look=look)
        coordinator.tab(page, "Criteria")
        look(page)
        coordinator.write_rule(page, "migraine", slip="condition in (G43", rule="condition in (G43)", look=look)
        coordinator.write_rules(page, RULES)
        coordinator.leave_to_site(page)
        coordinator.propose_questionnaire(page, item="has_smartphone", words=WORDING, look=look)
        coordinator.tab(page, "Criteria")
        coordinator.publish(page, look=look)
        coordinator.tab(page, "Questions")
        coordinator.publish(page, look=look)

    def get_approval(self, page: Page) -> None:
        """Write the materials, record the board's decision and put what it approved to use."""
        for text in MATERIALS:
            coordinator.write_material(page, text, look=self.look)
        coordinator.record_approval(page, APPROVAL, look=self.look)
        coordinator.use_materials(page)

    def open_site(self, page: Page, study: str) -> None:
        """Open the study at a site, after seeing that it cannot open before everything is there."""
        page.goto(study)
        missing = coordinator.add_site(page, f"{MIAMI}, Miami", look=self.look)
        assert "The site has no principal investigator." in missing
        assert "No protocol and questionnaire version is in force." in missing
        coordinator.set_up_site(page, AT_THE_SITE, investigator="Dr. Ruth Okafor")
        coordinator.put_in_force(page, from_day=f"{NOON:%Y-%m-%d}")
        coordinator.activate(page, look=self.look)

    def take_part(self, address: str) -> None:
        """Answer in Spanish on a phone without scripts, leave a contact, and prove the number."""
        twin = self.open_page("/es/", size=PHONE)
        page = self.open_page(address, size=PHONE, scripts=False, locale="es-US", agent=PHONE_BROWSER)

        def look(one: Page) -> None:
            self.looker.look_through(one, twin)

        expect(page.locator("h1")).to_have_text("Un estudio de migraña en Miami")
        participant.begin(page, look=look)
        asked = participant.answer(page, ANSWERS, look=look)
        assert WORDING["es"] in asked
        participant.see_result(page, "Es posible que pueda participar", look=look)
        participant.leave_contact(page, CONTACT, boxes=CONSENTS, look=look)
        self.run_jobs()
        messages = self.open_page("/demo/messages", size=PHONE)
        self.look(messages)
        participant.enter_code(page, participant.read_code(messages), look=look)
        expect(page.locator("h1")).to_contain_text("Gracias. Le llamaremos hoy")

    def call_and_refer(self, page: Page) -> tuple[str, str]:
        """Find the person with reasons, call, and refer; give the page's address and the reference."""
        look = self.look
        recruiter.find_in_queue(page, ROSA, look=look)
        reasons = recruiter.read_reasons(page)
        assert sum(verdict == "Passes" for verdict in reasons.values()) >= 3
        assert "Rules out" not in reasons.values()
        address, reference = page.url, recruiter.reference(page)
        recruiter.log_call(page, "reached", note="Wants to come in the morning.", look=look)
        require_said(page, "Reached")
        recruiter.refer(page, MIAMI, look=look)
        return address, reference

    def bring_to_randomisation(self, by: Member) -> None:
        """Book and attend a visit, correct one wrong entry, consent, randomise."""
        page, look = by.page, self.look
        recruiter.open_referral(page, ROSA, look=look)
        recruiter.book(page, day="2026-11-19", at="10:00")
        look(page, sight="booked")
        self.clock.move_to(NOON + timedelta(days=1))
        staff.sign_in(by, look=look)
        recruiter.open_referral(page, ROSA, look=look)
        recruiter.attend(page)
        recruiter.move(page, "Declined informed consent", happened_on="2026-11-19", look=look)
        recruiter.correct(page, "Declined informed consent", why="Clicked the wrong line")
        look(page, sight="corrected")
        recruiter.move(page, "Signed informed consent", happened_on="2026-11-19", number="101-0001", look=look)
        recruiter.move(page, "In screening", happened_on="2026-11-19", look=look)
        recruiter.move(page, "Randomized", happened_on="2026-11-19", look=look)


def test_one_person_goes_from_a_link_to_randomisation(
    app: Flask, open_page: Open, clock: FixedClock, record: Path
) -> None:
    journey = Journey(app, open_page, clock)
    look = journey.look
    ada = staff.first_administrator(app, journey.staff_window(), look=look)
    carl = journey.invite(ada, "Carl Coordinator", "coordinator")
    for name in (MIAMI, HARBOR):
        coordinator.make_site(carl.page, {**PLACE, "name": name}, look=look)

    journey.prepare_study(carl.page, record)
    study = carl.page.url.rsplit("/", 1)[0]
    journey.get_approval(carl.page)
    journey.open_site(carl.page, study)
    mara = journey.invite(ada, "Mara Marketer", "marketer")
    rita = journey.invite(ada, "Rita Recruiter", "recruiter", site=MIAMI)
    otto = journey.invite(ada, "Otto Other", "recruiter", site=HARBOR)
    journey.take_part(
        marketer.make_link(mara.page, study="FARO", medium="social", channel="Facebook", look=look)
    )
    address, reference = journey.call_and_refer(rita.page)
    admin.refuse(otto, address, status=404)
    admin.refuse(mara, address, status=403)
    said = marketer.send_to_one(
        mara.page, text="Novedades", reference=reference, name="News for one", look=look
    )
    journey.run_jobs()
    journey.bring_to_randomisation(rita)

    assert not {"Rosa", "Delgado", "555", "migraine", "migraña"} & set(said.replace(",", " ").split())
    staff.sign_in(mara, look=look)
    funnel = marketer.read_funnel(mara.page, look=look)
    for source in ("Facebook Social media", "All sources"):
        assert {stage: funnel[source][stage] for stage in STAGES} == dict.fromkeys(STAGES, "1")
        assert funnel[source]["Screen failed"] == "0"
    marketer.require_accepted(mara.page, campaign="News for one")
    staff.sign_in(ada, look=look)
    admin.read_trail(ada, table="referral", look=look)
    admin.end_sessions(ada, rita, look=look)
