"""What the desk calls things: states, outcomes and reasons as staff read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from babel import Locale
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from recruit.contact.models import ContactChannel, Purpose
from recruit.contact.policy import MessagePurpose, say
from recruit.events import Channel
from recruit.intake.models import Entrance, InquiryChannel, Medium
from recruit.matching.guard import Bar, TextAnswer
from recruit.matching.models import DueReason, Match, Triage
from recruit.matching.plan import CallOutcome
from recruit.matching.queries import View
from recruit.people.models import ContactKind, ContactRole
from recruit.referrals.states import AFTER_CONSENT, CLOSED, State
from recruit.studies.models import HoldReason
from recruit.visits.models import CancelledBy, VisitKind, VisitStatus
from recruit.web import languages
from screening.asking.questionnaire import Outcome
from screening.verdict import Disposition

Words = Mapping[str, LazyString]


class Badge(TypedDict):
    """A state in a word, with the tone it is shown in."""

    text: str
    kind: str


VIEWS: Words = {
    View.NOW: _l("Needs you now"),
    View.LATER: _l("Later"),
    View.HELD: _l("On hold"),
    View.WAITING: _l("Waiting"),
    View.REFERRED: _l("Referred"),
    View.CLOSED: _l("Closed"),
}
DISPOSITIONS: Mapping[Disposition | None, tuple[LazyString, str]] = {
    Disposition.CANDIDATE: (_l("May fit"), "good"),
    Disposition.POTENTIAL_CANDIDATE: (_l("Ask more"), "info"),
    Disposition.INELIGIBLE: (_l("Ruled out"), "bad"),
    None: (_l("Not assessed"), "neutral"),
}
DUE: Words = {
    DueReason.FIRST_CALL: _l("First call"),
    DueReason.NEXT_TRY: _l("Try again"),
    DueReason.PROMISE: _l("Promised call"),
    DueReason.DECIDE: _l("Spoken to: decide the next step"),
    DueReason.SNOOZED: _l("Put aside until now"),
    DueReason.DEFERRED: _l("Deferred until now"),
    DueReason.NO_SHOW: _l("Did not come to the visit: call today"),
    DueReason.VISIT_CANCELLED: _l("Visit called off: book another"),
    DueReason.RETURNED: _l("Back from the site: find another way"),
    DueReason.REOPENED: _l("Came back: call again"),
    DueReason.OTHER_CHANNEL: _l("Number is wrong: try another way"),
}
TRIAGE: Words = {
    Triage.TO_CALL: _l("To call"),
    Triage.SNOOZED: _l("Put aside"),
    Triage.REFERRED: _l("Referred"),
    Triage.CLOSED: _l("Closed"),
    Triage.HELD: _l("On hold"),
    Triage.WAITLISTED: _l("Waitlisted"),
    Triage.DEFERRED: _l("Deferred"),
}
OUTCOMES: Words = {
    CallOutcome.REACHED: _l("Reached"),
    CallOutcome.CALL_BACK: _l("Call back at a time"),
    CallOutcome.NO_ANSWER: _l("No answer"),
    CallOutcome.LEFT_MESSAGE: _l("Left a message"),
    CallOutcome.BUSY: _l("Busy"),
    CallOutcome.VOICEMAIL_FULL: _l("Voicemail full"),
    CallOutcome.WRONG_NUMBER: _l("Wrong number"),
    CallOutcome.DISCONNECTED: _l("Number disconnected"),
    CallOutcome.DECLINED_TO_TALK: _l("Declined to talk"),
}
SENT: Words = {"handed_over": _l("Sent")}
MESSAGE_PURPOSES: Words = {
    MessagePurpose.VERIFICATION: _l("code to confirm the address"),
    MessagePurpose.SERVICE: _l("about their request"),
    MessagePurpose.STUDY: _l("about the study"),
    MessagePurpose.INVITATION: _l("invitation"),
}
STATES: Words = {
    State.REFERRED: _l("Referred"),
    State.ACKNOWLEDGED: _l("Acknowledged by the site"),
    State.CONTACT_ATTEMPTED: _l("Contact attempted"),
    State.CONTACTED: _l("Contacted"),
    State.PHONE_SCREEN_PASSED: _l("Phone screen passed"),
    State.PHONE_SCREEN_FAILED: _l("Phone screen failed"),
    State.VISIT_BOOKED: _l("Visit booked"),
    State.VISIT_ATTENDED: _l("Visit attended"),
    State.NO_SHOW: _l("Did not come"),
    State.CONSENTED: _l("Signed informed consent"),
    State.CONSENT_DECLINED: _l("Declined informed consent"),
    State.IN_SCREENING: _l("In screening"),
    State.SCREEN_FAILED: _l("Screen failed"),
    State.ENROLLED: _l("Enrolled"),
    State.RANDOMISED: _l("Randomized"),
    State.COMPLETED: _l("Completed"),
    State.DISCONTINUED: _l("Discontinued"),
    State.DEFERRED: _l("Deferred"),
    State.RECORDS_PENDING: _l("Waiting for records"),
    State.NOT_INTERESTED: _l("Not interested"),
    State.COULD_NOT_REACH: _l("Could not reach"),
    State.DUPLICATE: _l("Duplicate"),
    State.RETURNED_BY_SITE: _l("Returned by the site"),
    State.TRANSFERRED: _l("Transferred to another site"),
    State.STUDY_CLOSED: _l("Study closed"),
    State.WITHDRAWN: _l("Withdrawn"),
}
MATCH_EVENTS: Words = {
    "match.snoozed": _l("Put aside"),
    "match.closed": _l("Closed"),
    "match.reopened": _l("Reopened"),
    "match.assigned": _l("Assigned"),
    "match.answers_confirmed": _l("Went through the questions"),
    "match.overridden": _l("Saw a criterion differently"),
    "match.override_withdrawn": _l("Took back a verdict on a criterion"),
    "submission.received": _l("Answers received"),
    "inquiry.received": _l("Left a contact"),
    "person.merged": _l("Merged with another entry"),
    "person.unmerged": _l("Merge taken back"),
    "person.do_not_contact": _l("Asked not to be contacted"),
    "referral.corrected": _l("Entry corrected"),
    "visit.booked": _l("Visit booked"),
    "visit.confirmed": _l("Visit confirmed"),
    "visit.rescheduled": _l("Visit rescheduled"),
    "visit.cancelled": _l("Visit called off"),
    "visit.attended": _l("Came to the visit"),
    "visit.no_show": _l("Did not come to the visit"),
    "visit.corrected": _l("Visit entry corrected"),
}
CLOSE_REASONS: Words = {
    "not_interested": _l("Not interested"),
    "could_not_reach": _l("Could not reach"),
    "ruled_out": _l("A criterion rules out"),
    "duplicate": _l("Duplicate"),
    "do_not_contact": _l("Asked not to be contacted"),
    "other_study": _l("Joined another study"),
    "language": _l("No common language"),
    "area": _l("No site near enough"),
    "test": _l("Test entry"),
}
CLOSES_BY_HAND = ("not_interested", "could_not_reach", "other_study", "area", "language", "duplicate", "test")
BARS: Words = {
    Bar.DO_NOT_CONTACT: _l("This person asked not to be contacted."),
    Bar.WRONG_NUMBER: _l("This number belongs to somebody else, or to nobody."),
    Bar.CLOSED: _l("This number is closed for it."),
    Bar.NOT_ASKED_FOR: _l("The person did not agree to calls about this study at this number."),
    Bar.HOURS: _l("It is outside the hours in which this person may be called."),
    Bar.NOT_A_PHONE: _l("This is not a telephone."),
}
PURPOSES: Words = {
    Purpose.CHECK_ANSWERS: _l("Use the answers"),
    Purpose.CONTACT: _l("Be contacted"),
    Purpose.VOICEMAIL_NAMING_STUDY: _l("Voicemail that names the study"),
    Purpose.REGISTRY: _l("Registry"),
    Purpose.PARTNER_SITE: _l("Pass on to a site"),
    Purpose.MEDICAL_RECORDS: _l("Medical records"),
    Purpose.CALL_RECORDING: _l("Call recording"),
}
CHANNELS: Words = {
    ContactChannel.CALL: _l("Call"),
    ContactChannel.SMS: _l("Text"),
    ContactChannel.EMAIL: _l("Email"),
    ContactChannel.POST: _l("Letter"),
    ContactChannel.VOICEMAIL: _l("Voicemail"),
    ContactChannel.IN_PERSON: _l("In person"),
}
CHANNEL_MARKS: Mapping[ContactChannel, str] = {
    ContactChannel.CALL: "phone",
    ContactChannel.VOICEMAIL: "phone",
    ContactChannel.IN_PERSON: "person",
}
KINDS: Words = {
    ContactKind.PHONE: _l("Phone"),
    ContactKind.EMAIL: _l("Email"),
    ContactKind.POST: _l("Post"),
}
ROLES: Words = {
    ContactRole.SELF: _l("Own"),
    ContactRole.GUARDIAN: _l("Parent, guardian or caregiver"),
    ContactRole.HOUSEHOLD: _l("Shared at home"),
}
VISIT_KINDS: Words = {
    VisitKind.SCREENING: _l("Screening visit"),
    VisitKind.BASELINE: _l("Baseline visit"),
    VisitKind.STUDY: _l("Study visit"),
    VisitKind.PHONE: _l("Phone visit"),
}
VISIT_STATES: Mapping[VisitStatus, tuple[LazyString, str]] = {
    VisitStatus.BOOKED: (_l("Booked"), "info"),
    VisitStatus.CONFIRMED: (_l("Confirmed"), "good"),
    VisitStatus.RESCHEDULED: (_l("Rescheduled"), "neutral"),
    VisitStatus.CANCELLED: (_l("Called off"), "neutral"),
    VisitStatus.ATTENDED: (_l("Attended"), "good"),
    VisitStatus.NO_SHOW: (_l("Did not come"), "warn"),
}
CANCELLED_BY: Words = {
    CancelledBy.PARTICIPANT: _l("The participant"),
    CancelledBy.SITE: _l("The site"),
    CancelledBy.STUDY: _l("The study"),
}
CANCEL_REASONS: Words = {
    "illness": _l("Ill"),
    "time": _l("No time"),
    "transport": _l("No transport"),
    "changed_mind": _l("Changed their mind"),
    "staff": _l("Staff not available"),
    "hold": _l("Recruiting on hold"),
    "other": _l("Other"),
    "referral_closed": _l("The referral ended"),
    "entered_by_mistake": _l("Entered by mistake"),
}
CANCELS_BY_HAND = ("illness", "time", "transport", "changed_mind", "staff", "hold", "other")
REPORTERS: Words = {
    Channel.SITE: _l("The site"),
    Channel.CALL_TEAM: _l("The call team"),
    Channel.CALL_TEAM_FOR_SITE: _l("The call team, told by the site"),
}
HOLD_REASONS: Words = {
    HoldReason.SPONSOR: _l("the sponsor asked for it"),
    HoldReason.SAFETY: _l("safety"),
    HoldReason.IRB: _l("the IRB asked for it"),
    HoldReason.CAPACITY: _l("no capacity"),
    HoldReason.TARGET_REACHED: _l("target reached"),
}
MEDIA: Words = {
    Medium.SOCIAL: _l("Social media"),
    Medium.SEARCH: _l("Internet search"),
    Medium.DISPLAY: _l("Internet ad"),
    Medium.EMAIL: _l("Email"),
    Medium.SMS: _l("Text message"),
    Medium.POSTER: _l("Poster or flyer"),
    Medium.RADIO: _l("Radio or television"),
    Medium.EVENT: _l("Event"),
    Medium.DOCTOR: _l("Doctor or clinic"),
    Medium.PARTNER: _l("Partner organization"),
    Medium.SITE: _l("Study site"),
    Medium.WORD_OF_MOUTH: _l("Friend or family"),
    Medium.OTHER: _l("Something else"),
}
ENTRANCES: Words = {
    Entrance.ONLINE: _l("online"),
    Entrance.ASSISTED_CALL: _l("by phone"),
    Entrance.WALK_IN: _l("in person"),
    Entrance.KIOSK: _l("at a kiosk"),
    Entrance.PREVIEW: _l("preview"),
}
INQUIRIES: Words = {
    InquiryChannel.FORM: _l("form"),
    InquiryChannel.CSV: _l("list"),
    InquiryChannel.WEBHOOK: _l("ad platform"),
    InquiryChannel.API: _l("partner system"),
    InquiryChannel.HAND: _l("by hand"),
    InquiryChannel.DOCTOR: _l("doctor's form"),
    InquiryChannel.MISSED_CALL: _l("missed call"),
}
RESULTS: Words = {
    Outcome.MAY_FIT: _l("may fit"),
    Outcome.NEED_TO_TALK: _l("we need to talk"),
    Outcome.NOT_THIS_STUDY: _l("not this study"),
    Outcome.LATER: _l("later"),
    Outcome.WAITLIST: _l("waitlist"),
}
BEST_TIMES: Words = {
    "": _l("Any time"),
    "any": _l("Any time"),
    "morning": _l("Mornings"),
    "afternoon": _l("Afternoons"),
    "evening": _l("Evenings"),
}


def options(offered: Words) -> list[dict[str, str]]:
    """Give the options of a choice, in the table's order."""
    return [{"value": code, "text": str(text)} for code, text in offered.items()]


