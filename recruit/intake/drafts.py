"""Answers on their way: begin a draft, save answers, conclude it. Anonymous until a contact is left."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer

from recruit.clock import civil_day
from recruit.contact.wordings import version_to_ask
from recruit.db import found, locked
from recruit.errors import NotFound, Refused
from recruit.ids import new_id, new_token, token_hash
from recruit.intake.models import Draft, DraftStatus, Entrance, SourceLink
from recruit.keys import Owner, vault_of
from recruit.studies import queries as studies
from recruit.studies import versions
from recruit.studies.models import ProtocolVersion, QuestionnaireVersion, Site, Study, StudySite
from recruit.studies.queries import OpenSite
from recruit.studies.reading import document_of, plan_of
from recruit.vocabulary import terms, vocabulary_of
from screening.asking.assertions import facts_from
from screening.asking.journey import FixedJourney, Journey
from screening.asking.path import on_path_answers
from screening.asking.questionnaire import Document
from screening.asking.responses import Answer, answer_from_json, answer_to_json
from screening.facts import EvidenceSource, Fact
from screening.texts import Respondent

SOURCES = {
    Entrance.ONLINE: EvidenceSource.PARTICIPANT_ONLINE,
    Entrance.KIOSK: EvidenceSource.PARTICIPANT_ONLINE,
    Entrance.PREVIEW: EvidenceSource.PARTICIPANT_ONLINE,
    Entrance.ASSISTED_CALL: EvidenceSource.PARTICIPANT_PHONE,
    Entrance.WALK_IN: EvidenceSource.PARTICIPANT_PHONE,
}


LEFT = "left"
"""The step in a draft's path at which somebody stopped; it names the question that was shown then."""


@dataclass(frozen=True, slots=True)
class Saved:
    """One answer and the revision of the draft at which it was given."""

    answer: Answer
    revision: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A draft with what it pins and what it holds."""

    draft: Draft
    study: Study
    document: Document
    saved: dict[str, Saved]
    zone: str
    languages: tuple[str, ...] = ()
    """In which the questions may be shown today: approved for the site, or else the one begun in."""

    chosen: Journey | None = None
    """The way through questions that are chosen; none where they have a fixed order."""

    was_carried: bool = False
    """Whether newer questions took the place of those that it began with, in this very request."""

    @property
    def journey(self) -> Journey:
        """Say what was asked in which order and what comes next."""
        return self.chosen or FixedJourney(self.document, self.answers, self.respondent)

    @property
    def answers(self) -> dict[str, Answer]:
        """Give all answers by item, hidden ones too; only those on the path count."""
        return {item: saved.answer for item, saved in self.saved.items()}

    @property
    def respondent(self) -> Respondent:
        """Say whom the questions are about; the person answering where nobody has said yet."""
        return self.draft.respondent or Respondent.SELF


def agreements(session: Session, opened: Opened, *, at: datetime) -> tuple[UUID, Document]:
    """Give the version and document whose agreements are asked for at the end of a draft.

    They are those that it began with, unless words in force since then stop using them.
    """
    draft = opened.draft
    day = civil_day(at, opened.zone)
    version_id = version_to_ask(session, draft.questionnaire_version_id, draft.study_site_id, on=day)
    if version_id == draft.questionnaire_version_id:
        return version_id, opened.document
    return version_id, document_of(found(session, QuestionnaireVersion, version_id))


def begin(
    session: Session,
    study: Study,
    place: OpenSite,
    *,
    language: str,
    entrance: Entrance,
    at: datetime,
    source_code: str = "",
    started_by: UUID | None = None,
    person_id: UUID | None = None,
    is_test: bool = False,
) -> tuple[Draft, str]:
    """Start a draft on the versions in force at a site; return it with the token for its cookie."""
    source = live_source(session, source_code)
    token = new_token()
    draft = Draft(
        id=new_id(),
        token_hash=token_hash(token),
        entrance=entrance,
        study_id=study.id,
        study_site_id=place.study_site.id,
        protocol_version_id=place.in_force.protocol.id,
        questionnaire_version_id=place.in_force.questionnaire.id,
        vocabulary_hash=vocabulary_of(session, study.id).version,
        source_link_id=source.id if source else None,
        language=language,
        path=[],
        started_at=at,
        last_at=at,
        started_by=started_by,
        person_id=person_id,
        is_test=is_test or study.is_test or entrance is Entrance.PREVIEW or bool(source and source.is_test),
    )
    vault_of(session).create_key(Owner.DRAFT, draft.id)
    session.add(draft)
    session.flush()
    return draft, token


def find(session: Session, token: str, *, at: datetime) -> Opened:
    """Open the draft of a cookie.

    :raises NotFound: there is none; it may have been removed after its time
    """
    draft = session.scalar(_with_surroundings().where(Draft.token_hash == token_hash(token)))
    if draft is None:
        raise NotFound("Your answers are no longer here. Please start again.")
    opened = open_draft(session, draft)
    return with_document(session, opened, opened.document, at=at)


def with_document(session: Session, opened: Opened, document: Document, *, at: datetime) -> Opened:
    """Give a draft with the questions that it pins, the languages to show them in, the way through them."""
    opened = replace(opened, document=document)
    return replace(
        opened,
        languages=_languages(session, opened, at=at) or (opened.draft.language,),
        chosen=_chosen(session, opened),
    )


def open_draft(session: Session, draft: Draft) -> Opened:
    """Open a draft's answers together with the wording they belong to."""
    study = found(session, Study, draft.study_id)
    version = found(session, QuestionnaireVersion, draft.questionnaire_version_id)
    opened = Opened(
        draft=draft,
        study=study,
        document=document_of(version),
        saved=_unseal(session, draft),
        zone=_zone(session, draft, study),
    )
    return replace(opened, chosen=_chosen(session, opened))


