"""What new words of an agreement make of what people agreed to in earlier ones (DOMAIN 4).

A text says of the earlier ones: what was agreed to stays valid, ask again, or
stop using it. That acts from the day on which the new words are in force at a
site: on everything that was agreed to before, wherever it was, and at that
site also on what somebody still agrees to in the old words. A site whose board
has not approved the new words yet goes on with the old ones.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.contact.models import Consent, Purpose
from recruit.studies.models import QuestionnaireVersion, VersionInForce
from recruit.studies.versions import WORDINGS
from screening.asking.questionnaire import ConsentPurpose, ConsentText, Document, EarlierWords

_STRICTEST: Final = (EarlierWords.STOP, EarlierWords.ASK_AGAIN)


def purpose_of(asked: ConsentPurpose) -> Purpose:
    """Say what a text of a questionnaire asks for, in the terms of a consent."""
    if asked is ConsentPurpose.VOICEMAIL:
        return Purpose.VOICEMAIL_NAMING_STUDY
    return Purpose(asked.value)


@dataclass(frozen=True, slots=True)
class Change:
    """Words that are in force at a site from a day on and say something of the earlier ones."""

    study_id: UUID
    study_site_id: UUID
    version_id: UUID
    number: int
    since: date
    text: ConsentText

    @property
    def purpose(self) -> Purpose:
        """What the words ask for."""
        return purpose_of(self.text.purpose)


@dataclass(frozen=True, slots=True)
class Wordings:
    """All such changes, and the study and number of each version that they may touch."""

    changes: tuple[Change, ...] = ()
    asked: Mapping[UUID, tuple[UUID, int]] = field(default_factory=dict)

    def touching(self, consent: Consent, *, on: date) -> Change | None:
        """Give the change that says most about a consent on a day, the newest of equals, if one does."""
        asked_in = consent.questionnaire_version_id
        if asked_in is None or asked_in not in self.asked:
            return None
        study_id, number = self.asked[asked_in]
        found = [
            one
            for one in self.changes
            if one.study_id == study_id
            and one.number > number
            and one.purpose is consent.purpose
            and one.text.version != consent.text_version
            and one.since <= on
            and (consent.at.date() < one.since or consent.study_site_id == one.study_site_id)
        ]
        return min(found, key=lambda one: (_STRICTEST.index(one.text.earlier), -one.number), default=None)

    def ruling(self, consent: Consent, *, on: date) -> EarlierWords:
        """Say what becomes of a consent on a day."""
        change = self.touching(consent, on=on)
        return change.text.earlier if change is not None else EarlierWords.VALID

    def holds(self, consent: Consent, *, on: date) -> bool:
        """Tell whether this is a yes that has not ended and whose words are still used."""
        return consent.holds_on(on) and self.ruling(consent, on=on) is not EarlierWords.STOP

    def stopped_versions(self, purpose: Purpose, *, on: date) -> frozenset[UUID]:
        """Name the versions of questionnaires whose words for a purpose may have been stopped by a day."""
        stopping = [
            one
            for one in self.changes
            if one.purpose is purpose and one.since <= on and one.text.earlier is EarlierWords.STOP
        ]
        return frozenset(
            version_id
            for version_id, (study_id, number) in self.asked.items()
            if any(one.study_id == study_id and number < one.number for one in stopping)
        )

    def to_ask_again(self, consents: Collection[Consent], *, on: date) -> list[tuple[Consent, Change]]:
        """List each yes that has to be asked for again, with the words to ask in."""
        found = [(one, self.touching(one, on=on)) for one in consents if one.holds_on(on)]
        return [(one, change) for one, change in found if change is not None]


def wordings(session: Session) -> Wordings:
    """Read what new words say of earlier ones, once in a session; most installations have none."""
    known = session.info.get(WORDINGS)
    if isinstance(known, Wordings):
        return known
    rows = session.execute(
        sa.select(VersionInForce, QuestionnaireVersion)
        .join(QuestionnaireVersion, QuestionnaireVersion.id == VersionInForce.questionnaire_version_id)
        .where(QuestionnaireVersion.touches_earlier)
    ).all()
    changes = tuple(
        Change(
            row.QuestionnaireVersion.study_id,
            row.VersionInForce.study_site_id,
            row.QuestionnaireVersion.id,
            row.QuestionnaireVersion.number,
            row.VersionInForce.effective_from,
            text,
        )
        for row in rows
        for text in Document.model_validate(row.QuestionnaireVersion.document).consents
        if text.earlier is not EarlierWords.VALID
    )
    found = Wordings(changes, _asked(session, {one.study_id for one in changes}))
    session.info[WORDINGS] = found
    return found


def _asked(session: Session, studies: Collection[UUID]) -> dict[UUID, tuple[UUID, int]]:
    if not studies:
        return {}
    kind = QuestionnaireVersion
    rows = session.execute(sa.select(kind.id, kind.study_id, kind.number).where(kind.study_id.in_(studies)))
    return {row.id: (row.study_id, row.number) for row in rows}


def version_to_ask(session: Session, version_id: UUID, study_site_id: UUID | None, *, on: date) -> UUID:
    """Give the version whose agreements are asked for when somebody comes to the end of a questionnaire.

    It is the one they began with, unless the site has put words in force since that stop those of the older
    one.
    """
    found = wordings(session)
    began = found.asked.get(version_id)
    if began is None:
        return version_id
    stopping = [
        one
        for one in found.changes
        if (one.study_id, one.study_site_id) == (began[0], study_site_id)
        and one.number > began[1]
        and one.since <= on
        and one.text.earlier is EarlierWords.STOP
    ]
    return max(stopping, key=lambda one: (one.since, one.number)).version_id if stopping else version_id
