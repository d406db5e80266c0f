"""One line of time: events, calls and messages, consents, notes and views, with who and when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from recruit.accounts import queries as accounts
from recruit.accounts.policy import Scope
from recruit.clock import civil_day
from recruit.contact.models import Communication, Consent, ContactChannel, Direction
from recruit.events import Event
from recruit.keys import vault_of
from recruit.matching.history import History
from recruit.matching.models import Match, Note
from recruit.operations.models import ViewLog
from recruit.referrals import reasons
from recruit.referrals.service import CORRECTED, SUBJECT
from recruit.referrals.states import State
from recruit.web.recruiting import clocks, words
from recruit.web.recruiting.reading import uuid_of

PARTICIPANT = "participant"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the line of time."""

    at: datetime
    when: str
    what: str
    who: str
    text: str
    mark: str
    void: bool = False
    event_id: UUID | None = None

    @property
    def datetime(self) -> str:
        """Give the instant for machines."""
        return self.at.isoformat()


@dataclass(frozen=True, slots=True)
class Teller:
    """What an entry needs beside its row: names, words of reasons and criteria, the zone, and the present."""

    zone: str
    now: datetime
    names: Mapping[str, str]
    criteria: Mapping[str, str]
    notes: Mapping[UUID, str]
    reasons: Mapping[str, str]
    visits: Mapping[str, datetime] = field(default_factory=dict)

    def when(self, at: datetime) -> str:
        """Write an instant in the site's clock."""
        return clocks.moment(at, self.zone, now=self.now)

    def who(self, actor: str) -> str:
        """Name who acted."""
        if actor.startswith("account:"):
            return self.names.get(actor) or str(_("Somebody of the staff"))
        return str(_("The person")) if actor == PARTICIPANT else str(_("The system"))


def actors(session: Session, keys: Iterable[str | UUID | None]) -> dict[str, str]:
    """Give the names of staff by the actor that rows name, with one query."""
    found = {key if isinstance(key, UUID) else uuid_of(key.removeprefix("account:")) for key in keys if key}
    named = accounts.names(session, {key for key in found if key is not None})
    return {f"account:{key}": name for key, name in named.items()}


def teller_of(
    session: Session,
    match: Match,
    history: History,
    *,
    zone: str,
    now: datetime,
    criteria: Mapping[str, str],
) -> Teller:
    """Collect what the entries of a history need."""
    keys: list[str | UUID | None] = [event.actor for event in history.events]
    keys += [one.recorded_by for one in history.communications]
    keys += [one.recorded_by for one in history.consents]
    keys += [one.written_by for one in history.notes]
    keys += [one.account_id for one in history.views]
    keys += [str(event.payload.get("to", "")) for event in history.events if event.type == "match.assigned"]
    return Teller(
        zone=zone,
        now=now,
        names=actors(session, keys),
        criteria=criteria,
        notes={note.id: _opened(session, note) for note in history.notes},
        reasons=_reason_words(session, match),
        visits={str(visit.id): visit.starts_at for visit in history.visits.values()},
    )


def entries_of(session: Session, history: History, teller: Teller, *, scope: Scope) -> list[Entry]:
    """Put everything into one line, newest first; what belongs to a study out of scope keeps its time only."""
    found = of_events(history.events, teller)
    corrections = {event.payload.get("note") for event in history.events if event.type == CORRECTED}
    found += [_of_note(note, teller) for note in history.notes if str(note.id) not in corrections]
    found += [of_communication(session, one, teller, scope) for one in history.communications]
    found += _of_consents(history.consents, teller)
    found += _of_views(history.views, teller)
    return sorted(found, key=lambda entry: entry.at, reverse=True)


def of_events(events: Sequence[Event], teller: Teller) -> list[Entry]:
    """Tell events; what a referral says about a visit is told once, and a corrected entry is struck out."""
    voided = {event.voids_id for event in events if event.voids_id}
    told = {
        (str(event.payload.get("visit")), event.type.removeprefix("referral.").removeprefix("visit_"))
        for event in events
        if event.subject_kind == SUBJECT
    }
    shown = [
        event
        for event in events
        if event.subject_kind != "visit"
        or (event.type != "visit.corrected" and (str(event.subject_id), event.type[6:]) not in told)
    ]
    return [entry for event in shown if (entry := of_event(event, teller, void=event.id in voided))]


def of_event(event: Event, teller: Teller, *, void: bool = False) -> Entry | None:
    """Tell one event; a call has its own entry with its note, and a note that an event names stands in it."""
    what = _event_words(event, teller)
    if what is None:
        return None
    return Entry(
        at=event.recorded_at,
        when=teller.when(event.recorded_at),
        what=what,
        who=teller.who(event.actor),
        text=_event_text(event, teller),
        mark=_event_mark(event),
        void=void,
        event_id=event.id,
    )


def _event_words(event: Event, teller: Teller) -> str | None:
    area, _dot, name = event.type.partition(".")
    if event.type == "match.called":
        return None
    if area == "referral" and name in State._value2member_map_:
        return str(words.STATES[State(name)])
    if event.type == "match.assigned":
        to = teller.names.get(f"account:{event.payload.get('to')}")
        return str(_("Assigned to %(name)s", name=to) if to else _("Assigned to nobody"))
    known = words.MATCH_EVENTS.get(event.type)
    return str(known) if known else None