def choose_respondent(session: Session, draft_id: UUID, respondent: Respondent, *, at: datetime) -> Draft:
    """Note whom the questions are about; answers about somebody else are forgotten.

    :raises Refused: the answers have been sent already
    """
    draft = _open_for_change(session, draft_id)
    if draft.respondent not in (None, respondent):
        draft.answers_sealed, draft.revision = None, draft.revision + 1
        draft.status, draft.outcome, draft.completed_at = DraftStatus.OPEN, None, None
    draft.respondent = respondent
    note_step(draft, "who", at=at)
    return draft


def choose_language(session: Session, draft_id: UUID, language: str) -> None:
    """Note in which language the person goes on."""
    draft = locked(session, Draft, draft_id)
    draft.language = language
    session.flush()


def save_answer(
    session: Session, draft_id: UUID, item_id: str, answer: Answer, *, shown_revision: int, at: datetime
) -> Opened:
    """Save one answer; a page older than the answer we hold does not overwrite it.

    :param shown_revision: the draft's revision when the page was shown
    :raises Refused: the answers have been sent already
    """
    draft = _open_for_change(session, draft_id)
    opened = open_draft(session, draft)
    held = opened.saved.get(item_id)
    if held is not None and held.revision > shown_revision:
        return opened
    draft.revision += 1
    saved = {**opened.saved, item_id: Saved(answer, draft.revision)}
    _seal(session, draft, saved)
    note_step(draft, item_id, at=at)
    draft.status, draft.outcome, draft.completed_at = DraftStatus.OPEN, None, None
    return _further(session, opened, saved)


def save_answers(session: Session, draft_id: UUID, given: Sequence[tuple[str, Answer, datetime]]) -> Opened:
    """Save answers that were given one after the other, each with the instant at which it was.

    What stands afterwards is what ``save_answer`` would have left; the rows are written once.

    :raises Refused: the answers have been sent already
    """
    draft = _open_for_change(session, draft_id)
    opened = open_draft(session, draft)
    saved = dict(opened.saved)
    for item_id, answer, at in given:
        draft.revision += 1
        saved[item_id] = Saved(answer, draft.revision)
        note_step(draft, item_id, at=at)
    _seal(session, draft, saved)
    draft.status, draft.outcome, draft.completed_at = DraftStatus.OPEN, None, None
    return _further(session, opened, saved)


def carry(session: Session, draft: Draft, saved: dict[str, Saved]) -> None:
    """Take earlier answers along in a draft that asks further, under the revisions they bring."""
    _seal(session, draft, saved)


def stop(session: Session, draft_id: UUID, *, at: datetime) -> None:
    """End a draft at the person's wish and forget its answers and their key at once."""
    draft = locked(session, Draft, draft_id)
    if draft.status is DraftStatus.SUBMITTED:
        return
    shown = open_draft(session, draft).journey.next if draft.respondent is not None else None
    if shown is not None:
        draft.path = [*draft.path[-199:], [LEFT, 0, shown.id]]
    draft.status, draft.outcome, draft.last_at = DraftStatus.STOPPED, None, at
    forget_answers(session, draft)


def facts_of(opened: Opened, *, at: datetime) -> tuple[Fact, ...]:
    """Turn a draft's answers on the path into facts."""
    return facts_from(
        opened.document,
        opened.answers,
        opened.respondent,
        recorded_at=at,
        source=SOURCES[opened.draft.entrance],
        new_id=new_id,
    )


def kept_answers(opened: Opened) -> str:
    """Write the answers on the path as JSON: what is kept of a submission; hidden answers are dropped here."""
    kept = on_path_answers(opened.document, opened.answers, opened.respondent)
    return json.dumps({item: answer_to_json(answer) for item, answer in kept.items()}, ensure_ascii=False)


