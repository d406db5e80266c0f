"""What contact tells whoever listens, inside the same transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from recruit.contact.models import ContactChannel, SuppressionReason


@dataclass(frozen=True, slots=True)
class CodeNeeded:
    """Somebody asked for a code that proves an address; it travels here and is stored nowhere in clear."""

    person_id: UUID
    contact_point_id: UUID
    verification_id: UUID
    language: str
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ContactVerified:
    """A person has proven that they are reached at a contact point."""

    person_id: UUID
    contact_point_id: UUID


@dataclass(frozen=True, slots=True)
class AddressClosed:
    """An address takes no more messages on a channel; whatever waits for it must stop."""

    contact_point_id: UUID
    channel: ContactChannel
    reason: SuppressionReason
