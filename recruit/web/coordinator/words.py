"""The words for states and choices on the coordinators' pages."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, TypedDict

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from recruit.materials.models import Determination, MaterialKind, MaterialState
from recruit.studies.models import (
    EnrolmentCounts,
    HoldReason,
    SitePersonRole,
    StudySiteStatus,
    StudyStatus,
    Team,
    VersionStatus,
)
from recruit.studies.overview import Step
from screening.asking.questionnaire import ConsentPurpose, EarlierWords, Outcome
from screening.language.protocol import CriterionKind
from screening.texts import Respondent
from screening.vocabulary import Answerer, Sensitivity


class Choice(TypedDict):
    """One entry of a list to choose from."""

    value: str
    text: str


_LABELS: Final[dict[type[StrEnum], dict[str, LazyString]]] = {
    StudyStatus: {"draft": _l("In preparation"), "open": _l("Open"), "closed": _l("Closed")},
    StudySiteStatus: {
        "selected": _l("Selected"),
        "start_up": _l("Start-up"),
        "initiated": _l("Initiated"),
        "activated": _l("Activated"),
        "paused": _l("Paused"),
        "enrolment_closed": _l("Enrollment closed"),
        "closed_out": _l("Closed out"),
    },
    VersionStatus: {"draft": _l("Draft"), "published": _l("Published"), "withdrawn": _l("Withdrawn")},
    EnrolmentCounts: {"enrolled": _l("Enrolled"), "randomised": _l("Randomized")},
    Team: {"call_team": _l("Call team"), "site": _l("Site"), "either": _l("Either")},
    HoldReason: {
        "sponsor": _l("Sponsor asked for it"),
        "safety": _l("Safety"),
        "irb": _l("IRB"),
        "capacity": _l("No capacity"),
        "target_reached": _l("Target reached"),
    },
    SitePersonRole: {
        "principal_investigator": _l("Principal investigator"),
        "sub_investigator": _l("Sub-investigator"),
        "study_coordinator": _l("Study coordinator"),
    },
    MaterialKind: {
        "study_page": _l("Study page"),
        "payment": _l("Payment"),
        "travel": _l("Travel"),
        "questions_answered": _l("Questions and answers"),
        "not_recruiting": _l("Not recruiting now"),
        "ad": _l("Ad"),
        "sms": _l("Text message"),
        "email": _l("Email"),
        "voicemail": _l("Voicemail"),
        "phone_script": _l("Phone script"),
        "poster": _l("Poster"),
        "letter": _l("Letter"),
        "tracker": _l("Tracker"),
    },
    MaterialState: {
        "draft": _l("Draft"),
        "internal_review": _l("Internal review"),
        "sponsor_review": _l("Sponsor review"),
        "submitted": _l("Submitted to the IRB"),
        "changes_required": _l("Changes required"),
        "approved": _l("Approved"),
        "in_use": _l("In use"),
        "superseded": _l("Superseded"),
        "expired": _l("Expired"),
        "withdrawn": _l("Withdrawn"),
    },
    Determination: {
        "approved": _l("Approved"),
        "not_required": _l("No approval required"),
        "acknowledged": _l("Acknowledged"),
    },
    Step: {
        "approval_over": _l("Approval has ended"),
        "lift_hold": _l("On hold"),
        "renew_approval": _l("Renew the approval"),
        "publish_amendment": _l("Publish the amendment"),
        "publish_questionnaire": _l("Publish the questionnaire"),
        "put_in_force": _l("Put versions in force"),
        "activate_site": _l("Activate a site"),
        "add_site": _l("Add a site"),
        "write_questionnaire": _l("Write the questionnaire"),
        "confirm_criteria": _l("Confirm the criteria"),
        "nothing": _l("Nothing to do"),
    },
    CriterionKind: {"inclusion": _l("Inclusion"), "exclusion": _l("Exclusion")},
    Answerer: {
        "participant": _l("Participant"),
        "record": _l("Medical record"),
        "laboratory": _l("Laboratory"),
        "clinician": _l("Clinician"),
        "investigator": _l("Investigator"),
    },
    Sensitivity: {
        "flat": _l("Easy: asked first"),
        "normal": _l("Normal"),
        "sensitive": _l("Sensitive: asked last"),
    },
    Respondent: {"self": _l("Me"), "child": _l("My child"), "cared_for": _l("Somebody I care for")},
    Outcome: {
        "may_fit": _l("May fit"),
        "need_to_talk": _l("We need to talk"),
        "not_this_study": _l("Not this study"),
        "later": _l("Later"),
        "waitlist": _l("Waitlist"),
    },
    EarlierWords: {
        "valid": _l("Stays valid"),
        "ask_again": _l("Stays valid; ask again at the next contact"),
        "stop": _l("Is not used any more until they agree again"),
    },
    ConsentPurpose: {
        "check_answers": _l("Check the answers"),
        "contact": _l("Contact about this study"),
        "voicemail": _l("Voicemail that names the study"),
        "registry": _l("Registry for other studies"),
        "partner_site": _l("Partner site"),
        "medical_records": _l("Medical records"),
        "call_recording": _l("Call recording"),
    },
}

_ACTIONS: Final[dict[type[StrEnum], dict[str, LazyString]]] = {
    StudySiteStatus: {
        "selected": _l("Select"),
        "start_up": _l("Begin start-up"),
        "initiated": _l("Initiate"),
        "activated": _l("Activate"),
        "paused": _l("Pause"),
        "enrolment_closed": _l("Close enrollment"),
        "closed_out": _l("Close out"),
    },
    MaterialState: {
        "internal_review": _l("Send to internal review"),
        "sponsor_review": _l("Send to the sponsor"),
        "submitted": _l("Submit to the IRB"),
        "changes_required": _l("Changes are required"),
        "approved": _l("Mark as approved"),
        "in_use": _l("Use it"),
        "withdrawn": _l("Withdraw"),
    },
}

TASKS: Final[dict[str, LazyString]] = {
    "phone_screen": _l("Phone screen"),
    "eligibility": _l("Eligibility"),
    "consent": _l("Informed consent"),
    "visits": _l("Visits"),
    "outcomes": _l("Outcomes"),
    "records": _l("Medical records"),
    "adverse_events": _l("Adverse events"),
}

WEEKDAYS: Final = (
    _l("Monday"),
    _l("Tuesday"),
    _l("Wednesday"),
    _l("Thursday"),
    _l("Friday"),
    _l("Saturday"),
    _l("Sunday"),
)

LANGUAGES: Final[dict[str, str]] = {"en": "English", "es": "Español"}

_TONES: Final[dict[str, str]] = {
    "activated": "good",
    "open": "good",
    "published": "good",
    "approved": "good",
    "acknowledged": "good",
    "in_use": "good",
    "paused": "hold",
    "lift_hold": "hold",
    "approval_over": "bad",
    "expired": "bad",
    "changes_required": "bad",
    "renew_approval": "warn",
    "submitted": "info",
    "internal_review": "info",
    "sponsor_review": "info",
    "publish_amendment": "info",
    "publish_questionnaire": "info",
    "put_in_force": "info",
    "activate_site": "info",
    "not_required": "info",
    "nothing": "good",
}

_ANSWER: Final = _l("Answer")
_PLACES: Final[dict[str, LazyString]] = {
    "text": _l("Question"),
    "hint": _l("Hint"),
    "why_we_ask": _l("Why we ask"),
    "unit_text": _l("Unit"),
    "unknown_text": _l("“I don't know”"),
    "declined_text": _l("“I prefer not to say”"),
    "title": _l("Title"),
    "safety_page": _l("Safety page"),
    "notice.who": _l("Who asks, and what becomes of the answers"),
    "notice.why": _l("Why"),
    "notice.how_long": _l("How long it takes"),
    "notice.what_is_kept": _l("What is kept, how long, and how it is destroyed"),
    "notice.how_to_stop": _l("How to stop"),
    "opening.question": _l("First question"),
    "opening.minor": _l("For a minor who answers alone"),
    "heading": _l("Heading"),
    "body": _l("What it means"),
    "next_steps": _l("What happens next"),
}


def label(member: StrEnum) -> str:
    """Give the word for a state or a choice."""
    return str(_LABELS[type(member)][member.value])


def action(member: StrEnum) -> str:
    """Give the words of the button that leads to a state."""
    return str(_ACTIONS[type(member)].get(member.value) or label(member))


def tone(member: StrEnum) -> str:
    """Give the kind of tag that a state is shown in."""
    return _TONES.get(member.value, "neutral")


def options(members: Iterable[StrEnum], *, blank: str = "") -> list[Choice]:
    """Give a list to choose from, perhaps with an empty first entry."""
    first = [Choice(value="", text=blank)] if blank else []
    return first + [Choice(value=one.value, text=label(one)) for one in members]


def task(name: str) -> str:
    """Give the word for a delegated task."""
    return str(TASKS.get(name, name))


def language(code: str) -> str:
    """Give a language's own name, or its code."""
    return LANGUAGES.get(code, code)


def place(name: str) -> str:
    """Name a place of a questionnaire that holds words."""
    if name in _PLACES:
        return str(_PLACES[name])
    kind, _, rest = name.partition(".")
    if kind == "results":
        outcome, _, part = rest.partition(".")
        return f"{label(Outcome(outcome))}: {place(part)}"
    if kind == "consents":
        return label(ConsentPurpose(rest))
    if kind == "opening":
        return label(Respondent(rest.removeprefix("choices.")))
    if kind == "options":
        code, _, part = rest.rpartition(".")
        return f"{_ANSWER}: {code}" if part == "text" else f"{code}: {place(part)}"
    return rest.removesuffix(".text") or name
