"""What a version of the criteria changes, word by word and for the people in play, before it is in force."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from flask import redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy.orm import Session

from recruit import context
from recruit.accounts.models import Role
from recruit.matching import consequences, tallies
from recruit.matching.consequences import Known, Touched
from recruit.matching.floor import HIDDEN, Count
from recruit.matching.tallies import COHORTS, Place, Shift, Stands, Told, Why
from recruit.studies import overview, queries, reading, versions
from recruit.studies.models import ProtocolVersion, QuestionnaireVersion, Site, Study, StudySite, VersionInForce
from recruit.studies.queries import InForce
from recruit.vocabulary import vocabulary_of
from recruit.web import identity, languages
from recruit.web.coordinator import frame, words
from recruit.web.coordinator.blueprint import bp
from recruit.web.coordinator.differences import Differing, differing
from recruit.web.coordinator.frame import Failed
from recruit.web.coordinator.reading import Posted
from recruit.web.coordinator.version import study_id_of, to_change, to_read
from recruit.web.guards import allow
from recruit.web.recruiting.words import DISPOSITIONS, STATES
from screening.asking.items import fact_keys
from screening.assessment.amendment import Cause
from screening.errors import UnknownKey
from screening.floor import FLOOR
from screening.language.protocol import Criterion
from screening.vocabulary import Key, Vocabulary

LISTED: Final = 200
"""Open referrals that the page names; beyond, it counts."""
SHIFTS: Final = {
    Shift.OUT: _l("Would no longer fit"),
    Shift.BACK: _l("Would not be ruled out any more"),
    Shift.MORE_TO_ASK: _l("Would have to be asked more"),
    Shift.LESS_TO_ASK: _l("Would have nothing left to be asked"),
    Shift.NONE: _l("Stay where they are"),
}
CAUSES: Final = {
    Cause.ADDED: _l("Added"),
    Cause.REMOVED: _l("Removed"),
    Cause.CHANGED: _l("Changed"),
    Cause.VERDICT: _l("Staff saw it differently, and that lapses with the version"),
    Cause.CONTEXT: _l("Reads as before; its days or cohorts are others"),
}


STANDING: Final = {
    Stands.JUDGED: _l("Judged by both versions"),
    Stands.SIGNED: _l("Signed informed consent: they stay on the version they signed"),
    Stands.ON_IT: _l("Judged by this version or a later one already"),
    Stands.NOTHING_IN_FORCE: _l("No version in force at their site"),
}


@dataclass(frozen=True, slots=True)
class Base:
    """A version that this one is laid beside, and the sites where it is in force."""

    version: ProtocolVersion
    sites: tuple[str, ...]
    differing: tuple[Differing, ...]


@dataclass(frozen=True, slots=True)
class SiteRow:
    """One site: what is in force there now, and from when this version would be."""

    study_site: StudySite
    site: Site
    in_force: InForce | None
    planned: date | None
    is_on_it: bool
    out: Count | None
    touched: int | None


@dataclass(frozen=True, slots=True)
class MoveRow:
    """What would change for how many people; ``move`` splits the row before by from where to where."""

    text: str
    move: tuple[str, ...]
    count: Count


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """One criterion, what became of it, and how many people that moves in one way."""

    number: str
    text: str
    cause: str
    effect: str
    count: Count


@dataclass(frozen=True, slots=True)
class FactRow:
    """A fact that only this version reads, who lacks it, and which questionnaires in use ask for it."""

    name: str
    lacking: Count
    can_be_asked: bool
    asked_in: tuple[int, ...]
    not_in: tuple[int, ...]
    newest: int | None


@dataclass(frozen=True, slots=True)
class ReferralRow:
    """An open referral that is touched, never whose it is; a link for those who may open it."""

    reference: str
    site: str
    state: str
    url: str | None


@bp.get("/protocol-versions/<uuid:version_id>/changes")
@allow(Role.COORDINATOR, Role.AUDITOR)
def criteria_changes(version_id: UUID) -> ResponseReturnValue:
    """Show what a version changes against those in force, and for whom."""
    return _page(version_id)


@bp.post("/protocol-versions/<uuid:version_id>/changes")
@allow(Role.COORDINATOR)
def count_changes(version_id: UUID) -> ResponseReturnValue:
    """Ask for the people of a large study to be counted beside requests."""
    posted = Posted()
    study_id_of(ProtocolVersion, version_id)

    def work(session: Session) -> None:
        to_change(session, ProtocolVersion, version_id)
        consequences.ask(session, version_id, at=context.now())

    failed = frame.attempt(posted, work, reason="amendment:ask")
    if failed:
        return _page(version_id, failed)
    return redirect(url_for("studies.criteria_changes", version_id=version_id, _anchor="people"), 303)


def is_to_come(session: Session, version: ProtocolVersion) -> bool:
    """Say whether an older version is in force somewhere within one's scope."""
    return any(
        used is not None and used.protocol.number < version.number
        for _row, _site, used in _in_use(session, version.study_id)
    )


