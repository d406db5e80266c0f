"""Which question comes next: nothing is left out that could have changed a study's answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given

from screening.asking.items import Item
from screening.asking.path import steps
from screening.asking.responses import DontKnow
from screening.assessment.forecast import turning_days
from screening.choosing.gains import prospect
from screening.choosing.nextquestion import (
    Asking,
    Choice,
    Plan,
    UnknownQuestion,
    askable,
    begin,
    choose,
    explores,
    plan,
    results,
)
from screening.choosing.statistics import Statistics, even_chances
from screening.choosing.wordings import NotEquivalent, Place
from screening.language.notation import parse
from screening.language.protocol import Protocol
from screening.verdict import Disposition
from tests.screening.asked import (
    ITEMS,
    PHASES,
    SETTING,
    Case,
    asked_everything,
    cases,
    chose,
    dated,
    icd,
    make_study,
    same_names,
    waiting,
)
from tests.screening.people import TERMS, TODAY, VOCABULARY
from tests.screening.questionnaire.documents import denies, flag_question, shown_if_is, states, yes_no

EVEN = Statistics()


def started(laid_out: Plan) -> Asking:
    return begin(laid_out, respondent=SETTING.respondent, on=SETTING.on, source=SETTING.source)


def way(case: Case) -> Iterator[tuple[Asking, Choice | None]]:
    """Give each state on the way to the end with the choice that is made there, None at the end."""
    asking = started(case.plan)
    while (choice := choose(asking, EVEN, seed=case.seed, share=case.share)) is not None:
        yield asking, choice
        asking = asking.answered(choice.question, case.answers[choice.question.id])
    yield asking, None


def asked(case: Case) -> tuple[Asking, list[Choice]]:
    states = list(way(case))
    return states[-1][0], [choice for _, choice in states if choice is not None]


def protocol_of(*criteria: str) -> Protocol:
    named = (
        f'{kind} c{number} text "as written" rule {rule}'
        for number, (kind, _, rule) in enumerate(one.partition(" ") for one in criteria)
    )
    return parse("\n".join(("language 1", *named)), vocabulary=VOCABULARY, terms=TERMS)


def one_study(*criteria: str, items: tuple[dict[str, object], ...], order: str = "adaptive") -> Plan:
    return plan([make_study("s", protocol_of(*criteria), *items, order=order)], terms=TERMS)


def names(candidates: Asking) -> list[str]:
    return [one.place.item for one in askable(candidates)]


def assert_comes_to_the_same(case: Case) -> None:
    asking, _ = asked(case)
    whole = asked_everything(case.plan, case.answers)
    for result in results(asking):
        expected = whole[result.study]
        assert (result.disposition, result.later) == (expected.disposition, expected.later)
        assert set(result.failing) <= expected.failing
        assert bool(result.failing) == (result.disposition is Disposition.INELIGIBLE)


class TestTheClaim:
    @given(cases())
    def test_every_study_comes_to_what_asking_everything_would_have_come_to(self, case: Case) -> None:
        assert_comes_to_the_same(case)

    @given(waiting())
    def test_so_it_does_where_time_lifts_what_rules_out(self, case: Case) -> None:
        assert_comes_to_the_same(case)

    @given(cases())
    def test_people_who_know_nothing_lose_nothing(self, case: Case) -> None:
        assert_comes_to_the_same(replace(case, answers=dict.fromkeys(case.answers, DontKnow(on=TODAY))))

    @given(cases())
    def test_what_no_answer_could_change_stays_as_it_is_to_the_end(self, case: Case) -> None:
        for (before, _), (after, _) in pairwise(way(case)):
            for earlier, later in zip(before.standings, after.standings, strict=True):
                for told, now in zip(earlier.today.values, later.today.values, strict=True):
                    assert told in (0, now)
                if earlier.is_settled:
                    assert later.is_settled


class TestTheOrder:
    @given(cases())
    def test_asks_only_what_is_on_the_path_and_nothing_twice(self, case: Case) -> None:
        for asking, choice in way(case):
            if choice is None:
                continue
            study = next(one for one in asking.standings if one.outline.study.id == choice.place.study)
            shown = steps(study.outline.study.document, study.answers, SETTING.respondent)
            assert choice.item in [step.item for step in shown if step.answer is None]
            assert choice.question.id not in asking.answers

    @given(cases(orders=("adaptive",)))
    def test_no_question_comes_while_one_of_an_earlier_phase_could(self, case: Case) -> None:
        for asking, choice in way(case):
            phases = [
                max(
                    PHASES.index(item.sensitivity)
                    for item in _items_of(asking, standing.outline.study.id, item.id)
                )
                for standing in asking.standings
                for item in standing.askable
            ]
            if choice is not None:
                own = _items_of(asking, choice.place.study, choice.place.item)
                assert max(PHASES.index(item.sensitivity) for item in own) == min(phases)
            else:
                assert phases == []

    @given(cases(orders=("fixed",)))
    def test_a_fixed_order_is_kept_to_its_end(self, case: Case) -> None:
        asking, choices = asked(case)

        for standing in asking.standings:
            study = standing.outline.study
            shown = [step.item.id for step in steps(study.document, standing.answers, SETTING.respondent)]
            mine = [choice.place.item for choice in choices if choice.place.study == study.id]
            assert mine == [name for name in shown if name in mine]
            assert all(step.answer for step in steps(study.document, standing.answers, SETTING.respondent))

    @given(cases())
    def test_the_same_answers_and_seed_give_the_same_choice(self, case: Case) -> None:
        for asking, choice in way(case):
            again = begin(
                case.plan,
                respondent=SETTING.respondent,
                on=SETTING.on,
                source=SETTING.source,
                answers=dict(reversed(list(asking.answers.items()))),
            )

            repeated = choose(again, EVEN, seed=case.seed, share=case.share)

            assert (repeated and repeated.to_json()) == (choice and choice.to_json())

    @given(cases(orders=("adaptive",)))
    def test_every_question_that_matters_brings_something_and_others_are_not_asked(self, case: Case) -> None:
        for asking, _ in way(case):
            for standing in asking.standings:
                chances = {
                    item.id: even_chances(item, VOCABULARY, SETTING.respondent)
                    for item in standing.outline.study.document.items
                }
                for item in standing.askable:
                    assert prospect(standing).worth(item, chances) > 0


def _items_of(asking: Asking, study: str, item: str) -> list[Item]:
    question = asking.plan.by_id[asking.plan.names[study][item]]
    return [asking.plan.item(place) for place in question.places]


class TestAhead:
    @given(cases())
    def test_what_comes_on_the_path_was_announced(self, case: Case) -> None:
        """What is open is on the path for certain, or may be; nothing else ever turns up."""
        for standing in (one for asking, _ in way(case) for one in asking.standings):
            document = standing.outline.study.document
            announced = {item.id for item in (*standing.sure, *standing.maybe)}
            given = {
                item: case.answers[name] for item, name in case.plan.names[standing.outline.study.id].items()
            }

            final = {step.item.id for step in steps(document, given, SETTING.respondent)}

            assert {item.id for item in standing.sure} <= final
            assert final - set(standing.answers) <= announced

    def test_the_days_on_which_time_turns_a_leaf(self) -> None:
        lowered = (
            one_study("exclude last_study_drug within 3 months before today", items=(DRUG,))
            .outlines[0]
            .study.lowered
        )
        facts = after(one_study("include vaping is yes", items=(DRUG,)), last_drug=RECENT).standings[0].facts

        days = turning_days(lowered, facts, on=TODAY, vocabulary=VOCABULARY, terms=TERMS)

        assert [str(day) for day in days] == ["2027-02-02", "2027-02-11"]


DRUG = ITEMS["last_drug"]()
RECENT, LONG_AGO = dated("2026-11-01 2026-11-10"), dated("2024-01-01 2024-12-31")


def after(laid_out: Plan, **answers: object) -> Asking:
    """Give the state after answers to the one study's items."""
    asking = started(laid_out)
    for item, answer in answers.items():
        asking = asking.answered(laid_out.by_id[f"s:{item}"], answer)  # type: ignore[arg-type]
    return asking


