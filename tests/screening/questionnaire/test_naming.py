"""A question to which people name conditions or medicines: what is read, kept, asked back, said and stated."""

from datetime import UTC, datetime
from itertools import count
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from screening.asking.answers import parse
from screening.asking.assertions import facts_from, stated
from screening.asking.conditions import Is, holds
from screening.asking.forms import PICKED, TYPED
from screening.asking.items import Item, NamedList, fact_keys, item_texts
from screening.asking.responses import (
    Answer,
    Declined,
    DontKnow,
    Named,
    Told,
    answer_from_json,
    answer_to_json,
    as_form,
)
from screening.asking.summary import describe
from screening.facts import Absence, Code, EvidenceSource, Statement, StatementStatus
from screening.slips import Problems, Slip
from tests.screening.questionnaire.documents import (
    SELF,
    TODAY,
    both,
    denies,
    make_document,
    option,
    typed,
)

EVERYTHING = {"system": "icd-10-cm", "code": "*"}
NAMED: dict[str, object] = typed(
    "named_list",
    "others",
    about="condition",
    key="condition.any",
    allow_unknown=True,
    none=option(
        "none", asserts=denies(EVERYTHING, key="condition.any"), text=both("I have no others", "Ninguna")
    ),
)


def item(**changes: object) -> NamedList:
    """Give a question for other conditions."""
    made: Item = TypeAdapter[Item](Item).validate_python(NAMED | changes)
    assert isinstance(made, NamedList)
    return made


def read(form: dict[str, list[str]], **changes: object) -> Answer | Problems:
    return parse(item(**changes), form, language="en", on=TODAY)


def slips(form: dict[str, list[str]], **changes: object) -> list[Slip]:
    found = read(form, **changes)
    assert isinstance(found, Problems), found
    return [problem.slip for problem in found.items]


def told(form: dict[str, list[str]], **changes: object) -> tuple[Told, ...]:
    found = read(form, **changes)
    assert isinstance(found, Named), found
    return found.told


ASTHMA = Told(words="asthma", code="J45", label="Asthma")
SUGAR = Told(words="sugar", code="E11", label="Type 2 diabetes")
OWN = Told(words="wandering spleen thing")


class TestReading:
    def test_takes_the_whole_name_of_one_thing(self) -> None:
        assert told({"answer": ["asthma"]}) == (ASTHMA,)

    def test_asks_what_a_word_of_several_meanings_means(self) -> None:
        assert slips({"answer": ["sugar"]}) == [Slip.CHOOSE_MEANING]

    def test_asks_about_what_it_does_not_find(self) -> None:
        assert slips({"answer": [OWN.words]}) == [Slip.CHOOSE_MEANING]

    def test_keeps_the_words_beside_the_code_that_was_chosen(self) -> None:
        form = {"answer": ["sugar"], "asked": ["sugar"], "meant": ["E11|Type 2 diabetes"]}

        assert told(form) == (SUGAR,)

    def test_keeps_the_words_that_stood_there_before_a_suggestion_was_taken(self) -> None:
        form = {
            "answer": ["Type 2 diabetes"], "asked": ["Type 2 diabetes"],
            "typed": ["sugar"], "meant": ["E11|Type 2 diabetes"],
        }  # fmt: skip

        assert told(form) == (SUGAR,)

    def test_keeps_words_for_which_nothing_was_chosen(self) -> None:
        assert told({"answer": [OWN.words], "asked": [OWN.words], "meant": ["own"]}) == (OWN,)

    def test_does_not_take_a_choice_for_words_that_have_changed_since(self) -> None:
        form = {"answer": ["thyroid"], "asked": ["sugar"], "meant": ["E11|Type 2 diabetes"]}

        assert slips(form) == [Slip.CHOOSE_MEANING]

    def test_adds_to_what_was_named_before_and_stays_while_looking_up(self) -> None:
        form = {"named": [ASTHMA.token], "answer": ["migraine"]}

        assert [one.code for one in told(form)] == ["J45", "G43"]
        assert slips({**form, "look_up": ["1"]}) == [Slip.NAME_MORE]

    def test_names_the_same_thing_once(self) -> None:
        assert told({"named": [ASTHMA.token], "answer": ["asthma"]}) == (ASTHMA,)

    @pytest.mark.parametrize(
        "form",
        [
            {"named": ["E11|Asthma|sugar"]},
            {"named": ["Z99|Nonsense|x"]},
            {"named": ["J45|Asthma|"]},
            {"named": ["||"]},
            {"answer": ["sugar"], "asked": ["sugar"], "meant": ["E11|Cured"]},
            {"none": ["all"]},
        ],
    )
    def test_refuses_what_the_page_did_not_offer(self, form: dict[str, list[str]]) -> None:
        assert slips(form) == [Slip.UNKNOWN_OPTION]

    def test_wants_a_name_or_that_there_is_none(self) -> None:
        assert slips({}) == [Slip.REQUIRED]
        assert slips({"look_up": ["1"]}) == [Slip.REQUIRED]
        assert slips({"none": ["none"], "answer": ["asthma"]}) == [Slip.NONE_AND_SOME]
        assert slips({"none": ["none"], "named": [ASTHMA.token]}) == [Slip.NONE_AND_SOME]
        assert slips({"instead": ["dont_know"], "named": [ASTHMA.token]}) == [Slip.ANSWER_AND_INSTEAD]
        assert read({"instead": ["dont_know"]}) == DontKnow(on=TODAY)
        assert read({"none": ["none"]}) == Named(on=TODAY, none="none")

    def test_has_limits(self) -> None:
        assert slips({"answer": ["x" * 101]}) == [Slip.TOO_LONG]
        assert slips({"named": [ASTHMA.token, SUGAR.token]}, most=1) == [Slip.NAMED_TOO_MANY]

    @given(
        st.dictionaries(
            st.sampled_from((*TYPED, *PICKED)),
            st.lists(
                st.text(max_size=40) | st.sampled_from([ASTHMA.token, "sugar", "own", "E11|x"]), max_size=3
            ),
            max_size=6,
        )
    )
    def test_reads_any_form_into_an_answer_or_problems(self, form: dict[str, list[str]]) -> None:
        found = read(form)

        if not isinstance(found, Problems):
            assert answer_from_json(answer_to_json(found)) == found
            assert read(as_form(found)) == found


