"""How a person can be reached, as the page shows it: each address with what may be done with it now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from recruit import context
from recruit.addresses import show_phone
from recruit.matching import guard
from recruit.matching.guard import Answer, Bar, Guard
from recruit.people import queries as people
from recruit.people.models import ContactKind
from recruit.people.queries import Reachable
from recruit.web.recruiting import clocks, words
from recruit.web.recruiting.scene import Scene


@dataclass(frozen=True, slots=True)
class May:
    """One thing we may do or not, with the reason."""

    what: str
    allowed: bool
    why: str


@dataclass(frozen=True, slots=True)
class Way:
    """One address of a person, in words."""

    point_id: UUID
    address: str
    dial: str
    kind: str
    role: str
    is_phone: bool
    is_verified: bool
    is_wrong: bool
    shared: str
    can_call: bool
    may: list[May]


def ways_of(session: Session, scene: Scene, *, now: datetime) -> list[Way]:
    """List the ways to reach a person, preferred first, dead ones last."""
    found = people.contacts_of(session, scene.members)
    ways = [_way(session, scene, one, now=now) for one in found]
    return sorted(ways, key=lambda way: way.is_wrong)


def _way(session: Session, scene: Scene, one: Reachable, *, now: datetime) -> Way:
    is_phone = one.point.kind is ContactKind.PHONE
    allowed = guard.guard_of(session, scene.match, one, at=now)
    return Way(
        point_id=one.point.id,
        address=show_phone(one.address, country=context.settings().country) if is_phone else one.address,
        dial=one.address,
        kind=str(words.KINDS[one.point.kind]),
        role=str(words.ROLES[one.link.role]),
        is_phone=is_phone,
        is_verified=one.link.verified_at is not None,
        is_wrong=one.point.wrong_number_at is not None,
        shared=_shared(one),
        can_call=allowed.can_call,
        may=_may(allowed, scene.zone, now=now) if is_phone else [],
    )


def _shared(one: Reachable) -> str:
    if not one.shared_with:
        return ""
    return str(
        ngettext("Shared with %(num)s other person", "Shared with %(num)s other people", one.shared_with)
    )


def _may(allowed: Guard, zone: str, *, now: datetime) -> list[May]:
    naming = _("It may name the study.") if allowed.names_study else _("It must not name the study.")
    message = _bar(allowed.message, zone, now=now) or str(naming)
    return [
        May(str(_("Call")), allowed.call.allowed, _bar(allowed.call, zone, now=now)),
        May(str(_("Leave a message")), allowed.message.allowed, message),
        May(
            str(_("Text")),
            allowed.text.allowed,
            "" if allowed.text.allowed else _until(words.text_bar(allowed.text), allowed.text.until, zone, now),
        ),
    ]


def _bar(answer: Answer, zone: str, *, now: datetime) -> str:
    if answer.bar is None:
        return ""
    return _until(str(words.BARS[Bar(answer.bar)]), answer.until, zone, now)


def _until(text: str, until: datetime | None, zone: str, now: datetime) -> str:
    if until is None:
        return text
    return f"{text} {_('From %(when)s.', when=clocks.moment(until, zone, now=now))}"
