"""Files that belong to an approval: sealed under a key of their own, opened only to be handed out."""

from __future__ import annotations

import hashlib
import unicodedata
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from recruit.db import actor_of, found
from recruit.errors import Invalid
from recruit.ids import new_id
from recruit.keys import Owner, vault_of
from recruit.materials.models import StoredDocument

LARGEST = 20 * 1024 * 1024
_SIGNATURES = {
    b"%PDF-": "application/pdf",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"PK\x03\x04": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
_ENDINGS = {
    "application/pdf": (".pdf",),
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": (".docx",),
}


def store(session: Session, filename: str, data: bytes, *, at: datetime) -> StoredDocument:
    """Seal a PDF, picture or Word file; what it is, is read from its first bytes and not from its name.

    :raises Invalid: it is empty, larger than 20 MiB, or another kind of file
    """
    name = safe_name(filename)
    media_type = _media_type(name, data)
    document = StoredDocument(
        id=new_id(),
        filename=name,
        media_type=media_type,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        sealed=b"",
        stored_at=at,
        stored_by=actor_of(session),
    )
    vault = vault_of(session)
    vault.create_key(Owner.DOCUMENT, document.id)
    sealed = vault.seal(document.id, "document", "sealed", document.id, data)
    if sealed is not None:
        document.sealed = sealed
    session.add(document)
    session.flush()
    return document


def load(session: Session, document_id: UUID) -> tuple[StoredDocument, bytes]:
    """Open a stored file.

    :raises NotFound: there is none
    :raises Unreadable: its key is gone, or the bytes were altered
    """
    document = found(session, StoredDocument, document_id)
    data = vault_of(session).open_bytes(document.id, "document", "sealed", document.id, document.sealed)
    return document, data


def safe_name(filename: str) -> str:
    """Keep the last part of a file's name, without signs that a header or a disk would trip over."""
    last = filename.replace("\\", "/").rpartition("/")[2]
    kept = "".join(
        sign
        for sign in last
        if unicodedata.category(sign)[0] != "C" and sign not in '"<>|:*?' and sign.isprintable()
    ).strip(" .")
    if len(kept) > 200:
        stem, dot, ending = kept.rpartition(".")
        kept = f"{stem[:190]}{dot}{ending[:9]}"
    return kept or "document"


def _media_type(name: str, data: bytes) -> str:
    if not data:
        raise Invalid("The file is empty.", field="document")
    if len(data) > LARGEST:
        raise Invalid("The file is larger than 20 MiB.", field="document")
    for start, media_type in _SIGNATURES.items():
        if data.startswith(start) and name.lower().endswith(_ENDINGS[media_type]):
            return media_type
    raise Invalid("Choose a PDF, a PNG or JPEG picture, or a Word file (.docx).", field="document")