class TestTheEnd:
    def test_one_failure_that_lasts_is_the_end(self) -> None:
        laid_out = one_study(
            "include vaping is yes", "include pregnant is no", items=(ITEMS["vaping"](), ITEMS["pregnant"]())
        )

        asking = after(laid_out, vaping=chose("no"))

        assert names(asking) == []
        assert results(asking)[0].failing == ("c0",)

    def test_a_failure_that_time_lifts_is_not(self) -> None:
        laid_out = one_study(
            "exclude last_study_drug within 3 months before today",
            "include vaping is yes",
            items=(DRUG, ITEMS["vaping"]()),
        )

        asking = after(laid_out, last_drug=RECENT)

        assert names(asking) == ["vaping"]
        waits = results(asking.answered(laid_out.by_id["s:vaping"], chose("yes")))[0]
        assert (waits.disposition, str(waits.later)) == (Disposition.INELIGIBLE, "2027-02-02")
        never = results(asking.answered(laid_out.by_id["s:vaping"], chose("no")))[0]
        assert (never.disposition, never.later) == (Disposition.INELIGIBLE, None)

    def test_who_is_too_young_is_asked_what_will_count_on_the_birthday(self) -> None:
        laid_out = one_study(
            "include age >= 18 years",
            "include if age >= 18 years then vaping is yes",
            items=(ITEMS["birth"](), ITEMS["vaping"]()),
        )

        asking = after(laid_out, birth=dated("2008-12-05 2008-12-05"))

        assert names(asking) == ["vaping"]

    def test_who_is_too_old_is_asked_no_more(self) -> None:
        laid_out = one_study(
            "include age < 66 years", "include vaping is yes", items=(ITEMS["birth"](), ITEMS["vaping"]())
        )

        assert names(after(laid_out, birth=dated("1950-01-01 1950-12-31"))) == []

    def test_an_exclusion_is_sure_before_its_day_is_told(self) -> None:
        follow_up = ITEMS["attack_on"](show_if=shown_if_is("attack"))
        ever = one_study("exclude condition in (I21)", items=(ITEMS["attack"](), follow_up))
        lately = one_study(
            "exclude condition in (I21) within 6 months before today", items=(ITEMS["attack"](), follow_up)
        )

        assert names(after(ever, attack=chose("yes"))) == []
        assert names(after(lately, attack=chose("yes"))) == ["attack_on"]

    def test_a_question_that_only_opens_another_one_is_asked_for_it(self) -> None:
        gate = flag_question("gate", "breastfeeding")
        laid_out = one_study(
            "include vaping is yes", items=(gate, ITEMS["vaping"](show_if=shown_if_is("gate")))
        )

        assert names(started(laid_out)) == ["gate"]
        assert names(after(laid_out, gate=chose("yes"))) == ["vaping"]
        assert names(after(laid_out, gate=chose("no"))) == []

    def test_what_decides_only_whether_somebody_should_be_called_is_asked_too(self) -> None:
        laid_out = one_study(
            'include site("s1") or (vaping is yes and pregnant is yes)',
            items=(ITEMS["pregnant"](allow_unknown=True), ITEMS["vaping"]()),
        )
        unsure = after(laid_out, pregnant=DontKnow(on=TODAY))

        assert names(unsure) == ["vaping"]
        told = {
            code: results(unsure.answered(laid_out.by_id["s:vaping"], chose(code)))[0].disposition
            for code in ("yes", "no")
        }
        assert told == {"yes": Disposition.POTENTIAL_CANDIDATE, "no": Disposition.CANDIDATE}

    def test_what_can_change_nothing_is_not_asked(self) -> None:
        laid_out = one_study(
            'include site("s1") and (site("s2") or vaping is yes)',
            "include vaping is yes or pregnant is no",
            items=(ITEMS["pregnant"](), ITEMS["vaping"]()),
        )

        assert names(after(laid_out, pregnant=chose("no"))) == []
        assert names(after(laid_out, pregnant=chose("yes"))) == ["vaping"]

    def test_a_question_matters_by_the_codes_it_speaks_of_whatever_its_key(self) -> None:
        yes = {"code": "yes", "asserts": states(icd("E11"), "ever", "condition.heart")}
        no = {"code": "no", "asserts": denies(icd("E11"), scope="ever", key="condition.heart")}
        laid_out = one_study("exclude condition in (E11)", items=(yes_no("sugar", options=[yes, no]),))

        assert names(started(laid_out)) == ["sugar"]
        assert results(after(laid_out, sugar=chose("yes")))[0].failing == ("c0",)

    def test_a_closed_cohort_asks_nothing(self) -> None:
        text = """
            language 1
            cohort a "A"
            cohort b "B"
            include c0 cohorts a text "as written" rule vaping is yes
            include c1 cohorts b text "as written" rule pregnant is no
        """
        protocol = parse(text, vocabulary=VOCABULARY, terms=TERMS)
        items = (ITEMS["vaping"](), ITEMS["pregnant"]())

        def asked_with(*closed: str) -> list[str]:
            return names(started(plan([make_study("s", protocol, *items, closed=closed)], terms=TERMS)))

        assert asked_with() == ["vaping", "pregnant"]
        assert asked_with("a") == ["pregnant"]
        assert asked_with("a", "b") == ["vaping", "pregnant"]


