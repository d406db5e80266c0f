"""Files that claim to be JSON."""

from __future__ import annotations

import pytest

from recruit.interop.jsonfile import InvalidFile, loads


class TestLoads:
    @pytest.mark.parametrize(
        ("data", "document"),
        [
            (b'{"a": [1, 2.5, null, true]}', {"a": [1, 2.5, None, True]}),
            (b"\xef\xbb\xbf[]", []),
            ('"\u00e9 \U0001f600"'.encode(), "\u00e9 \U0001f600"),
            (b'"\\ud83d\\ude00"', "\U0001f600"),
            (b'{"a": 1, "a": 2}', {"a": 2}),
        ],
    )
    def test_reads_json(self, data: bytes, document: object) -> None:
        read = loads(data)

        assert read == document

    @pytest.mark.parametrize(
        ("data", "says"),
        [
            (b"", "empty"),
            (b" \n", "empty"),
            (b'{"a": \xff}', "not UTF-8 text .byte 7"),
            ('{"a": 1}'.encode("utf-16"), "not UTF-8"),
            (b"<html>", "not JSON: Expecting value .line 1, column 1"),
            (b'{"a": 1,}', "not JSON"),
            (b'{"a": NaN}', "NaN"),
            (b"[Infinity]", "Infinity"),
            (b"[-Infinity]", "-Infinity"),
            (b"[1e999]", "too large"),
            (b"[" + b"9" * 5_000 + b"]", "too many digits"),
            (b'{"\\ud800": 1}', "lone surrogate"),
            (b'["\\udc00 alone"]', "lone surrogate"),
            (b"[" * 101 + b"]" * 101, "deeper than 100"),
            (b"[" * 100_000, "deeper than 100"),
            (b'{"a":' * 200 + b"1" + b"}" * 200, "deeper than 100"),
            (b'"a' + b"a" * 2_000 + b'"', "larger than 0.00"),
        ],
    )
    def test_says_what_is_wrong(self, data: bytes, says: str) -> None:
        limit = 2_000 if b"aaaa" in data else 1_000_000

        with pytest.raises(InvalidFile, match=says) as refusal:
            loads(data, limit=limit)

        assert refusal.value.code == "invalid_file"

    def test_takes_a_hundred_levels(self) -> None:
        data = b"[" * 99 + b"1" + b"]" * 99

        read = loads(data)

        assert isinstance(read, list)
