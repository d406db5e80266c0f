"""Data keys: one row for each owner of sealed values; deleting the row makes its values unreadable."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from recruit import crypto
from recruit.crypto import Keyring
from recruit.db import Database, Row, enum_type
from recruit.errors import Unreadable
from recruit.retention import Retention


class Owner(StrEnum):
    """What a data key belongs to."""

    PERSON = "person"
    DRAFT = "draft"
    ACCOUNT = "account"
    CONTACT_POINT = "contact_point"
    DOCUMENT = "document"


class DataKey(Row):
    """A wrapped data key; it goes when its owner is erased."""

    __tablename__ = "data_key"
    __table_args__ = (sa.UniqueConstraint("owner_id"),)
    retention: ClassVar[Retention] = Retention.PERSON

    owner_kind: Mapped[Owner] = mapped_column(enum_type(Owner))
    owner_id: Mapped[UUID]
    master_key_id: Mapped[str] = mapped_column(sa.String(32))
    wrapped: Mapped[bytes]


class Vault:
    """Seals and opens values for their owners; keeps opened data keys for the length of one session."""

    def __init__(self, session: Session, keyring: Keyring) -> None:
        self._session = session
        self.keyring = keyring
        self._open: dict[UUID, bytes] = {}

    def create_key(self, kind: Owner, owner: UUID) -> None:
        """Give a new owner a data key of its own."""
        data_key = crypto.new_data_key()
        master_id, wrapped = self.keyring.wrap(data_key, owner=owner)
        self._session.add(DataKey(owner_kind=kind, owner_id=owner, master_key_id=master_id, wrapped=wrapped))
        self._open[owner] = data_key

    def destroy_key(self, owner: UUID) -> None:
        """Delete an owner's data key: whatever it sealed is gone, in every copy that is not a backup."""
        self._session.execute(sa.delete(DataKey).where(DataKey.owner_id == owner))
        self._open.pop(owner, None)

    def seal(self, owner: UUID, table: str, column: str, row: UUID, value: str | bytes | None) -> bytes | None:
        """Seal a value for its owner; nothing stays nothing.

        :raises Unreadable: the owner has no data key (never had, or was erased)
        """
        if value is None:
            return None
        return crypto.seal(self._key(owner), table, column, row, value)

    def open(self, owner: UUID, table: str, column: str, row: UUID, sealed: bytes | None) -> str | None:
        """Open a sealed text of an owner; nothing stays nothing.

        :raises Unreadable: the key is gone or the bytes were altered
        """
        if sealed is None:
            return None
        return crypto.unseal_text(self._key(owner), table, column, row, sealed)

    def open_bytes(self, owner: UUID, table: str, column: str, row: UUID, sealed: bytes) -> bytes:
        """Open sealed bytes of an owner.

        :raises Unreadable: the key is gone or the bytes were altered
        """
        return crypto.unseal(self._key(owner), table, column, row, sealed)

    def load(self, owners: set[UUID]) -> None:
        """Fetch many owners' data keys with one query, before a page that shows many names."""
        wanted = owners - self._open.keys()
        if wanted:
            for row in self._session.scalars(sa.select(DataKey).where(DataKey.owner_id.in_(wanted))):
                self._open[row.owner_id] = self.keyring.unwrap(
                    row.master_key_id, row.wrapped, owner=row.owner_id
                )

    def _key(self, owner: UUID) -> bytes:
        if owner not in self._open:
            with self._session.no_autoflush:
                row = self._session.scalar(sa.select(DataKey).where(DataKey.owner_id == owner))
            if row is None:
                raise Unreadable("This person's data has been erased.")
            self._open[owner] = self.keyring.unwrap(row.master_key_id, row.wrapped, owner=owner)
        return self._open[owner]


def vault_of(session: Session) -> Vault:
    """Give the vault of a session; there is one for each session."""
    vault: Vault | None = session.info.get("vault")
    if vault is None:
        database: Database = session.info["database"]
        vault = session.info["vault"] = Vault(session, database.keyring)
    return vault


def rewrap(session: Session, keyring: Keyring, *, limit: int) -> int:
    """Wrap up to ``limit`` data keys anew under the newest master key; return how many were done.

    :raises Unreadable: the master key of one of them is not on the ring
    """
    old = sa.select(DataKey).where(DataKey.master_key_id != keyring.newest.id).limit(limit)
    rows = list(session.scalars(old.with_for_update()))  # else somebody may be erased in between
    for row in rows:
        data_key = keyring.unwrap(row.master_key_id, row.wrapped, owner=row.owner_id)
        row.master_key_id, row.wrapped = keyring.wrap(data_key, owner=row.owner_id)
    return len(rows)
