"""The next question for one or several studies, and the end of asking (SEMANTICS 4).

Studies whose questionnaire has a fixed order are asked in it to their end. For
the others the question is chosen that is expected to bring all studies
furthest per burden, flat questions before normal and normal before sensitive
ones. For any fixed answers, given on one day, each study's disposition and the
day from which it may say "later" are those of asking every question on the
path; what rules out is a part of what would have ruled out.

A stated share of people is asked in random order instead: who is asked what
depends on what was said before, so that only they tell how people answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Final

from screening.asking.items import Item
from screening.asking.path import steps
from screening.asking.responses import Answer
from screening.assessment.assess import assess_lowered
from screening.assessment.forecast import forecast
from screening.choosing.bounds import value
from screening.choosing.gains import prospect
from screening.choosing.outline import Outline, Study, outline
from screening.choosing.standing import Setting, Standing, stand
from screening.choosing.statistics import Statistics, burden_of, even_chances
from screening.choosing.wordings import Place, Question, questions
from screening.errors import ScreeningError
from screening.facts import EvidenceSource
from screening.terms import Terms
from screening.texts import Respondent
from screening.verdict import Disposition
from screening.vocabulary import Sensitivity

SHARE: Final = 0.05
"""The share of people who are asked in random order, unless somebody says otherwise."""

_PHASES: Final = tuple(Sensitivity)


class UnknownQuestion(ScreeningError, KeyError):
    """An answer to a question that no study of a plan asks."""

    code = "unknown_question"


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Studies asked for together, with their questions, each once. Worked out once per set of versions.

    `names` are the ids of the questions, by study and item; `phases` their phases, the latest of their places.
    """

    outlines: tuple[Outline, ...]
    questions: tuple[Question, ...]
    names: Mapping[str, Mapping[str, str]]
    by_id: Mapping[str, Question]
    phases: Mapping[str, int]

    def item(self, place: Place) -> Item:
        """Give the item that stands at a place."""
        return next(one for one in self.outlines if one.study.id == place.study).item(place.item)


def plan(studies: Sequence[Study], *, terms: Terms, equivalent: Iterable[Iterable[Place]] = ()) -> Plan:
    """Lay out what studies ask together; `equivalent` are the places that a coordinator marked as one question.

    :raises NotEquivalent: when a marked question does not state what the other one states
    """
    asked = questions({study.id: study.document for study in studies}, equivalent)
    outlines = tuple(outline(study, terms) for study in studies)
    items = {(one.study.id, item.id): item for one in outlines for item in one.study.document.items}
    return Plan(
        outlines=outlines,
        questions=asked,
        names={
            study.id: {place.item: one.id for one in asked for place in one.places if place.study == study.id}
            for study in studies
        },
        by_id={question.id: question for question in asked},
        phases={one.id: max(_PHASES.index(items[at].sensitivity) for at in one.places) for one in asked},
    )


@dataclass(frozen=True, slots=True, eq=False)
class Asking:
    """One person's answers so far, by question, and where they leave each study."""

    plan: Plan
    setting: Setting
    answers: Mapping[str, Answer]
    standings: tuple[Standing, ...]

    def answered(self, question: Question, answer: Answer) -> Asking:
        """Give the same with one more answer, or a newer one; only studies that ask it are looked at again."""
        answers = {**self.answers, question.id: answer}
        asks = {place.study for place in question.places}
        standings = tuple(
            _stand(self.plan, one.outline, answers, self.setting) if one.outline.study.id in asks else one
            for one in self.standings
        )
        return replace(self, answers=answers, standings=standings)


def begin(
    laid_out: Plan,
    *,
    respondent: Respondent,
    on: date,
    source: EvidenceSource,
    answers: Mapping[str, Answer] | None = None,
) -> Asking:
    """Begin to ask, or go on from answers by the ids of their questions.

    :raises UnknownQuestion: when an answer belongs to no question of the plan
    """
    given = dict(answers or {})
    for name in given:
        if name not in laid_out.by_id:
            raise UnknownQuestion(name)
    setting = Setting(respondent, on, source)
    return Asking(
        laid_out, setting, given, tuple(_stand(laid_out, one, given, setting) for one in laid_out.outlines)
    )


def _stand(laid_out: Plan, one: Outline, answers: Mapping[str, Answer], setting: Setting) -> Standing:
    names = laid_out.names[one.study.id]
    own = {item: answers[name] for item, name in names.items() if name in answers}
    return stand(one, own, setting)


@dataclass(frozen=True, slots=True)
class Choice:
    """The question to ask next, at the place whose wording is shown, and how it came to be chosen.

    `probability` is the chance of this choice where the person stood: 1, or
    for somebody who is asked in random order one over the number of `among`.
    """

    question: Question
    place: Place
    item: Item
    among: int
    probability: float
    explored: bool
    statistics: str

    def to_json(self) -> dict[str, object]:
        """Write what is logged of a choice: never an answer."""
        return {
            "question": self.question.id,
            "place": str(self.place),
            "among": self.among,
            "probability": self.probability,
            "explored": self.explored,
            "statistics": self.statistics,
        }


def choose(asking: Asking, statistics: Statistics, *, seed: str, share: float = SHARE) -> Choice | None:
    """Choose the next question; None where nothing that could be asked matters any more.

    :param seed: names the draft; the same answers and the same seed give the same choice
    """
    candidates = askable(asking)
    if not candidates:
        return None
    fixed = [one for one in candidates if one.is_fixed]
    explored = not fixed and explores(seed, share)
    if fixed:
        chosen = fixed[0]
    elif explored:
        place = int(_chance(seed, "order", *sorted(asking.answers)) * len(candidates))
        chosen = sorted(candidates, key=lambda one: one.question.id)[place]
    else:
        chosen = _best(asking, candidates, statistics)
    return Choice(
        question=chosen.question,
        place=chosen.place,
        item=chosen.item,
        among=len(candidates),
        probability=1 / len(candidates) if explored else 1.0,
        explored=explored,
        statistics=statistics.version,
    )


