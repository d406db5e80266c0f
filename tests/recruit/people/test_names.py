"""Names as search keys, and as evidence that two entries are one person."""

from __future__ import annotations

from datetime import date

import pytest

from recruit.people import names

BORN = date(1976, 3, 9)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Robert", "R163"),
        ("Rupert", "R163"),
        ("Ashcraft", "A261"),
        ("Tymczak", "T522"),
        ("Pfister", "P236"),
        ("Honeyman", "H555"),
        ("Gutierrez", "G362"),
        ("Lee", "L000"),
        ("李", ""),
    ],
)
def test_sounds_follow_the_national_archives(name: str, code: str) -> None:
    assert names.sound(name) == code


@pytest.mark.parametrize(
    ("typed", "matches"),
    [
        ("oconnor", True),
        ("O\u2019Connor", True),
        ("o'con", True),
        ("Núñez", True),
        ("nunez", True),
        ("n", False),
    ],
)
def test_a_name_is_found_without_accents_marks_and_by_its_beginning(typed: str, matches: bool) -> None:
    keys = names.search_keys("Núñez", "O'Connor")

    groups = names.query_keys(typed)

    assert all(keys & set(group) for group in groups) is matches


@pytest.mark.parametrize(
    ("given", "birth", "family", "same"),
    [
        (("Ana", "ANA"), (BORN, BORN), ("Ruiz", "Gomez"), True),
        (("José", "Jose"), (BORN, BORN), ("Ruiz", "Ruiz"), True),
        (("Ana", "Ana"), (BORN, None), ("Ruiz", "Ruiz"), False),
        (("Ana", "Ana"), (None, None), ("Ruiz", "Ruiz"), False),
        (("", ""), (BORN, BORN), ("Ruiz", "Ruiz"), False),
        (("Ana", "Eva"), (BORN, BORN), ("Ruiz", "Ruiz"), False),
        (("John", "John"), (BORN, BORN), ("Doe Jr.", "Doe"), False),
        (("John", "John"), (BORN, BORN), ("Doe, III", "Doe III"), True),
    ],
)
def test_only_first_name_and_birth_date_together_are_certain(
    given: tuple[str, str], birth: tuple[date | None, date | None], family: tuple[str, str], same: bool
) -> None:
    assert names.certainly_same(given=given, birth=birth, family=family) is same
