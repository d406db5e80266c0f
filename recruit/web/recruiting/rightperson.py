"""Whom to speak with on a call, whose telephone it is, and what to ask before a word about the study."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from flask_babel import force_locale, ngettext
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from recruit.clock import civil_day
from recruit.intake.minors import is_minor
from recruit.intake.models import Submission
from recruit.keys import vault_of
from recruit.people import queries as people
from recruit.people.models import ContactKind, ContactRole
from recruit.people.queries import Known, Reachable
from recruit.web import languages
from recruit.web.recruiting import words
from recruit.web.recruiting.scene import Scene
from screening.texts import Respondent


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence to say aloud; ``meaning`` repeats it in the caller's language where that is another."""

    words: str
    language: str
    meaning: str = ""
    expected: str = ""


@dataclass(frozen=True, slots=True)
class RightPerson:
    """Who answers, what the caller has to know about that, and the sentences that make sure of it."""

    respondent: Respondent
    notice: str
    caution: str
    check: tuple[Line, ...]
    owners: dict[UUID, str]

    @property
    def is_other(self) -> bool:
        """Tell whether somebody else answers for the person."""
        return self.respondent is not Respondent.SELF


def right_person(session: Session, scene: Scene, *, now: datetime) -> RightPerson:
    """Work out whom to speak with, from who answered before, the age, and whose number it is."""
    contacts = people.contacts_of(session, scene.members)
    on = civil_day(now, scene.zone)
    before = _answered_before(session, scene)
    respondent = _respondent(before, scene.known, contacts, on=on)
    adult = _adult(session, contacts)
    notice, caution = _notice(respondent, scene.known, adult, on=on)
    if before is Respondent.CHILD and respondent is Respondent.SELF:
        notice, caution = _of_age(_short(scene.known))
    return RightPerson(
        respondent=respondent,
        notice=notice,
        caution=caution,
        check=_check(respondent, scene, adult),
        owners={one.point.id: _owner(session, one) for one in contacts},
    )


def _answered_before(session: Session, scene: Scene) -> Respondent | None:
    """Say whom the questions of this study were about last time."""
    return session.scalar(
        sa.select(Submission.respondent)
        .where(Submission.person_id.in_(scene.members), Submission.study_id == scene.study.id)
        .order_by(Submission.submitted_at.desc(), Submission.id.desc())
        .limit(1)
    )


def _respondent(
    before: Respondent | None, known: Known, contacts: Sequence[Reachable], *, on: date
) -> Respondent:
    """Say for whom the questions are worded; a birth date counts for more than who answered before."""
    if known.birth is not None and is_minor(known.birth, on=on):
        return Respondent.CHILD
    if before is Respondent.CHILD and known.birth is not None:
        return Respondent.SELF
    if before is None and _first_phone_role(contacts) is ContactRole.GUARDIAN:
        return Respondent.CARED_FOR
    return before or Respondent.SELF


def _first_phone_role(contacts: Sequence[Reachable]) -> ContactRole | None:
    phones = (one for one in contacts if one.point.kind is ContactKind.PHONE)
    return next((one.link.role for one in phones if one.point.wrong_number_at is None), None)


def _adult(session: Session, contacts: Sequence[Reachable]) -> str:
    """Give the name of the parent, guardian or caregiver; a working telephone's before all others'."""
    theirs = [one for one in contacts if one.link.role is ContactRole.GUARDIAN]
    works_first = sorted(
        theirs, key=lambda one: (one.point.kind is not ContactKind.PHONE, one.point.wrong_number_at is not None)
    )
    return next((name for one in works_first if (name := _name(session, one))), "")


def _name(session: Session, one: Reachable) -> str:
    link = one.link
    sealed = link.contact_name_sealed
    opened = vault_of(session).open(link.person_id, "person_contact", "contact_name_sealed", link.id, sealed)
    return opened or ""


