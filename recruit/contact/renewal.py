"""Asking again what somebody agreed to in words that have changed since (DOMAIN 4)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from recruit.contact.models import Consent, ContactChannel, Purpose
from recruit.contact.queries import standing_consents
from recruit.contact.service import give_consent
from recruit.contact.wordings import Change, wordings
from recruit.errors import NotFound
from screening.asking.questionnaire import EarlierWords


@dataclass(frozen=True, slots=True)
class Renewal:
    """One agreement to ask for again: what was agreed to, and the words that count now."""

    consents: tuple[Consent, ...]
    change: Change

    @property
    def purpose(self) -> Purpose:
        """What it is for."""
        return self.change.purpose

    @property
    def channels(self) -> tuple[ContactChannel, ...]:
        """The channels that the earlier yes named."""
        return tuple(dict.fromkeys(one.channel for one in self.consents if one.channel is not None))

    @property
    def is_stopped(self) -> bool:
        """Whether the earlier yes counts no longer until it is given again."""
        return self.change.text.earlier is EarlierWords.STOP


def due(session: Session, members: Collection[UUID], study_id: UUID, *, on: date) -> list[Renewal]:
    """List what to ask a person for again, of what they agreed to in a study's words, in their order."""
    touched = wordings(session).to_ask_again(standing_consents(session, members), on=on)
    groups: dict[Purpose, list[tuple[Consent, Change]]] = {}
    for consent, change in touched:
        if change.study_id == study_id:
            groups.setdefault(change.purpose, []).append((consent, change))
    return [
        Renewal(tuple(consent for consent, _ in group), max((change for _, change in group), key=_newest))
        for group in groups.values()
    ]


def renew(
    session: Session,
    members: Collection[UUID],
    study_id: UUID,
    purpose: Purpose,
    *,
    given: bool,
    text: str,
    language: str,
    how: str,
    at: datetime,
    on: date,
) -> list[Consent]:
    """Write down what somebody said to the new words, once for each channel that they had agreed to.

    A no ends the earlier yes as well.

    :param text: the new words as they were read out, in `language`
    :raises NotFound: there is nothing to ask again for this purpose
    """
    found = next((one for one in due(session, members, study_id, on=on) if one.purpose is purpose), None)
    if found is None:
        raise NotFound("There is nothing to ask again.")
    return [
        give_consent(
            session,
            one.person_id,
            one.purpose,
            one.scope,
            text=text,
            text_version=found.change.text.version,
            language=language,
            how=how,
            at=at,
            channel=one.channel,
            contact_point_id=one.contact_point_id,
            study_id=one.study_id,
            site_id=one.site_id,
            questionnaire_version_id=found.change.version_id,
            study_site_id=found.change.study_site_id,
            given=given,
            months=found.change.text.months if given else None,
        )
        for one in found.consents
    ]


def _newest(change: Change) -> int:
    return change.number