class TestStating:
    def test_states_codes_with_the_words_and_leaves_the_rest_open(self) -> None:
        numbers = (UUID(int=number) for number in count(1))
        facts = facts_from(
            make_document(NAMED),
            {"others": Named(on=TODAY, told=(SUGAR, OWN))},
            SELF,
            recorded_at=datetime(2026, 11, 22, 17, tzinfo=UTC),
            source=EvidenceSource.PARTICIPANT_ONLINE,
            new_id=lambda: next(numbers),
        )

        assert [(fact.key, fact.value, fact.raw) for fact in facts] == [
            ("condition.any", Statement(Code("icd-10-cm", "E11"), StatementStatus.CURRENT), "sugar"),
            ("condition.any", Absence.DONT_KNOW, "wandering spleen thing"),
        ]

    def test_states_a_medicine_in_its_own_code_system(self) -> None:
        asked = item(about="medicine", key="medicine.any", status="past", none=None)
        found = parse(asked, {"answer": ["Ozempic"]}, language="en", on=TODAY)
        assert isinstance(found, Named)

        assert list(stated(asked, found)) == [
            ("medicine.any", Statement(Code("atc", "A10BJ06"), StatementStatus.PAST))
        ]

    def test_denies_only_where_somebody_said_that_there_is_none(self) -> None:
        nothing = list(stated(item(), Named(on=TODAY, none="none")))

        assert [key for key, _ in nothing] == ["condition.any"]
        assert [
            str(getattr(value, "codes", "")) for _, value in stated(item(), Named(on=TODAY, told=(OWN,)))
        ] == [""]

    def test_knows_its_keys_and_texts(self) -> None:
        assert fact_keys(item()) == ("condition.any",)
        assert "options.none.text" in dict(item_texts(item()))


class TestSaying:
    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            (Named(on=TODAY, told=(ASTHMA,)), "Asthma"),
            (Named(on=TODAY, told=(SUGAR, OWN)), "Type 2 diabetes (“sugar”); “wandering spleen thing”"),
            (Named(on=TODAY, none="none"), "I have no others"),
            (DontKnow(on=TODAY), "I don't know"),
        ],
    )
    def test_says_labels_and_words(self, answer: Answer, words: str) -> None:
        assert describe(answer, item(), "en") == words

    def test_gives_its_form_back(self) -> None:
        answer = Named(on=TODAY, told=(SUGAR, OWN))

        assert read(as_form(answer)) == answer


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (Named(on=TODAY, none="none"), True),
        (Named(on=TODAY, told=(OWN,)), False),
        (Declined(on=TODAY), None),
    ],
)
def test_a_condition_may_ask_whether_there_was_nothing_to_name(answer: Answer, verdict: bool | None) -> None:
    assert holds(Is(item="others", code="none"), {"others": answer}, SELF) is verdict