def ahead_of(session: Session, study_site: StudySite, in_force: InForce | None) -> ProtocolVersion | None:
    """Give the newest published version where it is newer than what a site has in force."""
    newest = versions.newest_published(session, ProtocolVersion, study_site.study_id)
    if newest is None or in_force is None or newest.number <= in_force.protocol.number:
        return None
    return newest


def sentence_for(version: ProtocolVersion, study_site_id: UUID) -> str:
    """Say in a line what a version would change at a site; empty where it has not been counted."""
    try:
        known = consequences.known(context.database(), version.id, frame.reading_scope(), at=context.now())
    except UnknownKey:
        return ""
    if known.tally is None or known.touched is None:
        return ""
    out = tallies.told(known.tally).out.get(study_site_id, Count(0))
    return sentence(out, sum(one.study_site_id == study_site_id for one in known.touched))


def sentence(out: Count, touched: int | None) -> str:
    """Say how many would no longer fit, and how many open referrals are touched."""
    return " ".join(part for part in (_said_of(out), _said_of_referrals(touched)) if part)


def _said_of(out: Count) -> str:
    if out.is_small:
        return str(_("Fewer than %(floor)s people would no longer fit.", floor=FLOOR))
    if out.number is None:
        return str(_("How many people would no longer fit is not shown here, because numbers are small."))
    if out.number == 0:
        return str(_("Nobody who fits now would be ruled out."))
    return str(
        ngettext("%(num)s person would no longer fit.", "%(num)s people would no longer fit.", out.number)
    )


def _said_of_referrals(touched: int | None) -> str:
    if touched is None:
        return ""
    if touched == 0:
        return str(_("No open referral is touched."))
    return str(ngettext("%(num)s open referral is touched.", "%(num)s open referrals are touched.", touched))


def _page(version_id: UUID, failed: Failed | None = None) -> ResponseReturnValue:
    try:
        known = _known(version_id)
    except UnknownKey:
        known = None
    told = tallies.told(known.tally) if known is not None and known.tally is not None else None
    with context.reading() as session:
        version, study = to_read(session, ProtocolVersion, version_id)
        in_use = _in_use(session, study.id)
        bases = _bases(session, version, in_use)
        parts = {
            "version": version,
            "bases": bases,
            "sites": _sites(session, version, in_use, told, known),
            "reasons": _reasons(version, [one.version for one in bases], told),
            "facts": _facts(session, study, version, bases, in_use, told),
            "referrals": _referrals(session, study, known),
        }
    return frame.page(
        "studies/changes.html",
        failed=failed,
        words=words,
        known=known,
        told=told,
        shifts=SHIFTS,
        shift=Shift,
        standing=[(STANDING[one], told.people[one]) for one in Stands if told.people.get(one)] if told else [],
        bars=_bars(told) if told else [],
        moves=list(_moves(told)) if told else [],
        summary=sentence(told.shifts[Shift.OUT], _touched_by_site(known)[1]) if told else "",
        floor=FLOOR,
        listed=LISTED,
        in_request=consequences.IN_REQUEST,
        parts={**parts, **frame.study_parts(study, "criteria")},
    )


