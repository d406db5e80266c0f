"""What happens to a person, from a public link to a site's outcome, read from top to bottom.

Each function is one station. It calls the services of the areas in order, inside the caller's
transaction, and tells whoever listens what came of it. Pages, imports and the demo all come through here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from recruit.contact import service as contact_service
from recruit.db import found, locked, publish
from recruit.errors import Refused
from recruit.intake import drafts, outcomes
from recruit.intake import service as intake
from recruit.intake.models import Draft, DraftStatus, Entrance, Inquiry, InquiryChannel, Submission
from recruit.intake.notices import InquiryReceived, SubmissionReceived
from recruit.intake.service import Consented, Contact
from recruit.matching import assessing, calling, holds
from recruit.matching import service as matching
from recruit.matching.calling import Ended
from recruit.matching.models import Match
from recruit.matching.plan import CallOutcome
from recruit.people.models import ContactKind, ContactPoint, LineType, PersonContact
from recruit.referrals import service as referrals
from recruit.referrals.models import Referral
from recruit.referrals.service import Report
from recruit.studies import queries as studies
from recruit.studies.models import Study
from recruit.visits import service as visits
from screening.asking.questionnaire import Outcome
from screening.asking.responses import Answer

# 1. Somebody opens a study's page and begins. -------------------------------------------------------


def begin(
    session: Session,
    study: Study,
    *,
    language: str,
    at: datetime,
    entrance: Entrance = Entrance.ONLINE,
    source_code: str = "",
    started_by: UUID | None = None,
    person_id: UUID | None = None,
    is_test: bool = False,
    study_site_ids: Collection[UUID] = (),
) -> tuple[Draft, str]:
    """Start the questionnaire of a study that takes people now.

    :param study_site_ids: begin at one of these sites only; empty means any
    :raises Refused: no site takes people for this study at the moment
    """
    places = studies.open_sites(session, study, at=at)
    if study_site_ids:
        places = [place for place in places if place.study_site.id in study_site_ids]
    if not places:
        raise Refused("This study is not looking for people at the moment.")
    return drafts.begin(
        session,
        study,
        places[0],
        language=language,
        entrance=entrance,
        at=at,
        source_code=source_code,
        started_by=started_by,
        person_id=person_id,
        is_test=is_test,
    )


# 2. They answer one question after the other, and get an honest result. ------------------------------


def answer(
    session: Session, draft_id: UUID, item_id: str, given: Answer, *, shown_revision: int, at: datetime
) -> drafts.Opened:
    """Save one answer.

    :raises Refused: the answers have been sent already
    """
    return drafts.save_answer(session, draft_id, item_id, given, shown_revision=shown_revision, at=at)


def conclude(session: Session, draft_id: UUID, *, at: datetime) -> Outcome:
    """Work out what the result page says.

    :raises Refused: a question is still open
    """
    return outcomes.conclude(session, draft_id, at=at)


# 3. They leave a contact and say what we may do with it. ---------------------------------------------


def submit(
    session: Session,
    draft_id: UUID,
    contact: Contact,
    consents: Sequence[Consented],
    *,
    at: datetime,
    study_site_id: UUID | None = None,
    how: str = "web",
) -> tuple[Submission, Match | None]:
    """Turn a concluded draft into a person with facts, consents, a match and an assessment.

    After *not this study* only the registry was offered: then there is no match.

    :raises Invalid: no address, or no consent to be contacted
    :raises Refused: the draft has no result, or was sent already
    """
    draft = locked(session, Draft, draft_id)
    if draft.status is DraftStatus.SUBMITTED:
        raise Refused("Your answers have been sent already.")
    if draft.outcome is None:
        raise Refused("Some questions are still open.")
    intake.require_contact(draft.outcome, contact, consents)
    if study_site_id is not None:
        draft.study_site_id = study_site_id
    opened = drafts.open_draft(session, draft)
    taken = intake.take_in(session, draft, contact, consents, at=at, how=how)
    submission = intake.keep_submission(session, opened, taken.person, at=at)
    _verify_first(session, taken.links, language=contact.language, at=at)
    if submission.outcome is Outcome.NOT_THIS_STUDY:
        return submission, None
    match = matching.ensure_match(
        session,
        taken.person,
        opened.study,
        study_site_id=draft.study_site_id,
        source_link_id=draft.source_link_id,
        at=at,
        is_test=draft.is_test,
    )
    assessed = assessing.assess_match(session, match, cause="submission", at=at)
    matching.queue(session, match, at=at)
    holds.settle(session, match, assessed, at=at)
    publish(session, SubmissionReceived(taken.person.id, draft.study_id, match.id, contact.language))
    return submission, match


def inquire(
    session: Session,
    study: Study,
    contact: Contact,
    consents: Sequence[Consented],
    *,
    channel: InquiryChannel,
    at: datetime,
    how: str = "web",
    study_site_id: UUID | None = None,
    source_link_id: UUID | None = None,
    clinician: str = "",
    is_test: bool = False,
) -> tuple[Inquiry, Match]:
    """Take in somebody who left only a contact; the first call has a clock.

    :raises Invalid: no address, or no consent to be contacted
    """
    inquiry, taken = intake.keep_inquiry(
        session,
        study.id,
        contact,
        consents,
        channel=channel,
        how=how,
        at=at,
        study_site_id=study_site_id,
        source_link_id=source_link_id,
        clinician=clinician,
        is_test=is_test or study.is_test,
    )
    match = matching.ensure_match(
        session,
        taken.person,
        study,
        study_site_id=study_site_id,
        source_link_id=source_link_id,
        at=at,
        is_test=inquiry.is_test,
    )
    assessed = assessing.assess_match(session, match, cause="inquiry", at=at)
    matching.queue(session, match, at=at)
    holds.settle(session, match, assessed, at=at)
    if channel is not InquiryChannel.DOCTOR:  # whose patient has asked for no message
        _verify_first(session, taken.links, language=contact.language, at=at)
    publish(session, InquiryReceived(taken.person.id, study.id, match.id, contact.language))
    return inquiry, match


# 4. A recruiter calls, and hands the person to a site. ------------------------------------------------


def call(
    session: Session,
    match_id: UUID,
    outcome: CallOutcome,
    *,
    at: datetime,
    contact_point_id: UUID | None = None,
    note: str = "",
    call_back_at: datetime | None = None,
) -> Match:
    """Log a call and set when the next one is due."""
    ended = Ended(outcome, contact_point_id=contact_point_id, note=note, call_back_at=call_back_at)
    return calling.log_call(session, match_id, ended, at=at)


def refer(
    session: Session, match_id: UUID, study_site_id: UUID, *, at: datetime, owner_id: UUID | None = None
) -> Referral:
    """Hand a person to a site, judged by the version in force there.

    :raises Refused: a criterion rules the person out there, or the site or their cohort takes nobody now
    """
    match = locked(session, Match, match_id)
    holds.require_open_cohort(session, match, study_site_id, at=at)
    match.study_site_id = study_site_id
    assessing.assess_match(session, match, cause="referral", at=at)
    return referrals.refer(session, match_id, study_site_id, at=at, owner_id=owner_id)


# 5. The site reports what became of them; a wrong entry is corrected by a new one. --------------------


def report(session: Session, referral_id: UUID, said: Report, *, at: datetime) -> Referral:
    """Record the next step of a referral.

    :raises NotPermitted: the state does not allow the step
    """
    referral = referrals.move(session, referral_id, said, at=at)
    if referral.closed_at is not None:
        visits.cancel_open(session, referral.id, at=at)
    return referral


def correct(session: Session, referral_id: UUID, event_id: UUID, *, reason: str, at: datetime) -> Referral:
    """Void a wrong entry; the state and the visit follow from the entries that stand."""
    referral = referrals.correct(session, referral_id, event_id, reason=reason, at=at)
    visits.follow_correction(session, event_id, at=at)
    return referral


def _verify_first(session: Session, links: Sequence[PersonContact], *, language: str, at: datetime) -> None:
    """Ask for proof of the first address that can take a code; without one the person stays callable."""
    for link in links:
        point = found(session, ContactPoint, link.contact_point_id)
        textable = point.kind is ContactKind.PHONE and point.line_type is not LineType.LANDLINE
        if link.verified_at is not None or not (textable or point.kind is ContactKind.EMAIL):
            continue
        try:
            contact_service.request_code(
                session, link.person_id, link.contact_point_id, language=language, at=at
            )
        except Refused:
            continue
        return
