"""The way through questions that are chosen: it ends, comes to the same, and can be gone back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from hypothesis import given

from screening.asking.items import asks
from screening.asking.responses import Answer, Seen
from screening.choosing.journey import ChosenJourney, begin_chosen
from screening.choosing.nextquestion import Plan, plan, results
from screening.language.notation import parse
from screening.language.protocol import Protocol
from screening.verdict import Disposition
from tests.screening.asked import ITEMS, SETTING, Case, asked_everything, cases, chose, make_study
from tests.screening.people import TERMS, TODAY, VOCABULARY
from tests.screening.questionnaire.documents import both, typed


def going_on(laid_out: Plan, answers: Mapping[str, Answer], seed: str = "a") -> ChosenJourney:
    """Go on from answers that were given in the order of the mapping."""
    return begin_chosen(
        laid_out,
        answers,
        respondent=SETTING.respondent,
        on=SETTING.on,
        source=SETTING.source,
        asked=list(answers),
        seed=seed,
    )


def way(laid_out: Plan, said: Mapping[str, Answer], seed: str = "a") -> Iterator[ChosenJourney]:
    """Give each state on the way of somebody who always answers the page that is shown."""
    answers: dict[str, Answer] = {}
    while (journey := going_on(laid_out, answers, seed)).next is not None:
        yield journey
        item = journey.next
        assert item.id not in answers
        answers[item.id] = said[item.id] if asks(item) else Seen(on=TODAY)
    yield journey


def said_by_item(case: Case) -> dict[str, Answer]:
    return {question.places[0].item: case.answers[question.id] for question in case.plan.questions}


def alone(case: Case) -> Case:
    """Keep the first study only."""
    study = case.plan.outlines[0].study
    laid_out = plan([study], terms=TERMS)
    earlier, names = case.plan.names[study.id], laid_out.names[study.id]
    answers = {names[item]: case.answers[earlier[item]] for item in names}
    return Case(laid_out, answers, case.seed, share=0)


def protocol_of(*rules: str) -> Protocol:
    lines = (f'include c{number} text "as written" rule {rule}' for number, rule in enumerate(rules))
    return parse("\n".join(("language 1", *lines)), vocabulary=VOCABULARY, terms=TERMS)


def adaptive(*rules: str, items: tuple[dict[str, object], ...]) -> Plan:
    return plan([make_study("s", protocol_of(*rules), *items)], terms=TERMS)


class TestEveryJourney:
    @given(cases(orders=("adaptive",)).map(alone))
    def test_ends_and_comes_to_what_asking_everything_comes_to(self, case: Case) -> None:
        end = list(way(case.plan, said_by_item(case), case.seed))[-1]

        (result,) = results(end.asking)
        expected = asked_everything(case.plan, case.answers)[result.study]
        assert (result.disposition, result.later) == (expected.disposition, expected.later)

    @given(cases(orders=("adaptive",)).map(alone))
    def test_leads_back_the_way_it_came(self, case: Case) -> None:
        for journey in way(case.plan, said_by_item(case), case.seed):
            names = [step.item.id for step in journey.steps]
            assert journey.before(None) == (journey.steps[-1].item if names else None)
            for earlier, later in pairwise(names):
                came_from, leads_to = journey.before(later), journey.after(earlier)
                assert came_from is not None
                assert leads_to is not None
                assert (came_from.id, leads_to.id) == (earlier, later)
                assert journey.may_open(later)

    @given(cases(orders=("adaptive",)).map(alone))
    def test_counts_up_and_never_promises_fewer_than_were_asked(self, case: Case) -> None:
        for number, journey in enumerate(way(case.plan, said_by_item(case), case.seed), start=1):
            if journey.next is not None:
                progress = journey.progress(journey.next.id)
                assert progress is not None
                assert progress.number == number <= progress.about


class TestPagesAndIdleQuestions:
    ITEMS: tuple[dict[str, object], ...] = (
        {"type": "statement", "id": "welcome", "text": both("Welcome")},
        ITEMS["vaping"](),
        {"type": "statement", "id": "about_body", "text": both("About your body"), "section": "body"},
        ITEMS["sex"](section="body"),
        typed("zip", "zip"),
    )

    def plan(self) -> Plan:
        return adaptive("vaping is no", "sex is female", items=self.ITEMS)

    def test_a_page_comes_before_the_first_question_of_its_section(self) -> None:
        said = {"vaping": chose("no"), "sex": chose("female"), "zip": chose("x")}

        names = [journey.next.id for journey in way(self.plan(), said) if journey.next]

        assert set(names) == {"welcome", "vaping", "about_body", "sex", "zip"}
        assert names[0] == "welcome"
        assert names.index("about_body") + 1 == names.index("sex")
        assert names[-1] == "zip"

    def test_who_is_ruled_out_is_not_asked_what_decides_nothing(self) -> None:
        said = {"vaping": chose("yes"), "sex": chose("male"), "zip": chose("x")}

        *_, end = way(self.plan(), said)

        assert results(end.asking)[0].disposition is Disposition.INELIGIBLE
        asked = {step.item.id for step in end.steps if asks(step.item)}
        assert len(asked) == 1
        assert asked < {"vaping", "sex"}

    def test_a_page_that_is_not_its_turn_does_not_open(self) -> None:
        journey = going_on(self.plan(), {})

        assert journey.may_open("welcome")
        assert not journey.may_open("zip")
        assert journey.progress("zip") is None
        assert journey.progress("welcome") is None

    def test_a_changed_answer_leads_back_to_the_check_or_to_what_it_opens(self) -> None:
        answers: dict[str, Answer] = {
            "welcome": Seen(on=TODAY),
            "vaping": chose("yes"),
            "about_body": Seen(on=TODAY),
        }
        assert going_on(self.plan(), answers).next is None

        changed = going_on(self.plan(), answers | {"vaping": chose("no")}).after("vaping", changing=True)

        assert changed is not None
        assert changed.id == "sex"