class TestSeveralStudies:
    def test_a_question_that_a_coordinator_marked_as_one_is_asked_once(self) -> None:
        studies = [
            make_study(name, protocol_of("include vaping is yes"), ITEMS["vaping"]()) for name in ("one", "two")
        ]
        once, twice = plan(studies, terms=TERMS, equivalent=same_names(studies)), plan(studies, terms=TERMS)

        assert [one.question.places for one in askable(started(once))] == [
            (Place("one", "vaping"), Place("two", "vaping"))
        ]
        assert len(askable(started(twice))) == 2
        asking = started(once).answered(once.questions[0], chose("no"))
        assert [result.failing for result in results(asking)] == [("c0",), ("c0",)]
        assert askable(asking) == ()

    def test_an_answer_from_another_study_counts_once_its_question_is_on_the_path(self) -> None:
        rule = protocol_of("include vaping is yes")
        gate = flag_question("gate", "breastfeeding")
        studies = [
            make_study("one", rule, ITEMS["vaping"]()),
            make_study("two", rule, gate, ITEMS["vaping"](show_if=shown_if_is("gate"))),
        ]
        laid_out = plan(studies, terms=TERMS, equivalent=same_names(studies))

        asking = started(laid_out).answered(laid_out.by_id["one:vaping"], chose("no"))

        assert names(asking) == ["gate"]
        told = asking.answered(laid_out.by_id["two:gate"], chose("yes"))
        assert [result.failing for result in results(told)] == [("c0",), ("c0",)]

    @pytest.mark.parametrize(
        ("places", "said"),
        [
            ((Place("one", "vaping"), Place("two", "sex")), "does not state what"),
            ((Place("one", "vaping"), Place("two", "nothing")), "there is no question"),
            ((Place("two", "vaping"), Place("two", "vaping_again")), "two questions of one study"),
        ],
    )
    def test_what_does_not_mean_the_same_cannot_be_marked(self, places: tuple[Place, ...], said: str) -> None:
        items = [ITEMS[name]() for name in ("vaping", "sex", "vaping_again")]
        studies = [make_study(name, protocol_of("include vaping is yes"), *items) for name in ("one", "two")]

        with pytest.raises(NotEquivalent, match=said):
            plan(studies, terms=TERMS, equivalent=[places])

    def test_a_question_in_two_groups_is_refused(self) -> None:
        studies = [
            make_study(name, protocol_of("include vaping is yes"), ITEMS["vaping"]())
            for name in ("a", "b", "c")
        ]
        groups = [[Place("a", "vaping"), Place("b", "vaping")], [Place("b", "vaping"), Place("c", "vaping")]]

        with pytest.raises(NotEquivalent, match="twice"):
            plan(studies, terms=TERMS, equivalent=groups)

    def test_a_study_that_weighs_more_is_served_first(self) -> None:
        def first(weight: float) -> str:
            light = make_study("one", protocol_of("include vaping is yes"), ITEMS["vaping"]())
            heavy = make_study("two", protocol_of("include pregnant is no"), ITEMS["pregnant"](), weight=weight)
            chosen = choose(started(plan([light, heavy], terms=TERMS)), EVEN, seed="", share=0)
            assert chosen is not None
            return chosen.place.item

        assert (first(1.0), first(2.0)) == ("vaping", "pregnant")

    def test_a_fixed_order_is_not_run_ahead_of_by_another_study(self) -> None:
        rule = protocol_of("include vaping is yes")
        studies = [
            make_study("one", rule, ITEMS["vaping"]()),
            make_study("two", rule, ITEMS["pregnant"](), ITEMS["vaping"](), order="fixed"),
        ]
        laid_out = plan(studies, terms=TERMS, equivalent=same_names(studies))

        assert [one.place for one in askable(started(laid_out))] == [Place("two", "pregnant")]

    def test_an_answer_to_no_question_is_refused(self) -> None:
        laid_out = one_study("include vaping is yes", items=(ITEMS["vaping"](),))

        with pytest.raises(UnknownQuestion):
            begin(
                laid_out,
                respondent=SETTING.respondent,
                on=TODAY,
                source=SETTING.source,
                answers={"s:else": chose("yes")},
            )


