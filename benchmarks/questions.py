"""How many questions until studies have their answer: chosen, in a fixed order, and all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random

from benchmarks import frame
from benchmarks.workloads import asking as workload
from screening.asking.items import asks
from screening.asking.responses import DECLINED, DONT_KNOW, Answer
from screening.choosing.examples import answer_of, label_of
from screening.choosing.nextquestion import (
    Asking,
    Candidate,
    Plan,
    askable,
    begin,
    choose,
    gains,
    on_path,
    results,
)
from screening.choosing.outline import Study
from screening.choosing.statistics import Said, Statistics, burden_of, counted
from screening.facts import EvidenceSource
from screening.texts import Respondent

TODAY = date(2026, 11, 22)
SMALL = 8
EVEN = Statistics()
Person = dict[str, Answer]


@dataclass(frozen=True, slots=True)
class Effort:
    """What is measured with: how many people, and how long the best fixed order is sought."""

    people: int
    training: int
    swaps: int
    counted: int


FULL = Effort(people=100, training=24, swaps=60, counted=60)
QUICK = Effort(people=6, training=2, swaps=2, counted=4)


def main() -> None:
    """Measure and report."""
    options = frame.options("How many questions are asked until studies have their answer.")
    report = frame.Report("questions")
    effort = QUICK if options.quick else FULL
    demo = workload.demonstration()
    trials = () if options.data is None else workload.bank(options.data / workload.BANK)
    alone = [workload.together([study]) for study in (*demo, *trials)]
    measure(report, alone, effort, size=1)
    measure(report, [workload.together(demo)], effort, size=len(demo))
    if trials:
        measure(report, [workload.together(trials)], effort, size=len(trials))
    exact(report, demo if options.quick else (*demo, *trials))
    report.at_most("share_of_all@27", 0.40)
    report.at_most("burden_of_fixed@27", 1.0)
    report.at_most("choose_p99_ms", 20)
    report.finish(options)


def measure(report: frame.Report, plans: Sequence[Plan], effort: Effort, *, size: int) -> None:
    """Measure one number of studies: people as the chooser expects them, and others."""
    both = (("", workload.even), ("_other", workload.lopsided))
    for suffix, prior in both:
        share = max(1, effort.people // len(plans))
        chosen, fixed, everything = list[Run](), list[Run](), list[Run]()
        for number, laid_out in enumerate(plans):
            first = adaptive(laid_out, drawn(laid_out, workload.even(laid_out), 1, seed="first")[0]).seconds[0]
            chances = prior(laid_out)
            people, training = (
                drawn(laid_out, chances, count, seed=f"{kind} {number}")
                for kind, count in (("people", share), ("training", max(2, effort.training // len(plans))))
            )
            order = best_order(laid_out, training, swaps=max(2, effort.swaps // len(plans)))
            chosen += [adaptive(laid_out, person) for person in people]
            fixed += [in_order(laid_out, person, order) for person in people]
            everything += [asked_all(laid_out, person) for person in people]
        same = [one.results for one in chosen]
        if same != [one.results for one in everything] or same != [one.results for one in fixed]:
            raise RuntimeError("studies came to different answers, so that the figures compare nothing")
        _report(report, f"@{size}{suffix}", chosen, fixed, everything)
        if len(plans) == 1 and not suffix:
            times = [second for one in chosen for second in one.seconds]
            report.figure("choose_first_ms", 1000 * first)
            report.figure("choose_p50_ms", 1000 * statistics.median(times))
            report.figure("choose_p99_ms", 1000 * percentile(times, 99))
        if len(plans) == 1 and suffix:
            after_counting(report, plans[0], effort, fixed, at=f"@{size}_counted")


def _report(
    report: frame.Report, at: str, chosen: Sequence[Run], fixed: Sequence[Run], everything: Sequence[Run]
) -> None:
    asked = [one.number for one in chosen]
    report.figure(f"median{at}", statistics.median(asked))
    report.figure(f"p90{at}", percentile(asked, 90))
    report.figure(f"share_of_all{at}", statistics.median(asked) / median_number(everything))
    report.figure(
        f"share_of_read{at}", statistics.median(asked) / statistics.median(one.read for one in everything)
    )
    report.figure(f"burden_of_fixed{at}", mean_burden(chosen) / mean_burden(fixed))
    report.peer(f"fixed_median{at}", median_number(fixed))
    report.peer(f"fixed_p90{at}", percentile([one.number for one in fixed], 90))
    report.peer(f"all_median{at}", median_number(everything))
    report.peer(f"read_median{at}", statistics.median(one.read for one in everything))


def median_number(runs: Sequence[Run]) -> float:
    """Give the median number of questions."""
    return statistics.median(one.number for one in runs)


def mean_burden(runs: Sequence[Run]) -> float:
    """Give the mean burden."""
    return statistics.fmean(one.burden for one in runs)


def percentile(numbers: Sequence[float], percent: int) -> float:
    """Give the least number that so many in a hundred do not exceed."""
    ranked = sorted(numbers)
    return ranked[min(len(ranked) - 1, -(-len(ranked) * percent // 100) - 1)]


@dataclass(frozen=True, slots=True)
class Run:
    """One person asked to the end: how many questions, their burden, what came of it, each choice's time."""

    number: int
    burden: float
    results: tuple[object, ...]
    seconds: tuple[float, ...] = ()
    read: int = 0


