import pytest
from argon2 import PasswordHasher, extract_parameters

from recruit.accounts import passwords
from recruit.accounts.passwords import Weakness, hash_password, is_outdated, matches, weakness

GOOD = "violet gravel teapot orbit"


class TestStoring:
    def test_is_argon2id_above_the_floor(self) -> None:
        stored = hash_password(GOOD)

        parameters = extract_parameters(stored)

        assert stored.startswith("$argon2id$")
        assert parameters.memory_cost >= 19456
        assert parameters.time_cost >= 2
        assert parameters.parallelism == 1

    def test_opens_with_the_same_password_only(self) -> None:
        stored = hash_password(GOOD)

        assert matches(stored, GOOD)
        assert not matches(stored, GOOD + " ")
        assert not matches(stored, "")

    def test_opens_however_a_keyboard_composes_its_letters(self) -> None:
        stored = hash_password("r\u00e9sum\u00e9 de caf\u00e9 violet")

        assert matches(stored, "re\u0301sume\u0301 de cafe\u0301 violet")

    def test_takes_every_character_and_great_length(self) -> None:
        odd = "\x00\ud800" + "x" * 60_000

        assert matches(hash_password(odd), odd)

    def test_without_a_stored_password_nothing_matches(self) -> None:
        assert not matches(None, GOOD)
        assert not matches(None, "")
        assert not matches("not a hash", GOOD)

    def test_the_work_for_nobody_is_the_work_for_somebody(self) -> None:
        nobody = extract_parameters(passwords._nobody())

        assert nobody == extract_parameters(hash_password(GOOD))

    def test_knows_what_was_stored_with_less_work(self) -> None:
        old = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1).hash(GOOD)

        assert matches(old, GOOD)
        assert is_outdated(old)
        assert not is_outdated(hash_password(GOOD))


class TestWeakness:
    @pytest.mark.parametrize(
        "password",
        [
            GOOD,
            "Xk7#pQ9!vR2@mZ5",
            "mi abuela cocina mejillones",
            "thirteen plums on a bicycle",
            "пятнадцать жёлтых трамваев",
            "x7" + "lk2vq9zjw4mfh8rt" * 3 + "end of a password manager's own",
        ],
    )
    def test_takes_what_is_long_and_unexpected(self, password: str) -> None:
        assert weakness(password) is None

    def test_asks_for_length_and_for_nothing_else(self) -> None:
        assert weakness("Xk7#pQ9!vR2@mZ") is Weakness.SHORT
        assert weakness("plum trolley quilts") is None

    def test_allows_64_characters_and_many_more(self) -> None:
        long = "".join(chr(ord("a") + (7 * n * n) % 26) + str(n * n % 97) for n in range(80))

        assert weakness(long[:64]) is None
        assert weakness(long[:200]) is None
        assert weakness("q" * 257) is Weakness.LONG

    @pytest.mark.parametrize(
        "password",
        [
            "aaaaaaaaaaaaaaaaaaaa",
            "abcabcabcabcabcabc",
            "123456789012345678",
            "qwertyuiopasdfghjkl",
            "qwertzuiop1234567890",
            "passwordpassword1",
            "P@ssw0rdP@ssw0rd!",
            "correct horse battery staple",
            "Summer2026Summer2026!",
            "contraseñasegura2026".replace("segura", "secreta"),
            "zyxwvutsrqponmlkjih",
            "november2026welcome",
            "0987654321qwertyuiop",
        ],
    )
    def test_refuses_what_is_made_of_predictable_parts(self, password: str) -> None:
        assert weakness(password) is Weakness.GUESSABLE

    @pytest.mark.parametrize("password", ["sunrise-research-2026", "AnaOrtizAnaOrtiz", "ana.ortiz@example.org"])
    def test_refuses_what_is_known_about_the_person(self, password: str) -> None:
        about = ("Ana Ortiz", "ana.ortiz@example.org", "Sunrise Research")

        assert weakness(password, about=about) is Weakness.GUESSABLE

    def test_answers_quickly_to_the_worst_text(self) -> None:
        assert weakness("ab" * 128) is Weakness.GUESSABLE
        assert weakness("\x00" * 256) is Weakness.GUESSABLE
