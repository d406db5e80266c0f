"""Keys are unique, in order of time, unguessable, and the same again for the demo."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from recruit import ids


class TestIds:
    def test_are_unique_across_threads(self) -> None:
        with ThreadPoolExecutor(8) as pool:
            made = [
                key
                for keys in pool.map(lambda _: [ids.new_id() for _ in range(5000)], range(8))
                for key in keys
            ]

        assert len(set(made)) == 40_000

    def test_follow_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        moments = iter(range(1_700_000_000_000, 1_700_000_001_000))
        monkeypatch.setattr(ids, "time_ns", lambda: next(moments) * 1_000_000)
        monkeypatch.setattr(ids, "_stamps", ids._Stamps())

        made = [ids.new_id() for _ in range(1000)]

        assert made == sorted(made)
        assert [key.int >> 80 for key in made[:2]] == [1_700_000_000_000, 1_700_000_000_001]

    def test_are_in_order_also_within_a_millisecond_and_when_the_clock_is_set_back(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        moments = iter([5_000] * 6_000 + [4_000] * 1_000)
        monkeypatch.setattr(ids, "time_ns", lambda: next(moments) * 1_000_000)
        monkeypatch.setattr(ids, "_stamps", ids._Stamps())

        made = [ids.new_id() for _ in range(7_000)]

        assert made == sorted(made)

    def test_are_in_order_for_a_seed_too(self) -> None:
        with ids.seeded(7):
            made = [ids.new_id() for _ in range(1000)]

        assert made == sorted(made)

    def test_are_uuids_of_version_7(self) -> None:
        made = [ids.new_id() for _ in range(1000)]

        assert {key.version for key in made} == {7}
        assert {key.variant for key in made} == {"specified in RFC 4122"}


class TestChance:
    @pytest.mark.parametrize(
        "make", [ids.new_id, ids.new_token, lambda: ids.new_code(6), lambda: ids.new_slug(9)]
    )
    def test_a_seed_gives_the_same_again(self, make: object) -> None:
        assert callable(make)

        with ids.seeded(7):
            first = [make() for _ in range(50)]
        with ids.seeded(7):
            again = [make() for _ in range(50)]
        with ids.seeded(8):
            other = [make() for _ in range(50)]

        assert first == again
        assert first != other
        assert len({str(one) for one in first}) == 50

    def test_ends_with_its_context(self) -> None:
        with ids.seeded(7):
            inside = ids.new_token()
        outside = ids.new_token()

        with ids.seeded(7):
            assert ids.new_token() == inside
        assert outside != inside

    def test_a_seed_does_not_leak_into_other_threads(self) -> None:
        with ids.seeded(7) as generator:
            state = generator.getstate()
            with ThreadPoolExecutor(1) as pool:
                pool.submit(ids.new_token).result()

            assert generator.getstate() == state


class TestTokens:
    def test_hold_256_bits(self) -> None:
        made = {ids.new_token() for _ in range(1000)}

        assert len(made) == 1000
        assert min(len(token) for token in made) >= 43

    def test_only_their_hash_is_stored_and_any_text_has_one(self) -> None:
        assert ids.token_hash("a") != ids.token_hash("b")
        assert len(ids.token_hash("\ud800 and \x00")) == 32

    def test_codes_are_digits_and_slugs_have_no_look_alikes(self) -> None:
        codes = {ids.new_code(6) for _ in range(500)}
        slugs = "".join(ids.new_slug(12) for _ in range(500))

        assert all(len(code) == 6 and code.isascii() and code.isdigit() for code in codes)
        assert not set(slugs) & set("0O1Il")
