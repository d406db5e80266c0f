"""What people mean by what they type: typos, brands, Spanish, abbreviations, and words of several meanings."""

import csv
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from screening.errors import InvalidVocabulary
from screening.finding.conditions import SHARED, packaged_conditions, read_conditions
from screening.finding.directory import MOST_CANDIDATES, Directory, packaged_directory
from screening.finding.nameindex import Fit, NameIndex
from screening.medicine_names import tidy
from screening.medicines import NameKind, packaged_formulary
from screening.terms import EITHER, PrefixTerms
from screening.vocabulary import About
from tests.real_data import DATA, needs

CONDITION, MEDICINE = About.CONDITION, About.MEDICINE


def codes(about: About, typed: str, language: str = "en") -> list[str]:
    return [one.entry.code.code for one in packaged_directory(about).suggest(typed, language)]


def settled(about: About, typed: str) -> str | None:
    found = packaged_directory(about).settle(typed, "en")
    return None if found is None else found.entry.code.code


class TestSuggest:
    @pytest.mark.parametrize(
        ("about", "typed", "code"),
        [
            (CONDITION, "heart at", "I21+I22+I25.2"),
            (CONDITION, "hart attack", "I21+I22+I25.2"),
            (CONDITION, "diabetis", "E11"),
            (CONDITION, "hypertention", "I10-I1A"),
            (CONDITION, "alzimers", "G30"),
            (CONDITION, "fibermialgia", "M79.7"),
            (CONDITION, "GERD", "K21"),
            (CONDITION, "t2dm", "E11"),
            (CONDITION, "presion alta", "I10-I1A"),
            (CONDITION, "PRESIÓN  ALTA", "I10-I1A"),
            (CONDITION, "azúcar", "E11"),
            (CONDITION, "epoc", "J44"),
            (CONDITION, "crohn's", "K50"),
            (CONDITION, "I have really bad asthma", "J45"),
            (MEDICINE, "metfromin", "A10BA02"),
            (MEDICINE, "Metformin HCl 500 mg tablets", "A10BA02"),
            (MEDICINE, "ozempik", "A10BJ06"),
            (MEDICINE, "acetaminofen", "N02BE01"),
            (MEDICINE, "metformina", "A10BA02"),
            (MEDICINE, "blood thin", "B01A"),
        ],
    )
    def test_puts_what_is_meant_first(self, about: About, typed: str, code: str) -> None:
        assert codes(about, typed)[0] == code

    def test_shows_a_brand_with_what_it_contains(self) -> None:
        found = packaged_directory(MEDICINE)

        assert found.suggest("ozem", "en")[0].label == "Ozempic (semaglutide)"
        assert found.suggest("ozem", "es")[0].label == "Ozempic (semaglutida)"

    def test_says_names_in_the_language_of_the_page(self) -> None:
        assert packaged_directory(CONDITION).suggest("heart attack", "es")[0].label == "Ataque al corazón"

    def test_orders_by_fit_then_by_how_often_people_name_it(self) -> None:
        scores = [one.score for one in packaged_directory(CONDITION).suggest("heart", "en")]
        labels = [one.label for one in packaged_directory(CONDITION).suggest("asthm", "en")]

        assert scores == sorted(scores, reverse=True)
        assert labels[0] == "Asthma"

    @given(st.text(max_size=120))
    @example("\x00")
    @example("a" * 5_000)
    @example("' OR 1=1 --")
    @example("٣٤٥ \ud800")
    def test_takes_whatever_is_typed(self, typed: str) -> None:
        for about in (CONDITION, MEDICINE):
            first = packaged_directory(about).suggest(typed, "en")

            assert len(first) <= MOST_CANDIDATES
            assert first == packaged_directory(about).suggest(typed, "en")
            assert len({one.label for one in first}) == len(first)
            packaged_directory(about).settle(typed, "en")

    @pytest.mark.parametrize("typed", ["", " ", "a", "?", "xqzzv"])
    def test_finds_nothing_for_nothing(self, typed: str) -> None:
        assert codes(CONDITION, typed) == []


class TestSettle:
    @pytest.mark.parametrize(
        "typed", ["sugar", "thyroid", "arthritis", "diabetes", "azúcar", "lupus", "Hepatitis"]
    )
    def test_asks_where_a_word_means_several_things(self, typed: str) -> None:
        assert settled(CONDITION, typed) is None
        assert len(set(codes(CONDITION, typed))) > 1

    @pytest.mark.parametrize("typed", ["asthna", "diabetis", "asthm", "bad asthma", "MS", "pe", ""])
    def test_asks_where_the_words_are_no_whole_name_or_very_short(self, typed: str) -> None:
        assert settled(CONDITION, typed) is None

    @pytest.mark.parametrize(
        ("about", "typed", "code"),
        [
            (CONDITION, "Asthma", "J45"),
            (CONDITION, "migraines", "G43"),
            (MEDICINE, "metformin 500 mg", "A10BA02"),
            (MEDICINE, "Ozempic", "A10BJ06"),
        ],
    )
    def test_takes_the_whole_name_of_one_thing(self, about: About, typed: str, code: str) -> None:
        assert settled(about, typed) == code

    def test_takes_no_name_that_several_medicines_bear(self) -> None:
        shared = {name.text for name in packaged_formulary().names() if name.is_shared}

        assert shared
        assert {text for text in shared if settled(MEDICINE, text) is not None} == set()