def explores(seed: str, share: float = SHARE) -> bool:
    """Tell whether a draft belongs to the share that is asked in random order."""
    return _chance(seed, "share") < share


def _chance(*parts: str) -> float:
    """Give a number from 0 up to 1 that follows from some words alone."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question that may be asked now, as the first study words it that it matters to."""

    question: Question
    place: Place
    item: Item
    is_fixed: bool


def askable(asking: Asking) -> tuple[Candidate, ...]:
    """Give the questions of the first phase that has any, in the order of the studies.

    What a study with a fixed order has still to come to is not asked before for another.
    """
    found: dict[str, Candidate] = {}
    kept = _kept_for_fixed(asking)
    for standing in asking.standings:
        study = standing.outline.study
        is_fixed = study.document.order == "fixed"
        for item in standing.sure[:1] if is_fixed else standing.askable:
            name = asking.plan.names[study.id][item.id]
            if name not in found and (is_fixed or name not in kept):
                question = asking.plan.by_id[name]
                found[name] = Candidate(question, Place(study.id, item.id), item, is_fixed)
    phases = asking.plan.phases
    first = min((phases[name] for name in found), default=0)
    return tuple(one for name, one in found.items() if phases[name] == first)


def _kept_for_fixed(asking: Asking) -> set[str]:
    return {
        asking.plan.names[standing.outline.study.id][item.id]
        for standing in asking.standings
        if standing.outline.study.document.order == "fixed"
        for item in (*standing.sure, *standing.maybe)
    }


def gains(asking: Asking, candidates: Sequence[Candidate], statistics: Statistics) -> Mapping[str, float]:
    """Give what questions that may be asked bring all studies, per burden, by the ids of the questions."""
    worths = {one.question.id: 0.0 for one in candidates}
    for standing in asking.standings:
        for name, worth in _worths(asking, standing, worths, statistics):
            worths[name] += standing.outline.study.weight * worth
    return {one.question.id: worths[one.question.id] / burden_of(one.item) for one in candidates}


def _best(asking: Asking, candidates: Sequence[Candidate], statistics: Statistics) -> Candidate:
    """Choose by expected gain per burden; ties go by lesser burden, the protocol's order, the id."""
    gained = gains(asking, candidates, statistics)
    order = {question.id: at for at, question in enumerate(asking.plan.questions)}

    def rank(one: Candidate) -> tuple[float, float, int, str]:
        name = one.question.id
        return -round(gained[name], 12), burden_of(one.item), order[name], name

    return min(candidates, key=rank)


def _worths(
    asking: Asking, standing: Standing, names: Collection[str], statistics: Statistics
) -> Iterator[tuple[str, float]]:
    """Give what questions bring one study that they matter to."""
    known = asking.plan.names[standing.outline.study.id]
    askable_now = [item for item in standing.askable if known[item.id] in names]
    if not askable_now:
        return
    ahead = prospect(standing)
    chances = {
        item: statistics.of(known[item], _even(standing.outline, item, asking.setting.respondent))
        for item in standing.relevant
    }
    for item in askable_now:
        yield known[item.id], ahead.worth(item, chances)


@lru_cache(maxsize=20_000)
def _even(one: Outline, item_id: str, respondent: Respondent) -> Mapping[str, float]:
    return even_chances(one.item(item_id), one.study.vocabulary, respondent)


@dataclass(frozen=True, slots=True)
class Result:
    """What asking came to for one study.

    `later` is the first day on which nothing that is known rules out somebody
    who is ruled out today; `failing` are the criteria that no answer still to
    come could change, among those that rule out.
    """

    study: str
    disposition: Disposition
    later: date | None
    failing: tuple[str, ...]


def results(asking: Asking) -> tuple[Result, ...]:
    """Give each study's result by the answers so far; final once `choose` has nothing to ask."""
    return tuple(_result(standing) for standing in asking.standings)


def _result(standing: Standing) -> Result:
    study, on, terms = standing.outline.study, standing.setting.on, standing.outline.terms
    disposition = assess_lowered(
        study.lowered,
        standing.facts,
        on=on,
        vocabulary=study.vocabulary,
        terms=terms,
        closed_cohorts=study.closed_cohorts,
    ).disposition
    if disposition is not Disposition.INELIGIBLE:
        return Result(study.id, disposition, None, ())
    ahead = forecast(
        study.lowered,
        standing.facts,
        on=on,
        vocabulary=study.vocabulary,
        terms=terms,
        closed_cohorts=study.closed_cohorts,
    )
    return Result(study.id, disposition, ahead.possible_from, tuple(_failing(standing)))


def _failing(standing: Standing) -> Iterator[str]:
    for one in standing.outline.criteria:
        if value(one.passes, standing.today.values) == -1:
            yield one.criterion.id


def on_path(asking: Asking) -> tuple[Question, ...]:
    """Give the questions that are on the path of some study, answered or not, in the order of the plan."""
    shown = {
        asking.plan.names[standing.outline.study.id][step.item.id]
        for standing in asking.standings
        for step in steps(standing.outline.study.document, standing.answers, asking.setting.respondent)
    }
    return tuple(question for question in asking.plan.questions if question.id in shown)