class TestTheShareInRandomOrder:
    def test_is_what_was_said(self) -> None:
        seeds = [f"draft {number}" for number in range(20_000)]

        assert sum(explores(seed) for seed in seeds) / len(seeds) == pytest.approx(0.05, abs=0.005)
        assert not any(explores(seed, 0) for seed in seeds[:100])

    def test_takes_every_question_about_as_often_and_logs_its_chance(self) -> None:
        keys = ("vaping", "pregnant", "breastfeeding")
        items = tuple(ITEMS[key]() for key in keys)
        asking = started(one_study(*(f"include {key} is yes" for key in keys), items=items))

        chosen = [choose(asking, EVEN, seed=f"{number}", share=1) for number in range(3_000)]

        taken = [choice.place.item for choice in chosen if choice is not None and choice.explored]
        assert {choice.probability for choice in chosen if choice is not None} == {1 / 3}
        assert {key: taken.count(key) / 3_000 for key in keys} == pytest.approx(
            dict.fromkeys(keys, 1 / 3), abs=0.03
        )

    def test_what_is_logged_names_no_answer(self) -> None:
        asking = after(
            one_study(
                "include vaping is yes",
                "include pregnant is no",
                items=(ITEMS["vaping"](), ITEMS["pregnant"]()),
            ),
            vaping=chose("yes"),
        )

        choice = choose(asking, EVEN, seed="draft", share=0)

        assert choice is not None
        assert choice.to_json() == {
            "question": "s:pregnant",
            "place": "s:pregnant",
            "among": 1,
            "probability": 1.0,
            "explored": False,
            "statistics": "uninformed-1",
        }
