"""Questions asked aloud: who asks, what was said before, and what is kept when somebody has to go.

A person who is known confirms or corrects what they said before; what they say now becomes new facts with
the source "by phone", and nothing that was said before is changed. Answers that only lead to a question are
carried over with revision 0 and state nothing anew.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.db import locked
from recruit.errors import NotFound
from recruit.ids import new_id, new_slug
from recruit.intake import drafts, outcomes, submissions
from recruit.intake.drafts import Opened, Saved
from recruit.intake.models import Draft, DraftStatus, Entrance, Medium, SourceLink, Submission
from recruit.people import queries as people
from screening.asking.items import Item, fact_keys, reads
from screening.asking.responses import AgeGiven, Answer, DateGiven, answer_to_json
from screening.texts import Respondent

ENTRANCES = (Entrance.ASSISTED_CALL, Entrance.WALK_IN)
ASKED = "Asked by staff"


def source_by_word(session: Session, study_id: UUID, medium: Medium, *, at: datetime) -> SourceLink:
    """Give the source that stands for "they told us" about one medium of a study; made on first use."""
    link = session.scalar(
        sa.select(SourceLink).where(
            SourceLink.study_id == study_id,
            SourceLink.medium == medium,
            SourceLink.channel == ASKED,
            SourceLink.stopped_at.is_(None),
        )
    )
    if link is None:
        link = SourceLink(
            id=new_id(), code=new_slug(10), study_id=study_id, medium=medium, channel=ASKED, created_at=at
        )
        session.add(link)
        session.flush()
    return link


def sources_of(session: Session, study_ids: set[UUID]) -> list[SourceLink]:
    """List the live links of some studies, and those that belong to none, by their names."""
    return list(
        session.scalars(
            sa.select(SourceLink)
            .where(sa.or_(SourceLink.study_id.in_(study_ids), SourceLink.study_id.is_(None)))
            .where(SourceLink.stopped_at.is_(None), SourceLink.channel != ASKED)
            .where(SourceLink.is_test.is_(False))
            .order_by(SourceLink.channel, SourceLink.campaign, SourceLink.code)
        )
    )


def open_own(session: Session, draft_id: UUID, account_id: UUID) -> Opened:
    """Open a draft that this account asks the questions of, together with what was said before.

    :raises NotFound: there is none, it is somebody else's, or it has ended
    """
    draft = session.get(Draft, draft_id)
    is_ours = draft is not None and draft.started_by == account_id and draft.entrance in ENTRANCES
    if draft is None or not is_ours or draft.status in (DraftStatus.SUBMITTED, DraftStatus.STOPPED):
        raise NotFound("These questions have ended. Start again from the person's page.")
    return drafts.open_draft(session, draft)


def said_before(session: Session, opened: Opened) -> dict[str, Answer]:
    """Give what the person answered before in this study, newest answer of each question."""
    if opened.draft.person_id is None:
        return {}
    members = people.cluster_of(session, people.root_of(session, opened.draft.person_id))
    rows = session.scalars(
        sa.select(Submission)
        .where(Submission.person_id.in_(members))
        .where(Submission.study_id == opened.draft.study_id)
        .order_by(Submission.submitted_at, Submission.id)
    )
    found: dict[str, Answer] = {}
    for row in rows:
        found.update(submissions.answers_in(session, row))
    known = {item.id for item in opened.document.items}
    return {item: answer for item, answer in found.items() if item in known}


def respondent_before(session: Session, opened: Opened) -> Respondent | None:
    """Say whom the questions were about last time; where only one choice exists, that one."""
    members: Collection[UUID] = ()
    if opened.draft.person_id is not None:
        members = people.cluster_of(session, people.root_of(session, opened.draft.person_id))
    last = session.scalar(
        sa.select(Submission.respondent)
        .where(Submission.person_id.in_(members), Submission.study_id == opened.draft.study_id)
        .order_by(Submission.submitted_at.desc(), Submission.id.desc())
        .limit(1)
    )
    offered = opened.document.respondents
    return last or (offered[0] if len(offered) == 1 else None)


def together(opened: Opened, before: dict[str, Answer]) -> Opened:
    """Lay what is said now over what was said before, to find the way through the questions."""
    saved = {item: Saved(answer, 0) for item, answer in before.items()}
    return replace(opened, saved={**saved, **opened.saved})


def still_true(answer: Answer, *, on: date) -> Answer:
    """Say an answer again today; what it means in days stays as it was worked out then."""
    if isinstance(answer, AgeGiven | DateGiven):
        return answer
    return answer.model_copy(update={"on": on})


def save(
    session: Session, draft_id: UUID, item: Item, answer: Answer, before: dict[str, Answer], *, at: datetime
) -> Opened:
    """Save what was said now, with the earlier answers that led to the question."""
    draft = locked(session, Draft, draft_id)
    opened = drafts.open_draft(session, draft)
    carried = {
        parent: Saved(before[parent], 0)
        for parent in _leading_to(opened, item)
        if parent in before and parent not in opened.saved
    }
    if carried:
        drafts.carry(session, draft, {**carried, **opened.saved})
    return drafts.save_answer(session, draft_id, item.id, answer, shown_revision=draft.revision, at=at)


def said_now(opened: Opened) -> dict[str, Answer]:
    """Give what was said in this conversation."""
    return {item: saved.answer for item, saved in opened.saved.items() if saved.revision > 0}


def keep_said(
    session: Session, draft_id: UUID, person_id: UUID, account_id: UUID, *, at: datetime
) -> Submission | None:
    """Keep what a known person said, finished or not: answers, and new facts beside the old ones.

    The draft goes; nothing said leaves nothing behind.
    """
    draft = locked(session, Draft, draft_id)
    draft.person_id = person_id
    opened = drafts.open_draft(session, draft)
    now = said_now(opened)
    submission = _kept(session, opened, person_id, now, account_id, at=at) if now else None
    drafts.forget_answers(session, draft)
    session.delete(draft)
    session.flush()
    return submission


def _kept(
    session: Session,
    opened: Opened,
    person_id: UUID,
    now: dict[str, Answer],
    account_id: UUID,
    *,
    at: datetime,
) -> Submission:
    """Keep what was said now; its result rests on what was said before as well."""
    whole = together(opened, said_before(session, opened))
    keys = {key for item in opened.document.items if item.id in now for key in fact_keys(item)}
    return submissions.keep(
        session,
        opened,
        person_id,
        json.dumps({item: answer_to_json(answer) for item, answer in now.items()}, ensure_ascii=False),
        [fact for fact in drafts.facts_of(opened, at=at) if fact.key in keys],
        outcome=outcomes.outcome_of(session, whole, at=at),
        by=account_id,
        at=at,
    )


def _leading_to(opened: Opened, item: Item) -> set[str]:
    """Name the questions whose answers decide, directly or not, whether an item is asked."""
    found: set[str] = set()
    waiting = [item]
    while waiting:
        for leaf in reads(waiting.pop()):
            parent = opened.document.item(leaf.item)
            if parent is not None and parent.id not in found:
                found.add(parent.id)
                waiting.append(parent)
    return found