def _known(version_id: UUID) -> Known | None:
    """Count within one's scope.

    :raises NotFound: the version is somebody else's
    :raises UnknownKey: when a criterion names a key that the vocabulary lacks
    """
    study_id_of(ProtocolVersion, version_id)
    return consequences.known(context.database(), version_id, frame.reading_scope(), at=context.now())


_Used = Sequence[tuple[StudySite, Site, InForce | None]]


def _in_use(session: Session, study_id: UUID) -> _Used:
    """List the sites within one's scope, each with what is in force there today."""
    pairs = overview.sites_of(session, study_id, frame.reading_scope())
    return [
        (row, site, queries.in_force(session, row.id, on=overview.today_at(site, context.now())))
        for row, site in pairs
    ]


def _bases(session: Session, version: ProtocolVersion, in_use: _Used) -> list[Base]:
    """Lay a version beside each older one that is in force; before any is, beside the one before it."""
    places: defaultdict[UUID, list[str]] = defaultdict(list)
    older: dict[UUID, ProtocolVersion] = {}
    for _row, site, used in in_use:
        if used is not None and used.protocol.number < version.number:
            older[used.protocol.id] = used.protocol
            places[used.protocol.id].append(site.name)
    if not older:
        rows = versions.versions_of(session, ProtocolVersion, version.study_id)
        older = {row.id: row for row in [row for row in rows if row.number < version.number][:1]}
    new = reading.protocol_of(version)
    return [
        Base(old, tuple(places[old.id]), tuple(differing(reading.protocol_of(old), new)))
        for old in sorted(older.values(), key=lambda one: -one.number)
    ]


def _sites(
    session: Session, version: ProtocolVersion, in_use: _Used, told: Told | None, known: Known | None
) -> list[SiteRow]:
    touched, _total = _touched_by_site(known)
    planned = _planned(session, version, [row.id for row, _site, _used in in_use])
    return [
        SiteRow(
            row,
            site,
            used,
            planned.get(row.id),
            used is not None and used.protocol.number >= version.number,
            told.out.get(row.id, Count(0)) if told else None,
            touched[row.id] if touched is not None else None,
        )
        for row, site, used in in_use
    ]


def _planned(session: Session, version: ProtocolVersion, study_site_ids: Sequence[UUID]) -> dict[UUID, date]:
    """Give the first day from which a version is in force at each site, or would be."""
    query = (
        sa.select(VersionInForce.study_site_id, sa.func.min(VersionInForce.effective_from))
        .where(VersionInForce.protocol_version_id == version.id)
        .where(VersionInForce.study_site_id.in_(study_site_ids))
        .group_by(VersionInForce.study_site_id)
    )
    return {study_site_id: day for study_site_id, day in session.execute(query)}


def _touched_by_site(known: Known | None) -> tuple[Counter[Place] | None, int | None]:
    if known is None or known.touched is None:
        return None, None
    return Counter(one.study_site_id for one in known.touched), len(known.touched)


def _bars(told: Told) -> list[dict[str, object]]:
    """Draw what is shown as a number."""
    shown = ((one, told.shifts[one].number) for one in Shift)
    return [
        {"label": SHIFTS[one], "value": number, "second": one is Shift.NONE} for one, number in shown if number
    ]


def _moves(told: Told) -> Iterator[MoveRow]:
    for one, text in SHIFTS.items():
        yield MoveRow(str(text), (), told.shifts[one])
        for (before, after), count in sorted(told.moves.get(one, {}).items()):
            stands = tuple(dict.fromkeys(str(DISPOSITIONS[end][0]) for end in (before, after)))
            yield MoveRow("", stands, count)


