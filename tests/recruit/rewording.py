"""Other words for an agreement of a study, published, approved and put in force."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from recruit.studies import editing, versions
from recruit.studies.models import QuestionnaireVersion, StudySite
from screening.asking.questionnaire import ConsentPurpose, Document, EarlierWords
from screening.texts import Text
from tests.conftest import NOON
from tests.factories import OpenStudy, approve_everything

TODAY = NOON.date()


def other_words(
    session: Session,
    opened: OpenStudy,
    earlier: EarlierWords,
    *,
    purpose: ConsentPurpose = ConsentPurpose.CONTACT,
    words: str = "You may also write to me.",
) -> QuestionnaireVersion:
    """Publish a version with other words for one agreement, approved at every site."""
    newest = versions.newest_published(session, QuestionnaireVersion, opened.study.id)
    assert newest is not None
    before = Document.model_validate(newest.document)
    changed = Text.model_validate({code: {"self": words} for code in before.languages})
    consents = tuple(
        one.model_copy(update={"text": changed}) if one.purpose is purpose else one for one in before.consents
    )
    after = editing.counted_consents(before.model_copy(update={"consents": consents}), before)
    after = editing.with_earlier(after, {purpose.value: earlier})
    draft = versions.draft_questionnaire(session, opened.study.id, after, at=NOON)
    published = versions.publish_questionnaire(session, draft.id, at=NOON)
    approve_everything(session, opened.study, at=NOON)
    return published


def use(
    session: Session,
    opened: OpenStudy,
    version: QuestionnaireVersion,
    *,
    since: date = TODAY,
    place: StudySite | None = None,
) -> None:
    """Put a version in force at a site of the study, from today unless another day is named."""
    versions.put_in_force(
        session,
        (place or opened.study_site).id,
        protocol_version_id=opened.protocol.id,
        questionnaire_version_id=version.id,
        effective_from=since,
        at=NOON,
    )