def _owner(session: Session, one: Reachable) -> str:
    """Say whose telephone it is; nothing where it is the person's own."""
    if one.link.role is ContactRole.SELF:
        return ""
    return ": ".join(part for part in (str(words.ROLES[one.link.role]), _name(session, one)) if part)


def _short(known: Known) -> str:
    return known.given or known.full_name


def _notice(respondent: Respondent, known: Known, adult: str, *, on: date) -> tuple[str, str]:
    """Say whom to speak with instead, and what to do if the person picks up."""
    name = _short(known)
    if respondent is Respondent.CHILD:
        who = _("Speak with the parent or guardian.")
        if adult:
            who = _("Speak with the parent or guardian: %(adult)s.", adult=adult)
        caution = _("If the child answers, ask for the parent or guardian and say nothing about the study.")
        return f"{_child(known, on=on)} {who}", str(caution)
    if respondent is Respondent.CARED_FOR:
        who = (
            _("Speak with the caregiver: %(adult)s.", adult=adult) if adult else _("Speak with the caregiver.")
        )
        return f"{_('Somebody else answers for %(name)s.', name=name)} {who}", ""
    return "", ""


def _child(known: Known, *, on: date) -> str:
    name, born = _short(known), known.birth
    if born is None:
        return str(_("%(name)s is a child.", name=name))
    age = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    return str(ngettext("%(name)s is %(num)s year old.", "%(name)s is %(num)s years old.", age, name=name))


def _of_age(name: str) -> tuple[str, str]:
    """Tell about somebody for whom a parent answered and who has come of age since."""
    notice = _("%(name)s is of age now. Speak with %(name)s.", name=name)
    caution = _("A parent or guardian answered before. From now on %(name)s has to agree in person.", name=name)
    return str(notice), str(caution)


def _check(respondent: Respondent, scene: Scene, adult: str) -> tuple[Line, ...]:
    """Give the sentences of the check: who is there, a year of birth, and a private time."""
    tongue, name, born = scene.person.language, _short(scene.known), scene.known.birth
    lines = [_said(tongue, lambda: _asks_for(respondent, name, adult))]
    if born is not None:
        expected = _expected(respondent, name, born.year)
        lines.append(_said(tongue, lambda: _asks_year(respondent, name), expected=expected))
    return (*lines, _said(tongue, lambda: str(_("“Is this a private time?”"))))


def _asks_for(respondent: Respondent, name: str, adult: str) -> str:
    if respondent is Respondent.SELF or adult:
        asked = name if respondent is Respondent.SELF else adult
        return str(_("“Am I speaking with %(name)s?”", name=asked))
    if respondent is Respondent.CHILD:
        return str(_("“Am I speaking with the parent or guardian of %(name)s?”", name=name))
    return str(_("“Am I speaking with the person who cares for %(name)s?”", name=name))


def _asks_year(respondent: Respondent, name: str) -> str:
    if respondent is Respondent.SELF:
        return str(_("“In which year were you born?”"))
    return str(_("“In which year was %(name)s born?”", name=name))


def _expected(respondent: Respondent, name: str, year: int) -> str:
    if respondent is Respondent.SELF:
        return str(_("It should be %(year)s.", year=year))
    if respondent is Respondent.CHILD:
        return str(_("It should be %(year)s, the child's year of birth.", year=year))
    return str(_("It should be %(year)s, the year of birth of %(name)s.", year=year, name=name))


def _said(tongue: str, sentence: Callable[[], str], *, expected: str = "") -> Line:
    """Say a sentence in the person's language where the interface has it, beside the caller's own."""
    meaning, own = sentence(), languages.current()
    tongue = tongue.partition("-")[0]
    if tongue not in languages.LANGUAGES:
        return Line(meaning, own, expected=expected)
    with force_locale(tongue):
        spoken = sentence()
    if spoken == meaning:  # the same language, or a sentence not yet translated
        return Line(meaning, own, expected=expected)
    return Line(spoken, tongue, meaning, expected)
