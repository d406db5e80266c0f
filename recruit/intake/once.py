"""Do a final step once: the same key and body replay the stored answer, another body is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from recruit.errors import Conflict
from recruit.ids import new_id, token_hash
from recruit.intake.models import IdempotencyKey
from screening.slips import N_

SENT_BEFORE = N_("This form was sent before with other answers. Please load the page again.")


def body_hash(form: Mapping[str, Sequence[str]]) -> bytes:
    """Fingerprint a posted form; the order of fields plays no part."""
    digest = hashlib.sha256()
    for name in sorted(form):
        for value in form[name]:
            digest.update(f"{len(name)}:{name}={len(value)}:{value};".encode("utf-8", "surrogatepass"))
    return digest.digest()


def replayed(session: Session, scope: str, key: str, body: bytes) -> str | None:
    """Give the answer stored for a step that has been done; nothing where it has not.

    :raises Conflict: the key came before with another body
    """
    row = _find(session, scope, key)
    if row is None:
        return None
    _require_same(row, body)
    return row.location


def claim(session: Session, scope: str, key: str, body: bytes, *, at: datetime) -> str | None:
    """Take a step, or give the answer stored for it where it has been done.

    Whoever comes second with the same key waits until the first is through: the row is written before the
    step, so that the unique key decides. A step that fails gives its key back with everything else.

    :raises Conflict: the key came before with another body
    """
    row = _find(session, scope, key)
    if row is None:
        row = IdempotencyKey(
            id=new_id(), scope=scope, key_hash=token_hash(key), body_hash=body, location="", at=at
        )
        try:
            with session.begin_nested():
                session.add(row)
                session.flush()
        except IntegrityError:
            row = _find(session, scope, key)
        else:
            return None
    if row is None:
        raise Conflict(SENT_BEFORE)
    _require_same(row, body)
    return row.location


def settle(session: Session, scope: str, key: str, *, location: str) -> None:
    """Keep the answer of a step that was just done."""
    row = _find(session, scope, key)
    if row is not None:
        row.location = location


def _require_same(row: IdempotencyKey, body: bytes) -> None:
    if row.body_hash != body:
        raise Conflict(SENT_BEFORE)


def _find(session: Session, scope: str, key: str) -> IdempotencyKey | None:
    return session.scalar(
        sa.select(IdempotencyKey).where(
            IdempotencyKey.scope == scope, IdempotencyKey.key_hash == token_hash(key)
        )
    )
