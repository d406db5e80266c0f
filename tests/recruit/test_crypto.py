"""A sealed value opens with its key, in its place, unaltered, and in no other way."""

import base64
import os
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recruit import crypto
from recruit.crypto import Keyring
from recruit.errors import BadSettings, Unreadable
from recruit.ids import new_id

ROW = UUID("018f3c1e-0000-7000-8000-000000000001")
KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))


def entry(key_id: str, fill: int) -> str:
    return f"{key_id}:{base64.b64encode(bytes([fill]) * 32).decode()}"


class TestSealing:
    @given(st.text())
    def test_what_was_sealed_opens(self, text: str) -> None:
        text = text.encode("utf-8", "ignore").decode()

        sealed = crypto.seal(KEY, "person", "given_sealed", ROW, text)

        assert crypto.unseal_text(KEY, "person", "given_sealed", ROW, sealed) == text
        assert len(text) < 4 or text.encode() not in sealed

    def test_the_same_value_never_looks_the_same(self) -> None:
        sealed = {crypto.seal(KEY, "person", "given_sealed", ROW, "Ann") for _ in range(100)}

        assert len(sealed) == 100

    @given(st.integers(0, 40), st.integers(1, 255))
    def test_one_altered_byte_is_noticed(self, place: int, difference: int) -> None:
        sealed = bytearray(crypto.seal(KEY, "note", "body_sealed", ROW, "called at noon"))
        sealed[place] ^= difference

        with pytest.raises(Unreadable):
            crypto.unseal(KEY, "note", "body_sealed", ROW, bytes(sealed))

    @pytest.mark.parametrize("length", [0, 1, 12, 28, 30])
    def test_a_value_that_was_cut_short_is_noticed(self, length: int) -> None:
        sealed = crypto.seal(KEY, "note", "body_sealed", ROW, "called at noon")

        with pytest.raises(Unreadable):
            crypto.unseal(KEY, "note", "body_sealed", ROW, sealed[:length])

    @pytest.mark.parametrize(
        ("table", "column", "row"),
        [
            ("person", "given_sealed", new_id()),
            ("person", "family_sealed", ROW),
            ("account", "given_sealed", ROW),
        ],
    )
    def test_a_value_moved_elsewhere_does_not_open(self, table: str, column: str, row: UUID) -> None:
        sealed = crypto.seal(KEY, "person", "given_sealed", ROW, "Ann")

        with pytest.raises(Unreadable):
            crypto.unseal(KEY, table, column, row, sealed)

    def test_another_key_does_not_open_it(self) -> None:
        sealed = crypto.seal(KEY, "person", "given_sealed", ROW, "Ann")

        with pytest.raises(Unreadable):
            crypto.unseal(OTHER_KEY, "person", "given_sealed", ROW, sealed)

    def test_an_unknown_format_is_not_guessed_at(self) -> None:
        sealed = crypto.seal(KEY, "person", "given_sealed", ROW, "Ann")

        with pytest.raises(Unreadable, match="unknown format"):
            crypto.unseal(KEY, "person", "given_sealed", ROW, b"\x02" + sealed[1:])


class TestWrapping:
    def test_a_data_key_opens_for_its_owner_only(self) -> None:
        ring = Keyring.from_settings(entry("k1", 1), secret_key="")
        master_id, wrapped = ring.wrap(KEY, owner=ROW)

        assert ring.unwrap(master_id, wrapped, owner=ROW) == KEY
        with pytest.raises(Unreadable):
            ring.unwrap(master_id, wrapped, owner=new_id())

    def test_the_newest_key_wraps_and_every_key_unwraps(self) -> None:
        old = Keyring.from_settings(entry("k1", 1), secret_key="")
        master_id, wrapped = old.wrap(KEY, owner=ROW)

        rotated = Keyring.from_settings(f"{entry('k2', 2)}, {entry('k1', 1)}", secret_key="")

        assert rotated.unwrap(master_id, wrapped, owner=ROW) == KEY
        assert rotated.wrap(KEY, owner=ROW)[0] == "k2"

    def test_a_key_that_is_gone_is_named(self) -> None:
        master_id, wrapped = Keyring.from_settings(entry("k1", 1), secret_key="").wrap(KEY, owner=ROW)

        with pytest.raises(Unreadable, match="k1 is not configured"):
            Keyring.from_settings(entry("k2", 2), secret_key="").unwrap(master_id, wrapped, owner=ROW)

    def test_another_key_of_the_same_name_does_not_open(self) -> None:
        master_id, wrapped = Keyring.from_settings(entry("k1", 1), secret_key="").wrap(KEY, owner=ROW)

        with pytest.raises(Unreadable):
            Keyring.from_settings(entry("k1", 9), secret_key="").unwrap(master_id, wrapped, owner=ROW)


class TestFingerprints:
    def test_equal_values_are_equal_and_kinds_are_apart(self) -> None:
        ring = Keyring.from_settings("", secret_key="s" * 40)

        assert ring.fingerprint("phone", "+15550100") == ring.fingerprint("phone", "+15550100")
        assert ring.fingerprint("phone", "+15550100") != ring.fingerprint("email", "+15550100")
        assert ring.fingerprint("phone", "+15550100") != ring.fingerprint("phone", "+15550101")

    def test_they_depend_on_the_key(self) -> None:
        one, two = (Keyring.from_settings("", secret_key=letter * 40) for letter in "ab")

        assert one.fingerprint("phone", "+15550100") != two.fingerprint("phone", "+15550100")

    def test_during_a_rotation_a_search_tries_every_key(self) -> None:
        old = Keyring.from_settings(entry("k1", 1), secret_key="")
        rotated = Keyring.from_settings(f"{entry('k2', 2)},{entry('k1', 1)}", secret_key="")

        tried = dict(rotated.fingerprints("phone", "+15550100"))

        assert tried["k1"] == old.fingerprint("phone", "+15550100")
        assert tried["k2"] == rotated.fingerprint("phone", "+15550100")

    def test_the_key_that_wraps_is_not_the_key_that_fingerprints(self) -> None:
        key = Keyring.from_settings("", secret_key="s" * 40).newest

        assert key.wrapping != key.fingerprint


class TestKeyring:
    @pytest.mark.parametrize(
        ("master_key", "complaint"),
        [
            ("nocolon", "each entry is"),
            ("k1:not base64!", "is not base64"),
            ("k1:gr\u00fc\u00df", "is not base64"),
            (f"k1:{base64.b64encode(b'short').decode()}", "32 bytes"),
            (f":{base64.b64encode(bytes(32)).decode()}", "each entry is"),
            (entry("k 1", 1), "each entry is"),
            (entry("k" * 33, 1), "each entry is"),
            (f"{entry('k1', 1)},{entry('k1', 2)}", "same id"),
        ],
    )
    def test_a_malformed_entry_is_refused_without_showing_it(self, master_key: str, complaint: str) -> None:
        with pytest.raises(BadSettings, match=complaint) as refused:
            Keyring.from_settings(master_key, secret_key="")

        assert master_key.partition(":")[2] == "" or master_key.partition(":")[2] not in refused.value.message

    def test_without_one_the_secret_gives_a_key_that_stays(self) -> None:
        secret = base64.b64encode(os.urandom(33)).decode()

        one, two = Keyring.from_settings("", secret_key=secret), Keyring.from_settings(" , ", secret_key=secret)

        assert one.newest.wrapping == two.newest.wrapping