def disposition(match: Match) -> Badge:
    """Name where somebody stands, in the tone of it."""
    return disposition_badge(match.effective_disposition)


def disposition_badge(of: Disposition | None) -> Badge:
    """Name a disposition, in the tone of it."""
    text, kind = DISPOSITIONS[of]
    return Badge(text=str(text), kind=kind)


def state(of: State) -> Badge:
    """Name the state of a referral, in the tone of it."""
    if of in (State.RANDOMISED, State.ENROLLED, State.COMPLETED):
        kind = "good"
    elif of is State.NO_SHOW:
        kind = "warn"
    else:
        kind = "neutral" if of in CLOSED and of not in AFTER_CONSENT else "info"
    return Badge(text=str(STATES[of]), kind=kind)


def visit_status(of: VisitStatus) -> Badge:
    """Name the status of a visit, in the tone of it."""
    text, kind = VISIT_STATES[of]
    return Badge(text=str(text), kind=kind)


def closed_reason(code: str) -> str:
    """Say why somebody left the queue."""
    if code in CLOSE_REASONS:
        return str(CLOSE_REASONS[code])
    return str(STATES[State(code)]) if code in State._value2member_map_ else code.replace("_", " ")


def text_bar(answer: TextAnswer) -> str:
    """Say why no text may be sent."""
    return say(answer.reason) if answer.reason else str(BARS[Bar.NOT_A_PHONE])


def best_time(code: str) -> str:
    """Say when somebody likes to be called; own words stand as they are."""
    return str(BEST_TIMES[code]) if code in BEST_TIMES else code


def language(code: str) -> str:
    """Name a language in the language of the page."""
    try:
        name = Locale.parse(code, sep="-").get_display_name(languages.current())
    except ValueError:
        return code
    return (name or code).capitalize()