def _event_text(event: Event, teller: Teller) -> str:
    parts = []
    if event.happened_on != _day_of(event, teller):
        parts.append(_("Happened on %(day)s", day=clocks.day(event.happened_on)))
    starts_at = teller.visits.get(str(event.payload.get("visit") or event.subject_id))
    if starts_at is not None:
        parts.append(_("Visit: %(when)s", when=teller.when(starts_at)))
    criterion = event.payload.get("criterion")
    if isinstance(criterion, str):
        parts.append(teller.criteria.get(criterion, criterion))
    reason = event.payload.get("reason")
    if isinstance(reason, str) and reason:
        parts.append(teller.reasons.get(reason) or words.closed_reason(reason))
    until = event.payload.get("until")
    if isinstance(until, str) and until:
        parts.append(_("Until %(day)s", day=clocks.day(date.fromisoformat(until))))
    note = uuid_of(str(event.payload.get("note", "")))
    if note is not None and note in teller.notes:
        parts.append(teller.notes[note])
    return " · ".join(parts)


def _day_of(event: Event, teller: Teller) -> date:
    return civil_day(event.recorded_at, teller.zone)


def _event_mark(event: Event) -> str:
    if event.type.endswith(".corrected"):
        return "undo"
    marks = {"referral": "arrow", "visit": "calendar", "submission": "document", "inquiry": "message"}
    return marks.get(event.type.partition(".")[0], "edit")


def _of_note(note: Note, teller: Teller) -> Entry:
    return Entry(
        at=note.at,
        when=teller.when(note.at),
        what=_("Note for the record") if note.is_record else _("Note"),
        who=teller.who(f"account:{note.written_by}"),
        text=teller.notes[note.id],
        mark="edit",
    )


def of_communication(session: Session, one: Communication, teller: Teller, scope: Scope) -> Entry:
    """Tell one call or message; out of scope it says no more than that there was one."""
    is_ours = one.study_id is None or scope.covers(site_id=one.site_id, study_id=one.study_id)
    channel = _channel_words(one)
    outcome = outcome_words(one)
    came_in = one.direction is Direction.IN
    if not is_ours:
        return Entry(one.at, teller.when(one.at), _("Contact about another study"), "", "", "message")
    return Entry(
        at=one.at,
        when=teller.when(one.at),
        what=_("%(channel)s from the person: %(outcome)s", channel=channel, outcome=outcome)
        if came_in
        else _("%(channel)s: %(outcome)s", channel=channel, outcome=outcome),
        who="" if came_in else teller.who(one.recorded_by),
        text=communication_note(session, one),
        mark=words.CHANNEL_MARKS.get(one.channel, "message"),
    )


def outcome_words(one: Communication) -> str:
    """Say how a call ended or what became of a message."""
    known = words.OUTCOMES.get(one.outcome) or words.SENT.get(one.outcome)
    return str(known or one.outcome.replace("_", " "))


def _channel_words(one: Communication) -> str:
    """Name the channel, and for a message what it was for."""
    channel, purpose = str(words.CHANNELS[one.channel]), words.MESSAGE_PURPOSES.get(one.purpose)
    if purpose is None or one.direction is Direction.IN:
        return channel
    return str(_("%(channel)s, %(purpose)s", channel=channel, purpose=purpose))


def communication_note(session: Session, one: Communication) -> str:
    """Open the note of a call or message."""
    vault = vault_of(session)
    return vault.open(one.person_id, "communication", "note_sealed", one.id, one.note_sealed) or ""


def _of_consents(consents: Iterable[Consent], teller: Teller) -> list[Entry]:
    """Tell consents that were given together as one entry."""
    together: dict[tuple[datetime, bool, str], list[Consent]] = {}
    for consent in consents:
        together.setdefault((consent.at, consent.given, consent.how), []).append(consent)
    found = []
    for (at, given, how), group in together.items():
        said = ", ".join(dict.fromkeys(_consent_words(one) for one in reversed(group)))
        what = _("Agreed: %(what)s", what=said) if given else _("Said no: %(what)s", what=said)
        versions = ", ".join(sorted({one.text_version for one in group}))
        text = _("Text %(version)s, %(how)s", version=versions, how=how.replace("_", " "))
        found.append(Entry(at, teller.when(at), what, teller.who(group[0].recorded_by), text, "check"))
    return found


def _consent_words(one: Consent) -> str:
    purpose = str(words.PURPOSES[one.purpose])
    if one.channel is None or one.channel is ContactChannel.VOICEMAIL:
        return purpose
    return f"{purpose} ({str(words.CHANNELS[one.channel]).lower()})"


def _of_views(views: Iterable[ViewLog], teller: Teller) -> list[Entry]:
    """Tell who looked, once for each day and member of staff."""
    together: dict[tuple[str, UUID], list[ViewLog]] = {}
    for view in views:
        together.setdefault((clocks.local_day(view.at, teller.zone), view.account_id), []).append(view)
    return [
        Entry(
            at=group[0].at,
            when=teller.when(group[0].at),
            what=ngettext("Looked at this page", "Looked at this page %(num)s times", len(group)),
            who=teller.who(f"account:{account_id}"),
            text="",
            mark="person",
        )
        for (_day, account_id), group in together.items()
    ]


def _opened(session: Session, note: Note) -> str:
    vault = vault_of(session)
    return vault.open(note.person_id, "note", "body_sealed", note.id, note.body_sealed) or ""


def _reason_words(session: Session, match: Match) -> dict[str, str]:
    found: dict[str, str] = {}
    for kind in set(reasons.KIND_OF.values()):
        found.update(dict(reasons.choices(session, kind, study_id=match.study_id)))
    return found
