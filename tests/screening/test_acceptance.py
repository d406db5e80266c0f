"""Acceptance rules: each accepts exactly whom its criterion does not rule out, or is reported as broken."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from decimal import Decimal
from functools import cache

import pytest

from screening.acceptance.reading import Acceptance, Fault, Reading, read_acceptance
from screening.acceptance.screener import (
    AnswerForm,
    Certainty,
    Offered,
    Question,
    Screener,
    read_question,
)
from screening.acceptance.screener import read_rule as read_acceptance_rule
from screening.errors import InvalidCriteria
from screening.language.checks import publishing_problems
from screening.language.criteria import (
    Age,
    Attested,
    IfThen,
    Is,
    Limits,
    NoneOf,
    Note,
    Number,
    read_rule,
    write_rule_json,
)
from screening.language.notation import parse
from screening.language.notation_text import write
from screening.verdict import Disposition
from screening.vocabulary import packaged_vocabulary
from tests.real_data import DATA, needs
from tests.screening.people import TERMS
from tests.screening.screeners import Stage, lets_pass, make_question, make_screener, shown_after

YES_NO = make_question("wheezing", AnswerForm.YES_NO, text="Do you wheeze?")
BIRTH = make_question("birthDate", AnswerForm.DATE, text="When were you born?")
ATTACKS = make_question("attacks", AnswerForm.COUNT, text="How many attacks?", least="0", most="50")
PULSE = make_question("pulse", AnswerForm.NUMBER, text="What is your pulse?", units=("/min",))
BACK = make_question(
    "backPain",
    AnswerForm.ONE,
    text="For how long have you had back pain?",
    options={"0-2": "Up to 2 months", "3-4": "3 or 4 months", "5+": "5 months or more", "UNK": "I am not sure"},
)
DRUGS = make_question(
    "drugs",
    AnswerForm.SEVERAL,
    text="Which of these do you take?",
    options={"A1": "Aspirin", "B-2": "Beta blockers", "c": "Cortisone"},
)


def only(question: Question, typed: str, label: str = "", *, others: Sequence[Question] = ()) -> Reading:
    [reading] = read_acceptance(make_screener(question, typed, label, others=others)).readings
    return reading


def assert_accepts_whom_it_does_not_rule_out(screener: Screener, acceptance: Acceptance) -> int:
    """Hold every expressed rule against every answer; give the number of comparisons."""
    stage = Stage(screener, acceptance)
    compared = 0
    for reading in acceptance.readings:
        for played in stage.plays(reading) if reading.is_expressed else ():
            accepted = not played.was_shown or lets_pass(reading.rule.typed, played.given)
            assert accepted == (played.disposition is not Disposition.INELIGIBLE), (reading.rule, played)
            compared += 1
    return compared


EXPRESSED = [
    (YES_NO, "YN_Y"),
    (YES_NO, "YN_N"),
    (make_question(), "YNNS_NNS"),
    (make_question(), "YNNS_YNS"),
    (make_question(), 'code=="yes"||code=="notSure"'),
    (make_question(), 'code=="no" || code="notSure"'),
    (BIRTH, "age>=18"),
    (BIRTH, "Age > 18"),
    (BIRTH, "age<65"),
    (BIRTH, "75 ≥ Age ≥ 18"),
    (BIRTH, "18 <= age <= 75"),
    (BIRTH, "age>=18&&age<=75"),
    (BIRTH, "age<18||age>=65"),
    (BIRTH, "age!=40"),
    (ATTACKS, "qty>=1"),
    (ATTACKS, "qty>1 && qty<4"),
    (ATTACKS, "qty==0 || qty>=7"),
    (ATTACKS, "qty<=50"),
    (PULSE, "value>50 && value<=100"),
    (BACK, 'code=="3-4"||code=="5+"||code=="UNK"'),
    (BACK, 'code!="0-2"'),
    (BACK, '(code=="0-2" || code=="3-4") && code!="3-4" || code=="UNK"'),
    (BACK, "Any"),
    (DRUGS, "value.length==0"),
    (DRUGS, "value.length>=1"),
    (DRUGS, "value.length<=1"),
    (DRUGS, "value.length==2"),
    (DRUGS, "value.length!=2"),
    (DRUGS, "1 <= value.length < 3"),
]


class TestExpressed:
    @pytest.mark.parametrize(("question", "typed"), EXPRESSED)
    def test_accepts_every_answer_exactly_when_it_does_not_rule_out(
        self, question: Question, typed: str
    ) -> None:
        screener = make_screener(question, typed)

        acceptance = read_acceptance(screener)

        assert acceptance.readings[0].is_expressed
        assert acceptance.findings == ()
        assert assert_accepts_whom_it_does_not_rule_out(screener, acceptance) >= 2

    @pytest.mark.parametrize(("question", "typed"), EXPRESSED)
    def test_can_be_written_published_and_read_again(self, question: Question, typed: str) -> None:
        acceptance = read_acceptance(make_screener(question, typed))
        vocabulary = packaged_vocabulary().extended(acceptance.keys)

        written = write(acceptance.protocol)

        rule = acceptance.protocol.criteria[0].rule
        assert rule is not None
        assert read_rule(write_rule_json(rule)) == rule
        assert parse(written, vocabulary=vocabulary, terms=TERMS) == acceptance.protocol
        assert publishing_problems(acceptance.protocol, vocabulary=vocabulary, terms=TERMS) == ()

    def test_not_sure_passes_without_being_a_choice(self) -> None:
        reading = only(make_question(), "YNNS_NNS", "No asthma")

        assert reading.criterion.rule == Attested(key="study.asthma", value=False)
        assert reading.criterion.text == "No asthma"
        [key] = reading.keys
        assert (key.kind, key.label["en"], key.allow_unknown) == ("flag", "Do you have asthma?", True)

    def test_reads_ages_into_the_key_of_the_birth_date(self) -> None:
        reading = only(BIRTH, "75 ≥ Age ≥ 18", "18 to 75 years")

        assert reading.criterion.rule == Age(ge=18, le=75)
        assert reading.keys == ()

    def test_reads_numbers_into_a_quantity(self) -> None:
        reading = only(ATTACKS, "qty>=1")

        assert reading.criterion.rule == Number(key="study.attacks", limits=(Limits(unit="1", ge=Decimal(1)),))
        assert [key.kind for key in reading.keys] == ["quantity"]

    def test_reads_options_into_a_choice_without_not_sure(self) -> None:
        reading = only(BACK, 'code!="0-2"')

        assert reading.criterion.rule == Is(key="study.back_pain", codes=("is_3_4", "is_5_plus"))
        assert reading.keys[0].codes == ("is_0_2", "is_3_4", "is_5_plus")

    def test_reads_several_answers_into_a_fact_each(self) -> None:
        reading = only(DRUGS, "value.length==0")

        assert isinstance(reading.criterion.rule, NoneOf)
        assert [key.name for key in reading.keys] == ["study.drugs.a1", "study.drugs.b_2", "study.drugs.c"]

    def test_asks_nothing_of_anybody_where_every_answer_passes(self) -> None:
        reading = only(BACK, "Any", "Everybody")

        assert isinstance(reading.criterion.rule, Note)

    def test_keeps_the_question_and_the_typed_rule(self) -> None:
        reading = only(BIRTH, "Age>=18")

        assert reading.criterion.extensions == {"x-acceptance": {"question": "birthDate", "typed": "Age>=18"}}

    def test_names_every_fact_once_however_the_questions_are_called(self) -> None:
        questions = [make_question(code) for code in ("haveHIV", "have-hiv", "071e768b-d535", "x" * 300)]
        rules = [make_screener(question, "YNNS_NNS").rules[0] for question in questions]

        acceptance = read_acceptance(Screener(tuple(questions), tuple(rules)))

        names = [key.name for key in acceptance.keys]
        assert names[:3] == ["study.have_hiv", "study.have_hiv_2", "study.q_071e768b_d535"]
        assert len(set(names)) == 4
        assert packaged_vocabulary().extended(acceptance.keys)


class TestShowing:
    OTHERS = (make_question(), YES_NO, BACK, DRUGS)

    @pytest.mark.parametrize(
        "shown",
        [
            shown_after(("wheezing", "yes")),
            shown_after(("asthma", "no")),
            shown_after(("asthma", "yes"), ("asthma", "notSure"), any=True),
            shown_after(("asthma", "yes"), ("wheezing", "no"), any=True),
            shown_after(("asthma", "yes"), ("wheezing", "no")),
            shown_after(("backPain", "3-4"), ("backPain", "5+"), any=True),
            shown_after(("backPain", "UNK")),
            shown_after(("drugs", "A1"), ("drugs", "c")),
            shown_after(("drugs", "A1"), ("asthma", "notSure")),
        ],
    )
    def test_asks_a_hidden_question_of_nobody(self, shown: object) -> None:
        question = make_question("since", AnswerForm.YES_NO_UNSURE, text="For a year?", shown=shown)  # type: ignore[arg-type]
        screener = make_screener(question, "YNNS_YNS", others=self.OTHERS)

        acceptance = read_acceptance(screener)

        assert acceptance.readings[0].is_expressed
        assert assert_accepts_whom_it_does_not_rule_out(screener, acceptance) > 3

    def test_does_not_apply_to_those_who_are_not_asked(self) -> None:
        question = make_question("since", text="For a year?", shown=shown_after(("asthma", "yes")))

        reading = only(question, "YNNS_YNS", others=[make_question()])

        assert reading.criterion.rule == IfThen(
            when=Attested(key="study.asthma"), then=Attested(key="study.since")
        )
        assert [key.name for key in reading.keys] == ["study.since", "study.asthma"]

    def test_goes_back_through_questions_that_are_shown_by_others(self) -> None:
        first, second = make_question("a"), make_question("b", shown=shown_after(("a", "yes")))
        third = make_question("c", shown=shown_after(("b", "no")))
        screener = make_screener(third, "YNNS_YNS", others=[first, second])

        acceptance = read_acceptance(screener)

        assert acceptance.readings[0].is_expressed
        assert assert_accepts_whom_it_does_not_rule_out(screener, acceptance) >= 8

    def test_notices_a_rule_that_speaks_only_to_those_who_are_out(self) -> None:
        first = make_screener(make_question("a", text="On thinners?"), "YNNS_NNS")
        second = make_screener(make_question("b", shown=shown_after(("a", "yes"))), "YNNS_NNS")

        acceptance = read_acceptance(
            Screener((*first.questions, *second.questions), (*first.rules, *second.rules))
        )

        [finding] = acceptance.findings
        assert (finding.fault, finding.question, finding.broken) == (Fault.DECIDES_NOTHING, "b", False)
        assert '"On thinners?"' in finding.message


MIXED = make_question(
    "diagnosis", AnswerForm.ONE, text="Have you got it?", options={"y": "Yes", "n": "No, or I am not sure"}
)
NOSES = make_question("nose", AnswerForm.SEVERAL, options={"a": "Cold", "b": "Cough", "n": "None of these"})
GUESSES = make_question("guess", AnswerForm.SEVERAL, options={"a": "Cold", "u": "I don't know"})
BOTH_UNITS = make_question("weight", AnswerForm.NUMBER, text="Weight?", units=("kg", "[lb_av]"))
LAST_DOSE = make_question("dose", AnswerForm.DATE, text="When was the last dose?")
TITLE = make_question("title", AnswerForm.PAGE, text="About your lungs")
LOOPED = make_question("loop", shown=shown_after(("loop", "yes")))
HIDDEN = make_question("hidden", shown=shown_after(("nowhere", "yes")))

BROKEN = [
    (BIRTH, "18≤ Ag≤ 75", "", Fault.UNREADABLE, "perhaps age is meant"),
    (BIRTH, "old enough", "", Fault.UNREADABLE, "compares nothing"),
    (BIRTH, "age>=", "", Fault.UNREADABLE, "has nothing where"),
    (BIRTH, "age=>18)", "", Fault.UNREADABLE, "where it should end"),
    (BIRTH, "((age>=18)", "", Fault.UNREADABLE, "never closed"),
    (BIRTH, "18 < age > 75", "", Fault.UNREADABLE, "two directions"),
    (BIRTH, "age>=18.5", "", Fault.UNREADABLE, "whole years"),
    (BIRTH, "age>=18;drop", "", Fault.UNREADABLE, "cannot be read"),
    (BIRTH, "(" * 30 + "age>1" + ")" * 30, "", Fault.UNREADABLE, "brackets"),
    (BIRTH, "age>=18&&" * 100, "", Fault.UNREADABLE, "longer than"),
    (BOTH_UNITS, "value>50", "", Fault.UNREADABLE, "names no unit"),
    (make_question(), 'code=="maybe"||code=="notSure"', "", Fault.UNKNOWN_OPTION, '"maybe"'),
    (BACK, 'code!="0-3"', "", Fault.UNKNOWN_OPTION, "perhaps 0-2 is meant"),
    (BACK, "YNNS_NNS", "", Fault.UNKNOWN_OPTION, "no option"),
    (make_question(), "age>=18", "", Fault.OTHER_KIND, "compares numbers"),
    (BIRTH, "YN_Y", "", Fault.OTHER_KIND, "does not compare the age"),
    (DRUGS, 'code=="A1"', "", Fault.OTHER_KIND, "several"),
    (NOSES, "value.length==0", "", Fault.OTHER_KIND, '"None of these"'),
    (LAST_DOSE, "age>=18", "", Fault.OTHER_KIND, "does not say"),
    (BIRTH, "age>=75&&age<=18", "", Fault.IMPOSSIBLE_RANGE, "no age"),
    (BIRTH, "age>17&&age<18", "", Fault.IMPOSSIBLE_RANGE, "no age"),
    (BIRTH, "age>=180", "", Fault.IMPOSSIBLE_RANGE, "no age"),
    (ATTACKS, "qty>50", "", Fault.IMPOSSIBLE_RANGE, "can be entered"),
    (DRUGS, "value.length>3", "", Fault.IMPOSSIBLE_RANGE, "never give"),
    (make_question(), 'code=="notSure"', "", Fault.ACCEPTS_NOBODY, "nobody pass"),
    (make_question(), "YN_Y", "", Fault.UNSURE_COUNTS_AS_NO, "not knowing"),
    (make_question(), 'code=="no"', "", Fault.UNSURE_COUNTS_AS_NO, "not knowing"),
    (BACK, 'code=="5+"', "", Fault.UNSURE_COUNTS_AS_NO, "not knowing"),
    (MIXED, 'code!="n"', "", Fault.UNSURE_COUNTS_AS_NO, "two things in one answer"),
    (GUESSES, "value.length==0", "", Fault.UNSURE_COUNTS_AS_NO, '"I don\'t know"'),
    (TITLE, "YN_Y", "", Fault.HIDDEN_QUESTION, "only text"),
    (LOOPED, "YNNS_YNS", "", Fault.HIDDEN_QUESTION, "never shown"),
    (HIDDEN, "YNNS_YNS", "", Fault.HIDDEN_QUESTION, "never shown"),
    (BIRTH, "age>=16", "Must be over 18", Fault.LABEL_CONTRADICTS, '"Must be over 18"'),
    (BIRTH, "age>18", "Must be 18 or older", Fault.LABEL_CONTRADICTS, "what the patient reads"),
    (BIRTH, "age>=18", "Between 18 and 75 years old", Fault.LABEL_CONTRADICTS, "patient"),
    (BIRTH, "age<=75", "Not older than 70", Fault.LABEL_CONTRADICTS, "patient"),
    (ATTACKS, "qty>=1", "At least 2 attacks", Fault.LABEL_CONTRADICTS, "patient"),
    (make_question(), "YNNS_YNS", "No asthma", Fault.LABEL_CONTRADICTS, "patient"),
    (make_question(), "YNNS_NNS", "Must have asthma", Fault.LABEL_CONTRADICTS, "patient"),
]


class TestBroken:
    @pytest.mark.parametrize(("question", "typed", "label", "fault", "words"), BROKEN)
    def test_says_in_a_sentence_what_is_wrong_and_keeps_the_text(
        self, question: Question, typed: str, label: str, fault: Fault, words: str
    ) -> None:
        reading = only(question, typed, label)

        assert not reading.is_expressed
        assert reading.criterion.text
        [finding] = reading.findings
        assert (finding.fault, finding.question, finding.typed) == (fault, question.code, typed)
        assert words in finding.message
        assert f'"{question.text}"' in finding.message
        assert f'"{typed}"' in finding.message
        assert finding.message.endswith(".")

    def test_rules_nobody_out_by_a_broken_rule(self) -> None:
        screener = make_screener(MIXED, 'code!="n"')

        acceptance = read_acceptance(screener)

        played = list(Stage(screener, acceptance).plays(acceptance.readings[0]))
        assert len(played) == 2
        assert {one.disposition for one in played} == {Disposition.CANDIDATE}

    def test_notices_a_question_that_is_not_asked(self) -> None:
        screener = Screener((make_question("asthma"),), make_screener(make_question("astma"), "YN_Y").rules)

        [reading] = read_acceptance(screener).readings

        assert reading.findings[0].fault is Fault.UNKNOWN_QUESTION
        assert "perhaps asthma is meant" in reading.findings[0].message

    @pytest.mark.parametrize(
        ("questions", "faults"),
        [
            ([LOOPED], {"loop": Fault.LOOP}),
            ([HIDDEN], {"hidden": Fault.NEVER_SHOWN}),
            (
                [
                    make_question("a", shown=shown_after(("b", "yes"))),
                    make_question("b", shown=shown_after(("a", "no"))),
                ],
                {"a": Fault.LOOP, "b": Fault.LOOP},
            ),
            (
                [HIDDEN, make_question("a", shown=shown_after(("hidden", "yes")))],
                {"hidden": Fault.NEVER_SHOWN, "a": Fault.NEVER_SHOWN},
            ),
            (
                [make_question(), make_question("a", shown=shown_after(("asthma", "yes"), ("asthma", "no")))],
                {"a": Fault.NEVER_SHOWN},
            ),
            (
                [YES_NO, make_question("a", shown=shown_after(("wheezing", "notSure")))],
                {"a": Fault.NEVER_SHOWN},
            ),
            (
                [
                    YES_NO,
                    make_question(
                        "a", shown=shown_after(("wheezing", "notSure"), ("wheezing", "yes"), any=True)
                    ),
                ],
                {"a": Fault.UNKNOWN_OPTION},
            ),
            (
                [make_question("q0"), *(
                    make_question(f"q{n}", shown=shown_after((f"q{n - 1}", "yes"))) for n in range(1, 15)
                )],
                {"q13": Fault.LOOP, "q14": Fault.LOOP},
            ),
        ],
    )  # fmt: skip
    def test_finds_skip_logic_that_cannot_work(
        self, questions: Sequence[Question], faults: dict[str, Fault]
    ) -> None:
        acceptance = read_acceptance(Screener(tuple(questions), ()))

        assert {finding.question: finding.fault for finding in acceptance.findings} == faults


class TestLabels:
    @pytest.mark.parametrize(
        ("question", "typed", "label"),
        [
            (BIRTH, "age>=18", "Must be over 18"),
            (BIRTH, "age>=18", "18+"),
            (BIRTH, "age>=18", "Adults"),
            (BIRTH, "age>=18&&age<=75", "At least 18 years of age"),
            (BIRTH, "age>=18&&age<=75", "Age must be 18 to 75 years"),
            (BIRTH, "age>=18", "18 or older, with 2 kidneys"),
            (BIRTH, "age<65", "Under 65"),
            (ATTACKS, "qty>=1", "One or more attacks"),
            (make_question(), "YNNS_YNS", "Must have asthma, but no other lung disease"),
            (make_question(), "YNNS_NNS", "No history of asthma"),
            (make_question(), "YNNS_NNS", "Healthy lungs"),
            (make_question(text="Can you do without coffee?"), "YNNS_YNS", "No coffee"),
            (make_question(text="Do you have trouble swallowing pills?"), "YNNS_NNS", "Must swallow pills"),
            (
                make_question(text="Do you take anything other than insulin?"),
                "YNNS_NNS",
                "No drugs but insulin",
            ),
            (make_question(text="Have you had it for at least 6 months?"), "YNNS_YNS", "For 6 months"),
        ],
    )
    def test_lets_stand_what_does_not_contradict(self, question: Question, typed: str, label: str) -> None:
        reading = only(question, typed, label)

        assert reading.is_expressed
        assert reading.findings == ()

    def test_knows_at_least_six_months_from_within_six_months(self) -> None:
        question = make_question(text="Have you had it for at least 6 months?")

        reading = only(question, "YNNS_YNS", "Diagnosed within 6 months")

        assert [finding.fault for finding in reading.findings] == [Fault.LABEL_CONTRADICTS]


class TestOptions:
    @pytest.mark.parametrize(
        ("text", "certainty"),
        [
            ("Yes", Certainty.DEFINITE),
            ("Not applicable", Certainty.DEFINITE),
            ("Not sure", Certainty.UNSURE),
            ("I am not sure", Certainty.UNSURE),
            ("I don't know", Certainty.UNSURE),
            ("Not sure or prefer not to answer", Certainty.UNSURE),
            ("No, or I am not sure.", Certainty.MIXED),
            ("Unknown or none", Certainty.MIXED),
        ],
    )
    def test_tells_not_sure_from_an_answer_and_from_both(self, text: str, certainty: Certainty) -> None:
        option = Offered("x", text)

        assert option.certainty is certainty


ROW: dict[str, object] = {
    "localquestioncode": "pain",
    "question": "Does it hurt?",
    "datatype": "CNE",
    "answercardinalitymax": "1",
    "answers": [{"code": "y", "text": "Yes"}, {"code": "n", "text": "No"}],
    "restrictions": {"minInclusive": "0"},
    "skiplogic": {
        "logic": "ANY",
        "action": "show",
        "conditions": [{"source": "gender", "trigger": {"value": {"code": "F"}}}],
    },
}


class TestReading:
    def test_reads_a_question_with_its_skip_logic(self) -> None:
        question = read_question(ROW)

        assert (question.form, [one.code for one in question.options]) == (AnswerForm.ONE, ["y", "n"])
        assert question.shown == shown_after(("gender", "F"), any=True)

    @pytest.mark.parametrize(
        ("changes", "where"),
        [
            ({"localquestioncode": None}, "localquestioncode"),
            ({"question": 7}, "question"),
            ({"question": "a\x00b"}, "question"),
            ({"question": "x" * 6_000}, "question"),
            ({"datatype": "XYZ"}, "datatype"),
            ({"answers": []}, "answers"),
            ({"answers": "yes"}, "answers"),
            ({"answers": [7]}, "answers.0"),
            ({"answers": [{"code": "y"}]}, "answers.0.text"),
            ({"answers": [{"code": "y", "text": "a"}, {"code": "y", "text": "b"}]}, "answers"),
            ({"restrictions": {"minInclusive": "1e999999999"}}, "restrictions.minInclusive"),
            ({"skiplogic": []}, "skiplogic"),
            ({"skiplogic": {"action": "hide"}}, "skiplogic.action"),
            ({"skiplogic": {"action": "show", "logic": "XOR"}}, "skiplogic.logic"),
            ({"skiplogic": {"action": "show", "logic": "ANY"}}, "skiplogic.conditions"),
            (
                {"skiplogic": {"action": "show", "logic": "ANY", "conditions": [{"source": "a"}]}},
                "skiplogic.conditions.0.trigger.value.code",
            ),
        ],
    )
    def test_names_the_place_that_cannot_be_read(self, changes: dict[str, object], where: str) -> None:
        with pytest.raises(InvalidCriteria) as refused:
            read_question({**ROW, **changes})

        assert refused.value.where == where

    def test_reads_no_rule_where_none_is_typed(self) -> None:
        rule = read_acceptance_rule({"questiontype": "pain", "criteria": None, "criterialabel": "x"})

        assert rule is None


BANK = "questionnaires/pharmaledger-ctr"


@cache
def rows(table: str) -> list[dict[str, str]]:
    lines = (DATA / BANK / f"{table}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


@cache
def screeners() -> tuple[Screener, ...]:
    """Put together what each trial asks: the questions for everybody, then its own, then the rules."""
    bank = {question.code: question for question in map(read_question, rows("questiontype"))}
    general = [row["questiontype"] for row in rows("generalhealthinformationquestiontype")]
    by_trial = defaultdict(list)
    for row in sorted(rows("clinicaltrialquestiontype"), key=lambda row: int(row["stage"] + row["ordering"])):
        by_trial[row["clinicaltrial"]].append(row)
    return tuple(
        Screener(
            tuple(bank[code] for code in dict.fromkeys([*general, *(row["questiontype"] for row in uses)])),
            tuple(rule for row in uses if (rule := read_acceptance_rule(row)) is not None),
        )
        for uses in by_trial.values()
    )


@needs(BANK)
class TestRealScreeners:
    def test_every_rule_is_expressed_or_reported_with_a_reason(self) -> None:
        acceptances = [read_acceptance(screener) for screener in screeners()]

        readings = [reading for acceptance in acceptances for reading in acceptance.readings]
        broken = sum((acceptance.broken for acceptance in acceptances), Counter[Fault]())
        expressed = sum(reading.is_expressed for reading in readings)
        print(f"{len(readings)} rules: {expressed} expressed, broken: {dict(broken)}")  # noqa: T201
        assert len(screeners()) == 27
        assert len(readings) == 212
        assert expressed + broken.total() == 212
        assert expressed == 204
        assert broken == {
            Fault.LABEL_CONTRADICTS: 5,
            Fault.UNKNOWN_OPTION: 1,
            Fault.UNSURE_COUNTS_AS_NO: 1,
            Fault.UNREADABLE: 1,
        }
        assert all(reading.is_expressed or reading.findings for reading in readings)

    def test_accepts_every_answer_exactly_when_it_does_not_rule_out(self) -> None:
        compared = sum(
            assert_accepts_whom_it_does_not_rule_out(screener, read_acceptance(screener))
            for screener in screeners()
        )

        assert compared > 1_000

    def test_every_screener_is_a_protocol_that_may_be_published(self) -> None:
        for screener in screeners():
            acceptance = read_acceptance(screener)
            vocabulary = packaged_vocabulary().extended(acceptance.keys)

            problems = publishing_problems(acceptance.protocol, vocabulary=vocabulary, terms=TERMS)

            assert [problem for problem in problems if problem.blocking] == []
            written = write(acceptance.protocol)
            assert parse(written, vocabulary=vocabulary, terms=TERMS) == acceptance.protocol

    def test_the_bank_itself_never_takes_not_sure_for_a_no_unseen(self) -> None:
        typed = [(row["localquestioncode"], row["criteria"]) for row in rows("questiontype") if row["criteria"]]
        bank = tuple(read_question(row) for row in rows("questiontype"))
        rules = tuple(
            rule
            for code, text in typed
            if (rule := read_acceptance_rule({"questiontype": code, "criteria": text}))
        )
        screener = Screener(bank, rules)

        acceptance = read_acceptance(screener)

        assert acceptance.broken == {Fault.UNSURE_COUNTS_AS_NO: 10}
        assert assert_accepts_whom_it_does_not_rule_out(screener, acceptance) > 100