def drawn(laid_out: Plan, chances: workload.Chances, count: int, *, seed: str) -> list[Person]:
    """Make people up."""
    chance = Random(seed)  # noqa: S311 - made-up people, the same in every run
    return [workload.someone(laid_out, chances, chance, on=TODAY) for _ in range(count)]


def start(laid_out: Plan, answers: Person | None = None) -> Asking:
    """Begin with somebody, or go on from all that a draft holds."""
    return begin(
        laid_out,
        respondent=Respondent.SELF,
        on=TODAY,
        source=EvidenceSource.PARTICIPANT_ONLINE,
        answers=answers,
    )


def adaptive(laid_out: Plan, person: Person, *, told: Statistics = EVEN) -> Run:
    """Ask what the chooser chooses; each choice is timed from the bare answers, as a page has them."""
    answers: Person = {}
    seconds, burden = list[float](), 0.0
    while True:
        began = time.process_time()
        asking = start(laid_out, answers)
        choice = choose(asking, told, seed="", share=0)
        seconds.append(time.process_time() - began)
        if choice is None:
            return Run(len(answers), burden, outcome(asking), tuple(seconds))
        burden += burden_of(choice.item)
        answers[choice.question.id] = person[choice.question.id]


def outcome(asking: Asking) -> tuple[object, ...]:
    """Give what studies came to: their dispositions and the days from which "later" may be said."""
    return tuple((one.study, one.disposition, one.later) for one in results(asking))


def asked_all(laid_out: Plan, person: Person) -> Run:
    """Ask every question on the path of any study."""
    asking = start(laid_out, person)
    items = [laid_out.item(question.places[0]) for question in on_path(asking)]
    asked = [item for item in items if asks(item)]
    moving = {
        question.id
        for question in on_path(asking)
        for place in question.places
        for one in laid_out.outlines
        if one.study.id == place.study and one.moves[place.item]
    }
    return Run(len(asked), sum(map(burden_of, asked)), outcome(asking), read=len(moving))


def in_order(laid_out: Plan, person: Person, order: dict[str, int]) -> Run:
    """Ask in a fixed order, under the same phases, skip logic and end of asking."""
    asking, burden = start(laid_out), 0.0
    while candidates := askable(asking):
        first = min(candidates, key=lambda one: order[one.question.id])
        burden += burden_of(first.item)
        asking = asking.answered(first.question, person[first.question.id])
    return Run(len(asking.answers), burden, outcome(asking))


def cost(laid_out: Plan, people: Iterable[Person], order: dict[str, int]) -> float:
    """Give what a fixed order costs people in all, without working out what studies come to."""
    total = 0.0
    for person in people:
        asking = start(laid_out)
        while candidates := askable(asking):
            first = min(candidates, key=lambda one: order[one.question.id])
            total += burden_of(first.item)
            asking = asking.answered(first.question, person[first.question.id])
    return total


