"""The vocabulary: complete, consistent, and open for a study's own facts."""

from __future__ import annotations

from typing import Any

import pytest

from screening.errors import InvalidVocabulary, UnknownKey
from screening.facts import Code, Denial, DenialScope, Statement, StatementStatus
from screening.terms import ICD10CM, CodeSet, PrefixTerms
from screening.vocabulary import KeyKind, Policy, Vocabulary, packaged_vocabulary, read_key, read_vocabulary

TERMS = PrefixTerms()
PACKAGED = packaged_vocabulary()
FLAG: dict[str, Any] = {"kind": "flag", "label": {"en": "Can swallow"}, "told_by": ["participant"]}


class TestPackaged:
    def test_has_at_least_sixty_keys(self) -> None:
        assert len(PACKAGED) >= 60

    def test_is_labelled_in_both_languages_and_asks_what_a_participant_can_tell(self) -> None:
        for key in PACKAGED:
            assert set(key.label) == {"en", "es"}, key.name
            assert not key.participant_can_tell or set(key.question) == {"en", "es"}, key.name
            assert all(set(option.label) == {"en", "es"} for option in key.choices), key.name
            assert not key.hint or set(key.hint) == {"en", "es"}, key.name

    def test_codes_are_well_written_and_a_plain_yes_is_something_that_a_no_denies(self) -> None:
        for key in PACKAGED:
            affirmed = [option.affirms for option in key.choices if option.affirms]
            affirmed += [key.affirms] if key.affirms else []
            codes = [key.code(code) for code in (*affirmed, *key.denies)] if key.about else []

            assert not [code for code in codes if TERMS.problem(code)], key.name
            assert all(CodeSet.of(TERMS, [key.code(c)]).overlaps(key.denied(TERMS)) for c in affirmed), key.name

    def test_whatever_can_change_expires(self) -> None:
        for key in PACKAGED:
            lasting = {"birth", "sex", "height", "preferred_language", "understands_english"}
            assert key.validity is not None or key.name in lasting, key.name

    def test_limits_are_in_order(self) -> None:
        for key in PACKAGED:
            if key.plausible and key.usual:
                assert key.usual.range.within(key.plausible.range), key.name

    def test_computed_keys_read_height_and_weight_in_the_units_they_count_on(self) -> None:
        assert (PACKAGED["height"].unit, PACKAGED["weight"].unit) == ("cm", "kg")
        assert PACKAGED["bmi"].computed is not None
        assert PACKAGED["bmi"].computed.inputs == ("height", "weight")


class TestAnswers:
    def test_a_yes_states_and_a_no_denies(self) -> None:
        diabetes = PACKAGED["condition.diabetes"]

        assert diabetes.affirmation() == Statement(Code(ICD10CM, "E08-E13"), StatementStatus.CURRENT)
        assert diabetes.affirmation(choice="type_2").code == Code(ICD10CM, "E11")
        assert diabetes.denial() == Denial((Code(ICD10CM, "E08-E13"),))

    def test_a_closed_list_denies_what_was_not_ticked(self) -> None:
        heart = PACKAGED["condition.heart"]

        *statements, denial = heart.closed_list({"heart_failure", "angina"})

        assert [str(s.code) for s in statements if isinstance(s, Statement)] == ["I20", "I50"]
        assert isinstance(denial, Denial)
        assert [str(code) for code in denial.but] == ["I20", "I50"]

    def test_a_medicine_s_no_is_about_now(self) -> None:
        assert PACKAGED["medicine.metformin"].denial().scope is DenialScope.CURRENT

    def test_an_unknown_option_is_named(self) -> None:
        with pytest.raises(UnknownKey, match="did you mean type_2"):
            PACKAGED["condition.diabetes"].affirmation(choice="type2")


class TestLookup:
    def test_a_missing_key_suggests_the_nearest(self) -> None:
        with pytest.raises(UnknownKey, match="did you mean pregnant"):
            PACKAGED["pregnat"]

    def test_a_study_s_own_keys_join_under_their_prefix(self) -> None:
        own = read_key("study.swallow", FLAG)

        extended = PACKAGED.extended([own])

        assert extended["study.swallow"].policy is Policy.PER_SOURCE
        assert extended.version != PACKAGED.version
        assert PACKAGED.get("study.swallow") is None

    @pytest.mark.parametrize("name", ["swallow", "birth"])
    def test_a_study_cannot_take_another_name(self, name: str) -> None:
        with pytest.raises(InvalidVocabulary, match="is named study"):
            PACKAGED.extended([read_key(name, FLAG)])

    def test_two_keys_of_one_name_are_refused(self) -> None:
        key = read_key("study.swallow", FLAG)

        with pytest.raises(InvalidVocabulary, match="twice"):
            PACKAGED.extended([key, key])

    def test_the_version_follows_what_is_said(self) -> None:
        before = Vocabulary([read_key("study.a", FLAG)])
        after = Vocabulary([read_key("study.a", {**FLAG, "label": {"en": "Other words"}})])

        assert before.version != after.version
        assert before.version == Vocabulary([read_key("study.a", dict(FLAG))]).version


class TestReading:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"colour": "red"}, "colour"),
            ({"kind": "poem"}, "kind"),
            ({"label": {"es": "Hola"}}, "label.en"),
            ({"told_by": []}, "told_by"),
            ({"unit": "kg"}, "has a unit"),
            ({"kind": "quantity"}, "has a unit"),
            ({"kind": "quantity", "unit": "kg", "units": ["cm"]}, "cannot be turned"),
            ({"kind": "quantity", "unit": "nonsense"}, "not a unit"),
            ({"kind": "quantity", "unit": "kg", "plausible": [1, 2]}, "written as text"),
            ({"kind": "choice"}, "at least two"),
            ({"kind": "coded", "about": "condition"}, "what its no denies"),
            ({"kind": "coded"}, "what it is about"),
            ({"validity": "soon"}, "6 months"),
            ({"computed": {"function": "magic", "inputs": ["birth"]}}, "no computation"),
        ],
    )
    def test_a_key_that_contradicts_itself_is_refused(self, change: dict[str, Any], message: str) -> None:
        with pytest.raises(InvalidVocabulary, match=message):
            read_key("study.a", {**FLAG, **change})

    def test_a_key_computed_from_nothing_is_refused(self) -> None:
        computed = {"function": "sum_of_items", "inputs": ["nowhere"]}
        table = {**FLAG, "kind": "quantity", "unit": "kg", "computed": computed}

        with pytest.raises(InvalidVocabulary, match="does not exist"):
            Vocabulary([read_key("study.a", table)])

    @pytest.mark.parametrize("source", ["", "key = 3", "[key.a", "[keys.a]\nkind = 'flag'"])
    def test_a_file_that_is_no_vocabulary_is_refused(self, source: str) -> None:
        with pytest.raises(InvalidVocabulary):
            read_vocabulary(source)

    def test_an_english_text_stands_in_where_a_language_is_missing(self) -> None:
        key = read_key("study.a", FLAG)

        assert (key.text("label", "es"), key.text("question", "es"), key.kind) == (
            "Can swallow",
            "",
            KeyKind.FLAG,
        )