def read_answers(text: str) -> dict[str, Answer]:
    """Read answers written by ``kept_answers``."""
    return {item: answer_from_json(answer) for item, answer in json.loads(text).items()}


def forget_answers(session: Session, draft: Draft) -> None:
    """Remove a draft's answers and the key that sealed them."""
    draft.answers_sealed = None
    vault_of(session).destroy_key(draft.id)


def _open_for_change(session: Session, draft_id: UUID) -> Draft:
    draft = locked(session, Draft, draft_id)
    if draft.status is DraftStatus.SUBMITTED:
        raise Refused("Your answers have been sent. To change something, please call us.")
    if draft.status is DraftStatus.STOPPED:
        raise NotFound("You ended this questionnaire and your answers are gone. You can start again.")
    return draft


def _further(session: Session, opened: Opened, saved: dict[str, Saved]) -> Opened:
    opened = replace(opened, saved=saved)
    return replace(opened, chosen=_chosen(session, opened))


def _chosen(session: Session, opened: Opened) -> Journey | None:
    """Lead through questions whose order the approval leaves to what settles most."""
    draft = opened.draft
    if opened.document.order == "fixed":
        return None
    from screening.choosing.journey import begin_chosen  # here for the start: few questionnaires choose

    criteria = found(session, ProtocolVersion, draft.protocol_version_id)
    questions = found(session, QuestionnaireVersion, draft.questionnaire_version_id)
    return begin_chosen(
        plan_of(criteria, questions, vocabulary=vocabulary_of(session, draft.study_id), terms=terms()),
        opened.answers,
        respondent=opened.respondent,
        on=civil_day(draft.last_at, opened.zone),
        source=SOURCES[draft.entrance],
        asked=[str(step[0]) for step in draft.path if isinstance(step, list)],
        seed=str(draft.id),
    )


def note_step(draft: Draft, item_id: str, *, at: datetime) -> None:
    """Write down a page that was answered, or another step, and when."""
    seconds = max(0, int((at - draft.started_at).total_seconds()))
    draft.path = [*draft.path[-199:], [item_id, seconds]]
    draft.last_at = at


def _seal(session: Session, draft: Draft, saved: dict[str, Saved]) -> None:
    text = json.dumps(
        {item: {"a": answer_to_json(one.answer), "r": one.revision} for item, one in saved.items()},
        ensure_ascii=False,
    )
    draft.answers_sealed = vault_of(session).seal(draft.id, "draft", "answers_sealed", draft.id, text)


def _unseal(session: Session, draft: Draft) -> dict[str, Saved]:
    text = vault_of(session).open(draft.id, "draft", "answers_sealed", draft.id, draft.answers_sealed)
    if text is None:
        return {}
    return {item: Saved(answer_from_json(one["a"]), int(one["r"])) for item, one in json.loads(text).items()}


def live_source(session: Session, code: str) -> SourceLink | None:
    """Find the link that a code belongs to; a stopped or unknown code is nobody's."""
    if not code or len(code) > 24 or not code.isprintable():
        return None
    return session.scalar(sa.select(SourceLink).where(SourceLink.code == code, SourceLink.stopped_at.is_(None)))


def _with_surroundings() -> sa.Select[Draft, Study, QuestionnaireVersion, StudySite, Site]:
    """Give the query for drafts that also brings what every page of one looks at, but no documents."""
    return (
        sa.select(Draft, Study, QuestionnaireVersion, StudySite, Site)
        .join(Study, Study.id == Draft.study_id)
        .join(QuestionnaireVersion, QuestionnaireVersion.id == Draft.questionnaire_version_id)
        .outerjoin(StudySite, StudySite.id == Draft.study_site_id)
        .outerjoin(Site, Site.id == StudySite.site_id)
        .options(defer(QuestionnaireVersion.document))
    )


def _languages(session: Session, opened: Opened, *, at: datetime) -> tuple[str, ...]:
    draft, document = opened.draft, opened.document
    if draft.study_site_id is None:
        return document.languages
    lacking = versions.unapproved_languages(
        session,
        found(session, QuestionnaireVersion, draft.questionnaire_version_id),
        found(session, StudySite, draft.study_site_id),
        on=civil_day(at, opened.zone),
    )
    return tuple(language for language in document.languages if language not in lacking)


def _zone(session: Session, draft: Draft, study: Study) -> str:
    if draft.study_site_id is not None:
        return studies.zone_of(session, draft.study_site_id)
    zone = session.scalar(
        sa.select(Site.zone).join(StudySite, StudySite.site_id == Site.id).where(StudySite.study_id == study.id)
    )
    return zone or "America/New_York"