def best_order(laid_out: Plan, training: Sequence[Person], *, swaps: int) -> dict[str, int]:
    """Seek the best fixed order on a sample of its own: greedily by gain, then by swapping pairs.

    Greedy: the next place goes to the question with the greatest gain per
    burden, on the mean of the sample as the order so far leaves it. Then two
    places drawn at random are swapped and stay so where the sample's burden
    falls; so often as is said, the early half twice as likely.
    """
    names = greedy(laid_out, training)
    chance = Random("swaps")  # noqa: S311 - the same in every run
    best = cost(laid_out, training, placed(names))
    used = max(2, len(names) // 2)
    for _ in range(swaps):
        one, other = chance.randrange(used), chance.randrange(len(names))
        names[one], names[other] = names[other], names[one]
        now = cost(laid_out, training, placed(names))
        if now <= best:
            best = now
        else:
            names[one], names[other] = names[other], names[one]
    return placed(names)


def placed(names: Sequence[str]) -> dict[str, int]:
    """Give each name its place."""
    return {name: place for place, name in enumerate(names)}


def greedy(laid_out: Plan, training: Sequence[Person]) -> list[str]:
    """Place the question that brings the sample most per burden, and go on from there."""
    states = [start(laid_out) for _ in training]
    gains = [gains_of(state) for state in states]
    names: list[str] = []
    while any(gains):
        totals: dict[str, float] = {}
        for table in gains:
            for name, gain in table.items():
                totals[name] = totals.get(name, 0.0) + gain
        name = max(sorted(totals), key=totals.__getitem__)
        names.append(name)
        for at, person in enumerate(training):
            if name in gains[at]:
                states[at] = states[at].answered(laid_out.by_id[name], person[name])
                gains[at] = gains_of(states[at])
    return [*names, *(question.id for question in laid_out.questions if question.id not in names)]


def gains_of(asking: Asking) -> dict[str, float]:
    """Give what each question that may be asked now brings per burden."""
    return dict(gains(asking, askable(asking), EVEN))


def after_counting(
    report: frame.Report, laid_out: Plan, effort: Effort, fixed: Sequence[Run], *, at: str
) -> None:
    """Measure the same other people once what more of them said, asked in random order, has been counted."""
    chances = workload.lopsided(laid_out)
    told = counted(
        said(laid_out, drawn(laid_out, chances, effort.counted, seed="counted")), workload.even(laid_out)
    )
    people = drawn(laid_out, chances, effort.people, seed="people 0")
    runs = [adaptive(laid_out, person, told=told) for person in people]
    every = [asked_all(laid_out, person) for person in people]
    report.figure(f"median{at}", median_number(runs))
    report.figure(f"share_of_all{at}", median_number(runs) / median_number(every))
    report.figure(f"burden_of_fixed{at}", mean_burden(runs) / mean_burden(fixed))


def said(laid_out: Plan, people: Iterable[Person]) -> Iterator[Said]:
    """Give what people say who are asked in random order to the end."""
    even = workload.even(laid_out)
    for number, person in enumerate(people):
        asking = start(laid_out)
        while (choice := choose(asking, EVEN, seed=f"random {number}", share=1)) is not None:
            name, answer = choice.question.id, person[choice.question.id]
            yield Said(name, label_of(choice.item, answer, tuple(even[name])))
            asking = asking.answered(choice.question, answer)


def exact(report: frame.Report, studies: Sequence[Study]) -> None:
    """Hold the expected burden of what is chosen against the least that any way of choosing can have.

    Studies are cut down to the criteria that so few questions can settle, and
    each question to three answers and "I don't know", so that every state can be visited.
    """
    ratios = []
    for study in studies:
        laid_out = workload.together([workload.shortened(study, questions=SMALL)])
        few = Statistics({name: fewer(chances) for name, chances in workload.even(laid_out).items()})
        least, chosen = Exact(laid_out, few).least(), Exact(laid_out, few).chosen()
        if least:
            ratios.append(chosen / least)
    report.figure("x_exact_mean", statistics.fmean(ratios))
    report.figure("x_exact_worst", max(ratios))
    report.figure("exact_studies", len(ratios))


def fewer(chances: Mapping[str, float]) -> dict[str, float]:
    """Keep "I don't know" and, of the rest, the first, the middle and the last, which share what all had."""
    known = [label for label in chances if label not in (DONT_KNOW, DECLINED)]
    kept = list(dict.fromkeys((known[0], known[len(known) // 2], known[-1]))) if known else []
    unknown = {DONT_KNOW: chances[DONT_KNOW]} if DONT_KNOW in chances else {}
    left = 1 - sum(unknown.values())
    total = sum(chances[label] for label in kept)
    return {label: left * chances[label] / total for label in kept} | unknown


class Exact:
    """Every state of asking for one small study, by exact dynamic programming."""

    def __init__(self, laid_out: Plan, told: Statistics) -> None:
        self._told = told
        self._start = start(laid_out)
        self._known: dict[frozenset[tuple[str, str]], float] = {}

    def least(self) -> float:
        """Give the least expected burden until the study has its answer."""
        return self._cost(self._start, frozenset(), lambda asking: askable(asking))

    def chosen(self) -> float:
        """Give the expected burden of asking what the chooser chooses."""
        return self._cost(self._start, frozenset(), self._choice)

    def _choice(self, asking: Asking) -> tuple[Candidate, ...]:
        choice = choose(asking, self._told, seed="", share=0)
        return tuple(one for one in askable(asking) if choice is not None and one.question == choice.question)

    def _cost(
        self,
        asking: Asking,
        said: frozenset[tuple[str, str]],
        options: Callable[[Asking], tuple[Candidate, ...]],
    ) -> float:
        if said not in self._known:
            self._known[said] = min(
                (self._after(asking, said, one, options) for one in options(asking)), default=0.0
            )
        return self._known[said]

    def _after(
        self,
        asking: Asking,
        said: frozenset[tuple[str, str]],
        one: Candidate,
        options: Callable[[Asking], tuple[Candidate, ...]],
    ) -> float:
        name = one.question.id
        chances = self._told.chances[name]
        return burden_of(one.item) + sum(
            chance
            * self._cost(
                asking.answered(one.question, answer_of(one.item, label, on=TODAY)),
                said | {(name, label)},
                options,
            )
            for label, chance in chances.items()
        )


if __name__ == "__main__":
    main()