def _reasons(version: ProtocolVersion, bases: Sequence[ProtocolVersion], told: Told | None) -> list[ReasonRow]:
    """List the criteria that move people, in the order of the version; those taken out come last."""
    if told is None:
        return []
    known: dict[str, Criterion] = {}
    for one in (version, *bases):
        for criterion in reading.protocol_of(one).criteria:
            known.setdefault(criterion.lineage, criterion)
    places = {lineage: place for place, lineage in enumerate(known)}

    def place(why: Why) -> tuple[int, str]:
        return places.get(why[0], len(places)), why[1] or ""

    return [
        _reason(why, shift, known.get(why[0]), count)
        for why in sorted(told.reasons, key=place)
        for shift, count in told.reasons[why].items()
    ]


def _reason(why: Why, shift: Shift, criterion: Criterion | None, count: Count) -> ReasonRow:
    effect = str(SHIFTS[shift])
    if why == COHORTS or why[1] is None:
        return ReasonRow("", _("Which cohorts there are"), _("Changed"), effect, count)
    if criterion is None:  # of a draft that was changed after it was counted
        return ReasonRow("", _("A criterion that was taken out since"), str(CAUSES[why[1]]), effect, count)
    return ReasonRow(criterion.number, criterion.text, str(CAUSES[why[1]]), effect, count)


def _facts(
    session: Session,
    study: Study,
    version: ProtocolVersion,
    bases: Sequence[Base],
    in_use: _Used,
    told: Told | None,
) -> list[FactRow]:
    """List the facts that only this version reads, with who lacks them and where they are asked for."""
    vocabulary = vocabulary_of(session, study.id)
    names = _new_keys(version, bases, vocabulary)
    used = {one.questionnaire.id: one.questionnaire for _row, _site, one in in_use if one is not None}
    newest = versions.newest_published(session, QuestionnaireVersion, study.id)
    asks = {one.id: _asked(one) for one in (*used.values(), *([newest] if newest else []))}

    def row(key: Key) -> FactRow:
        return FactRow(
            key.text("label", languages.current()),
            told.lacking.get(key.name, Count(0)) if told else HIDDEN,
            key.participant_can_tell,
            tuple(sorted(one.number for one in used.values() if key.name in asks[one.id])),
            tuple(sorted(one.number for one in used.values() if key.name not in asks[one.id])),
            newest.number if newest and newest.id not in used and key.name in asks[newest.id] else None,
        )

    return [row(vocabulary[name]) for name in names]


def _new_keys(version: ProtocolVersion, bases: Sequence[Base], vocabulary: Vocabulary) -> list[str]:
    try:
        return sorted(
            {
                name
                for base in bases
                for name in consequences.laid_beside(base.version, version, vocabulary=vocabulary).new_keys
            }
        )
    except UnknownKey:
        return []


def _asked(version: QuestionnaireVersion) -> frozenset[str]:
    return frozenset(key for item in reading.document_of(version).items for key in fact_keys(item))


def _referrals(session: Session, study: Study, known: Known | None) -> list[ReferralRow]:
    """Name the open referrals that are touched by a reference; their order tells nothing about the people."""
    touched = known.touched or () if known is not None else ()
    names = {row.id: site for row, site in overview.sites_of(session, study.id, frame.reading_scope())}
    scope = identity.scope(Role.RECRUITER)

    def row(one: Touched) -> ReferralRow:
        site = names[one.study_site_id]
        may_open = scope.covers(site_id=site.id, study_id=study.id)
        return ReferralRow(
            one.referral_id.hex[-8:].upper(),
            site.name,
            str(STATES[one.state]),
            url_for("desk.referral.show", referral_id=one.referral_id) if may_open else None,
        )

    rows = [row(one) for one in touched if one.study_site_id in names]
    return sorted(rows, key=lambda one: (one.site.casefold(), one.state, one.reference))
