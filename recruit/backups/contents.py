"""What a backup says about itself, and whether it may be loaded."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from recruit import schema
from recruit.crypto import Keyring
from recruit.errors import Refused, Unreadable

REQUIRED = frozenset({"alembic_version", "installation", "data_key"})
NOT_OURS = "This file is not a backup of Trial Recruit."
DAMAGED = "This backup is damaged or was cut short. Take another one."


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """One data key as it is stored; the master key that it names opens it."""

    master_key_id: str
    owner_id: UUID
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class Contents:
    """What was found in a backup: its schema, and one data key for each master key in use."""

    revision: str
    keys: tuple[WrappedKey, ...]


def require_loadable(contents: Contents, keyring: Keyring) -> None:
    """Make sure that this software and these keys can use a backup.

    :raises Refused: it is of a newer version, or the master key does not open it
    """
    if contents.revision not in schema.revisions():
        raise Refused(
            f"This backup was made by a newer version of the software (schema {contents.revision}). "
            "Install that version first."
        )
    for key in contents.keys:
        try:
            keyring.unwrap(key.master_key_id, key.wrapped, owner=key.owner_id)
        except Unreadable:
            raise Refused(
                f"The keys of this installation do not open this backup (master key {key.master_key_id!r}). "
                "Set RECRUIT_SECRET_KEY and RECRUIT_MASTER_KEY to what they were when it was made."
            ) from None