def every_name() -> Iterator[tuple[About, str, str]]:
    for line in packaged_conditions().lines:
        for text in line.every_name():
            yield CONDITION, text, line.affirmed.code
    for name in packaged_formulary().names():
        yield MEDICINE, name.text, EITHER.join(name.codes)


def test_every_name_finds_its_code_first_or_among_equals() -> None:
    amiss = []
    for about, text, code in every_name():
        found = packaged_directory(about).suggest(text, "en", limit=40)
        best = {one.entry.code.code for one in found if one.score == found[0].score}
        if code not in best and len(tidy(text)) > 1:
            amiss.append((text, code, sorted(best)[:3]))

    assert amiss == []


@pytest.mark.parametrize("typed", ["lupu5", "luppus", "lupuxs", "luus", "ulpus"])
def test_one_letter_less_more_other_or_two_swapped_is_one_typo(typed: str) -> None:
    assert [hit.fit for hit in NameIndex(["lupus", "gout"]).search(typed)] == [Fit.TYPO]


@given(st.data())
def test_one_slip_in_a_word_is_forgiven(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([line.name for line in packaged_conditions().lines if len(line.name) > 6]))
    words = tidy(name).split()
    word = max(words, key=len)
    at = data.draw(st.integers(0, len(word) - 1))
    slips = (word[:at] + word[at + 1 :], word[:at] + "q" + word[at:], word[:at] + "q" + word[at + 1 :])
    misspelt = " ".join(data.draw(st.sampled_from(slips)) if one == word else one for one in words)

    found = packaged_directory(CONDITION).suggest(misspelt, "en", limit=100)

    if len(word) > 5:
        assert name.casefold() in [one.label.casefold() for one in found]


class TestTable:
    def test_is_large_enough_and_sorted(self) -> None:
        names = [line.name for line in packaged_conditions().lines]

        assert len(names) >= 600
        assert [tidy(name) for name in names] == sorted(map(tidy, names))
        assert len(set(names)) == len(names)

    def test_marks_every_name_that_several_lines_bear(self) -> None:
        lines = packaged_conditions().lines
        borne = Counter(text for line in lines for text in {tidy(name) for name in line.every_name()})
        written = [name for line in lines for name in (*line.names, *line.spanish_names)]

        assert [n for n in written if not n.startswith(SHARED) and borne[tidy(n)] > 1] == []
        assert [n for n in written if n.startswith(SHARED) and borne[tidy(n)] == 1] == []

    def test_every_code_is_written_as_one(self) -> None:
        assert [line.name for line in packaged_conditions().lines if PrefixTerms().problem(line.affirmed)] == []

    @needs("terminology")
    def test_every_code_exists(self) -> None:
        with (DATA / "terminology" / "icd10cm_terms.tsv").open(encoding="utf-8") as file:
            known = {row["code"] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}
        named = {
            code: line.name
            for line in packaged_conditions().lines
            for one in line.codes
            for code in one.split("-")
        }

        assert {name for code, name in named.items() if code not in known} == set()

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "name;icd\n",
            "condition;icd;often;names;spanish;spanish_names\nasthma;J45;4;;asma;",
            "condition;icd;often;names;spanish;spanish_names\nasthma;;1;;asma;",
            "condition;icd;often;names;spanish;spanish_names\nasthma;J45;1;;asma",
        ],
    )
    def test_refuses_a_table_of_another_shape(self, text: str) -> None:
        with pytest.raises(InvalidVocabulary, match=r"conditions\.csv"):
            read_conditions(text)


def test_a_label_belongs_to_its_code() -> None:
    directory = packaged_directory(MEDICINE)

    assert directory.knows("A10BJ06", "Ozempic (semaglutide)")
    assert directory.knows("A10BJ06", "Ozempic (semaglutida)")
    assert not directory.knows("A10BJ06", "Metformin")
    assert not directory.knows("A10BA02", "Ozempic (semaglutide)")


def test_a_directory_of_nothing_finds_nothing() -> None:
    assert Directory(()).suggest("asthma", "en") == ()


def test_a_brand_is_not_taken_for_its_ingredient() -> None:
    brands = {name.text for name in packaged_formulary().names() if name.kind is NameKind.BRAND}

    assert "Flonase" in brands
    assert settled(MEDICINE, "Flonase") != settled(MEDICINE, "fluticasone")
