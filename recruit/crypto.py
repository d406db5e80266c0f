"""Sealing of personal values, and keyed fingerprints to find them again.

A value is sealed with AES-256-GCM under the data key of its owner (a person, a draft, an account, a
contact point, a document). The associated data names table, column and row, so that a sealed value copied
to another row does not open. Data keys are wrapped by a master key; rotation only rewraps them, and
erasing a person deletes the data key. Layout of a sealed value: 1 byte format, 12 bytes nonce, ciphertext
with tag.
"""

from __future__ import annotations

import base64
import hmac
import os
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from recruit.errors import BadSettings, Unreadable

_FORMAT = b"\x01"
_NONCE_BYTES = 12
_ID_LENGTH = 32


@dataclass(frozen=True, slots=True)
class MasterKey:
    """One master key; from it the wrapping key and the fingerprint key are derived apart."""

    id: str
    wrapping: bytes
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Keyring:
    """All live master keys, newest first; the newest wraps, any can unwrap."""

    keys: tuple[MasterKey, ...]

    @classmethod
    def from_settings(cls, master_key: str, *, secret_key: str) -> Keyring:
        """Read ``id:base64,id:base64``; without it derive one key from the secret.

        :raises BadSettings: an entry is malformed or a key is not 32 bytes
        """
        entries = [part.strip() for part in master_key.split(",") if part.strip()]
        if not entries:
            return cls((_derive("derived", secret_key.encode()),))
        keys = tuple(_parse_entry(entry) for entry in entries)
        if len({key.id for key in keys}) < len(keys):
            raise BadSettings("RECRUIT_MASTER_KEY: two keys have the same id.")
        return cls(keys)

    @property
    def newest(self) -> MasterKey:
        """Give the key that wraps new data keys."""
        return self.keys[0]

    def wrap(self, data_key: bytes, *, owner: UUID) -> tuple[str, bytes]:
        """Wrap a data key; the result names the master key."""
        return self.newest.id, _encrypt(self.newest.wrapping, data_key, f"data_key:{owner}".encode())

    def unwrap(self, master_id: str, wrapped: bytes, *, owner: UUID) -> bytes:
        """Open a data key.

        :raises Unreadable: the master key is not on the ring or the bytes were altered
        """
        for key in self.keys:
            if key.id == master_id:
                return _decrypt(key.wrapping, wrapped, f"data_key:{owner}".encode())
        raise Unreadable(f"The master key {master_id} is not configured.")

    def fingerprint(self, kind: str, value: str) -> bytes:
        """Give the newest keyed fingerprint of a value: equal values are equal, nothing leads back."""
        return _fingerprint(self.newest, kind, value)

    def fingerprints(self, kind: str, value: str) -> tuple[tuple[str, bytes], ...]:
        """Give ``(key id, fingerprint)`` under every live key, for a search during rotation."""
        return tuple((key.id, _fingerprint(key, kind, value)) for key in self.keys)


def new_data_key() -> bytes:
    """Make a fresh 256-bit data key."""
    return AESGCM.generate_key(256)


def seal(data_key: bytes, table: str, column: str, row: UUID, value: str | bytes) -> bytes:
    """Seal a value so that it opens only with this key and only in this place."""
    plain = value if isinstance(value, bytes) else value.encode("utf-8")
    return _encrypt(data_key, plain, f"{table}.{column}:{row}".encode())


def unseal(data_key: bytes, table: str, column: str, row: UUID, sealed: bytes) -> bytes:
    """Open a sealed value.

    :raises Unreadable: wrong key, wrong place or altered bytes
    """
    return _decrypt(data_key, sealed, f"{table}.{column}:{row}".encode())


def unseal_text(data_key: bytes, table: str, column: str, row: UUID, sealed: bytes) -> str:
    """Open a sealed text.

    :raises Unreadable: wrong key, wrong place or altered bytes
    """
    return unseal(data_key, table, column, row, sealed).decode("utf-8")


def _encrypt(key: bytes, plain: bytes, associated: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return _FORMAT + nonce + AESGCM(key).encrypt(nonce, plain, associated)


def _decrypt(key: bytes, sealed: bytes, associated: bytes) -> bytes:
    if sealed[:1] != _FORMAT or len(sealed) < 1 + _NONCE_BYTES + 16:
        raise Unreadable("The sealed value has an unknown format.")
    nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, body, associated)
    except InvalidTag:
        raise Unreadable("The sealed value cannot be opened.") from None


def _fingerprint(key: MasterKey, kind: str, value: str) -> bytes:
    return hmac.new(key.fingerprint, f"{kind}\x00{value}".encode("utf-8", "surrogatepass"), sha256).digest()


def _derive(key_id: str, material: bytes) -> MasterKey:
    def derive(purpose: bytes) -> bytes:
        return HKDF(algorithm=SHA256(), length=32, salt=b"trial-recruit", info=purpose).derive(material)

    return MasterKey(id=key_id, wrapping=derive(b"wrapping"), fingerprint=derive(b"fingerprint"))


def _parse_entry(entry: str) -> MasterKey:
    key_id, _, encoded = entry.partition(":")
    try:
        material = base64.b64decode(encoded, validate=True)
    except ValueError:
        raise BadSettings(f"RECRUIT_MASTER_KEY: the key {key_id[:_ID_LENGTH]!r} is not base64.") from None
    if not (key_id.isascii() and key_id.isalnum()) or len(key_id) > _ID_LENGTH or len(material) != 32:
        raise BadSettings("RECRUIT_MASTER_KEY: each entry is `id:base64 of 32 bytes`.")
    return _derive(key_id, material)
