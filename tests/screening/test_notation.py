"""The notation says everything that the JSON form says, and where it was misunderstood."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screening.errors import NotationError
from screening.facts import Code, EvidenceSource
from screening.intervals import CalendarUnit, Duration
from screening.language.criteria import (
    AllOf,
    AnyOf,
    Attested,
    Coded,
    CodedStatus,
    Dating,
    Distinct,
    DistinctBy,
    IfThen,
    Is,
    Limits,
    Node,
    Not,
    Number,
    When,
    Window,
    WindowForm,
)
from screening.language.notation import parse, parse_rule, write, write_rule
from screening.language.protocol import Anchor, Cohort, Criterion, CriterionKind, Protocol
from screening.vocabulary import About, Answerer
from tests.screening.people import TERMS, VOCABULARY
from tests.screening.trees import rules

ANCHOR = "anchor dose between 0 days and 1 day after screening"
WORDS = [
    "age",
    "all",
    "any",
    "at",
    "case",
    "condition",
    "if",
    "in",
    "is",
    "medicine",
    "no",
    "none",
    "not",
    "note",
    "one",
    "or",
    "text",
    "unless",
    "within",
    "yes",
    "x.y-1",
    "bmi",
]
names = st.sampled_from(WORDS)
texts = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")) | st.sampled_from('\n\t"\\'),
    max_size=20,
)
durations = st.builds(Duration, st.integers(0, 999), st.sampled_from(CalendarUnit))
anchors = st.sampled_from(("today", "first_dose"))
sides = st.sampled_from(("before", "after"))
decimals = st.decimals(-100, 100, places=2)


def _window(form: WindowForm, length: Duration, side: str, anchor: str) -> Window:
    upto = length if form is WindowForm.BETWEEN else None
    return Window.model_validate({"form": form, "length": length, "upto": upto, "side": side, "anchor": anchor})


windows = st.builds(_window, st.sampled_from(WindowForm), durations, sides, anchors)
limits = st.builds(
    lambda unit, end, number: Limits.model_validate({"unit": unit, end: number}),
    st.sampled_from(("kg/m2", "%", "10*9/L", "{score}", "1", "/min", "[ULN]", "mm[Hg]", "mL/min/{1.73_m2}")),
    st.sampled_from(("ge", "gt", "le", "lt")),
    decimals,
) | st.builds(
    lambda low, width: Limits(unit="U/L", ge=low, le=low + width), decimals, st.decimals(0, 9, places=1)
)
codes = st.builds(
    Code,
    st.sampled_from(("icd-10-cm", "atc", "snomed")),
    st.sampled_from(("E11.9", "E08-E13", "*", "B20+Z21", "44054006")),
    st.sampled_from(("", "2026", "v1.2")),
)
suffixes = {
    "decides_from": st.none() | st.sampled_from(EvidenceSource),
    "told_by": st.none() | st.sampled_from(Answerer),
}
numbers = st.builds(
    Number,
    key=names,
    limits=st.lists(limits, min_size=1, max_size=3, unique_by=lambda limit: limit.unit).map(tuple),
    rounded_to=st.none() | st.integers(0, 6),
    window=st.none() | windows,
    **suffixes,
)
whens = st.builds(When, key=names, window=windows, **suffixes)
choices = st.builds(
    Is, key=names, codes=st.lists(names, min_size=1, max_size=3, unique=True).map(tuple), **suffixes
)
coded = st.builds(
    Coded,
    about=st.sampled_from(About),
    codes=st.lists(codes, min_size=1, max_size=3).map(tuple),
    but=st.lists(codes, max_size=2).map(tuple),
    such_as=st.booleans(),
    status=st.just(CodedStatus.CURRENT),
    window=windows,
    dating=st.sampled_from(Dating),
    for_at_least=st.none() | durations,
    unchanged_for=st.none() | durations,
    dose=st.none() | limits,
    routes=st.lists(names, max_size=2).map(tuple),
    key=st.none() | names,
    **suffixes,
)
counted = st.builds(
    Distinct,
    count=st.integers(1, 9),
    by=st.sampled_from(DistinctBy),
    of=coded.map(lambda leaf: leaf.model_copy(update={"decides_from": None, "told_by": None})),
    **suffixes,
)
every_leaf: st.SearchStrategy[Node] = st.one_of(numbers, whens, choices, coded, counted)
mixed_rules: st.SearchStrategy[Node] = st.builds(
    lambda rule, leaf, shape: shape(rule, leaf),
    rules,
    every_leaf,
    st.sampled_from(
        (
            lambda rule, leaf: AllOf(of=(rule, leaf)),
            lambda rule, leaf: AnyOf(of=(leaf, rule)),
            lambda rule, leaf: IfThen(when=leaf, then=rule),
            lambda rule, leaf: IfThen(when=IfThen(when=rule, then=leaf), then=Not(of=leaf)),
        )
    ),
)
criteria = st.builds(
    lambda number, kind, text, wording, evidence, rule, unless, lineage: Criterion.model_validate(
        {
            "id": f"c{number}",
            "lineage": f"c{number}" if lineage is None else f"{lineage}{number}",
            "number": str(number),
            "kind": kind,
            "text": text,
            "wording": wording,
            "evidence": evidence,
            "rule": rule,
            "unless": unless,
            "cohorts": ("A",) if number % 2 else (),
            "x-note": {"n": number},
        }
    ),
    st.integers(0, 10**6),
    st.sampled_from(CriterionKind),
    texts,
    st.dictionaries(st.sampled_from(("en", "es")), texts),
    st.none() | st.sampled_from(Answerer),
    st.none() | mixed_rules,
    st.none() | mixed_rules,
    st.none() | st.just("other-"),
)
protocols = st.builds(
    lambda criteria, name: Protocol.model_validate(
        {
            "criteria": tuple(criteria),
            "cohorts": (Cohort(id="A", name=name),),
            "anchors": {
                "first_dose": Anchor(
                    earliest=Duration(0, CalendarUnit.DAYS), latest=Duration(4, CalendarUnit.WEEKS)
                )
            },
            "x-source": ["registry", 1],
        }
    ),
    st.lists(criteria, max_size=3, unique_by=lambda criterion: criterion.id),
    texts,
)


class TestRoundTrip:
    @given(rules | mixed_rules)
    def test_a_rule_is_read_as_it_was_written(self, rule: Node) -> None:
        text = write_rule(rule)

        assert parse_rule(text) == rule
        assert write_rule(parse_rule(text)) == text

    @given(protocols)
    def test_a_document_is_read_as_it_was_written(self, protocol: Protocol) -> None:
        text = write(protocol)

        assert parse(text) == protocol
        assert write(parse(text)) == text

    def test_long_chains_stand_on_several_lines(self) -> None:
        leaf = Attested(key="willing_to_use_contraception")
        criterion = Criterion(id="c", kind=CriterionKind.INCLUSION, text="t", rule=AllOf(of=(leaf,) * 4))

        text = write(Protocol(criteria=(criterion,)))

        assert text.count("\n    and willing_to_use_contraception is yes") == 3


class TestReading:
    def test_remarks_and_line_breaks_do_not_matter(self) -> None:
        text = "# who\nvaping is yes # now\n  and\n pregnant is no"

        assert write_rule(parse_rule(text)) == "vaping is yes and pregnant is no"

    def test_both_ends_of_a_range_may_be_given_as_signs(self) -> None:
        assert parse_rule("bmi >= 18, <= 30 kg/m2") == parse_rule("bmi between 18 and 30 kg/m2")

    def test_a_number_keeps_its_digits(self) -> None:
        rule = parse_rule("hba1c >= 7.00 %")

        assert isinstance(rule, Number)
        assert str(rule.limits[0].ge) == str(Decimal("7.00"))

    def test_except_has_two_meanings_and_is_not_a_word(self) -> None:
        with pytest.raises(NotationError, match="two things") as slip:
            parse_rule("vaping is yes except pregnant is yes")

        assert slip.value.suggestion == "but not, or unless"


class TestSlips:
    @pytest.mark.parametrize(
        ("text", "line", "column", "message", "suggestion"),
        [
            ("bim >= 27 kg/m2", 1, 1, "no key bim", "bmi"),
            ("vaping is yes\nand\n  bim >= 27 kg/m2", 3, 3, "no key bim", "bmi"),
            ("bmi >= 27 kg", 1, 11, "unit kg does not fit", "kg/m2"),
            ("bmi >= 27 banana", 1, 11, "not a unit", None),
            ("sex is femal", 1, 8, "no choice femal", "female"),
            ("smoking is yes", 1, 1, "does not hold a yes or no", None),
            ("vaping >= 3 kg", 1, 1, "does not hold a number", None),
            ("condition in (E11, 11E)", 1, 20, "not written like an ICD-10-CM code", None),
            ("condition in (E11) asked by conditions.diabetes", 1, 29, "no key", "condition.diabetes"),
            ("vaping is yes and sex is male or sex is female", 1, 31, "parentheses", None),
            ("vaping is yes or sex is male and sex is female", 1, 30, "parentheses", None),
            ("age >= 18 yeers", 1, 11, "does not fit here", "years"),
            ("age >= 18.5 years", 1, 8, "not a whole number", None),
            ("condition in (E11) wihtin 6 months before today", 1, 20, "does not fit", "within"),
            ("hba1c >= 7 % decided by labratory", 1, 25, "is none of", "laboratory"),
            ("bmi >= 30, <= 20 kg/m2", 1, 18, "nothing lies between", None),
            ("bmi >= 30, >= 20 kg/m2", 1, 12, "twice", None),
            ("condition in (E11) but not condition in (E11.9)", 1, 20, "inside the criterion", None),
            ("bmi >= 27", 1, 10, "missing at the end: a unit", None),
            ("", 1, 1, "missing at the end", None),
            ("vaping is yes and", 1, 18, "missing at the end", None),
            ("vaping is yes\nand \u00a7", 2, 5, "does not fit", None),
            ("vaping is yes\u2003", 1, 14, "does not fit", None),
            ('site("a\\q")', 1, 6, "backslash", None),
            ('site("a\\u0000")', 1, 6, "control", None),
            ("not " * 60 + "vaping is yes", 1, 201, "levels deep", None),
        ],
    )
    def test_a_slip_in_a_rule_is_placed_and_explained(
        self, text: str, line: int, column: int, message: str, suggestion: str | None
    ) -> None:
        with pytest.raises(NotationError) as slip:
            parse_rule(text, vocabulary=VOCABULARY, terms=TERMS)

        error = slip.value
        assert (error.line, error.column, error.suggestion) == (line, column, suggestion)
        assert message.lower() in error.message.lower()

    @pytest.mark.parametrize(
        ("text", "line", "message"),
        [
            ('include c1 text "t"', 1, "does not fit"),
            ("language 2", 1, "1"),
            ("language 1\ninclude c1 rule vaping is yes", 2, "has no text"),
            ('language 1\ninclude c1 text "a" text "b"', 2, "twice"),
            ('language 1\ninclude c1 text "a"\ninclude c1 text "b"', 1, "twice"),
            ('language 1\ninclude c1 text "a" parent c0', 1, "parent"),
            ('language 1\ninclude c1 text "a" cohorts B', 1, "cohort"),
            ('language 1\ninclude c1 text "a" evidence gossip', 2, "is none of"),
            ('language 1\ninclude c1 text "a" attach "y" "1"', 2, "unknown member"),
            ('language 1\ninclude c1 text "a" attach "x-y" "{"', 2, "not JSON"),
            (
                'language 1\ninclude c1 text "a" rule last_vaccination within 1 week before dose',
                1,
                "not declared",
            ),
            ("language 1\nanchor dose between 0 days and 1 day before screening", 2, "after screening"),
            (f"language 1\n{ANCHOR}\n{ANCHOR}", 3, "twice"),
        ],
    )
    def test_a_slip_in_a_document_is_explained(self, text: str, line: int, message: str) -> None:
        with pytest.raises(NotationError) as slip:
            parse(text, vocabulary=VOCABULARY, terms=TERMS)

        assert slip.value.line == line
        assert message.lower() in slip.value.message.lower()

    @given(
        st.text(max_size=60)
        | st.lists(
            st.sampled_from(
                [
                    "(",
                    ")",
                    "not",
                    "bmi",
                    ">=",
                    "3",
                    "kg/m2",
                    "and",
                    "case",
                    "when",
                    "end",
                    '"',
                    "condition",
                    "in",
                    ",",
                ]
            ),
            max_size=14,
        ).map(" ".join)
    )
    def test_any_text_is_read_or_refused(self, text: str) -> None:
        with suppress(NotationError):
            rule = parse_rule(text, vocabulary=VOCABULARY, terms=TERMS)

            assert parse_rule(write_rule(rule)) == rule
