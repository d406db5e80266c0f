"""Studies that ask: those of the demonstration, and the trials of a bank of screeners; and people who answer.

A screener of the bank is read as criteria and questions of ours. One question
of the bank is one question, whichever trials use it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from random import Random

from recruit.demo import catalogue
from recruit.demo.catalogue import StudyData
from recruit.demo.questionnaires import document_of
from screening.acceptance.items import item_of, names_of
from screening.acceptance.reading import read_acceptance
from screening.acceptance.screener import Question as ScreenerQuestion
from screening.acceptance.screener import Screener, read_question, read_rule
from screening.asking.items import Item, reads
from screening.asking.questionnaire import Document
from screening.asking.responses import DONT_KNOW, Answer
from screening.choosing.examples import answer_of
from screening.choosing.nextquestion import Plan, plan
from screening.choosing.outline import Study
from screening.choosing.statistics import even_chances
from screening.choosing.wordings import Place, is_alike
from screening.language.lowering import lower
from screening.language.notation import parse
from screening.language.questions import Resolver
from screening.terms import PrefixTerms
from screening.texts import Respondent
from screening.vocabulary import STUDY_PREFIX, Vocabulary, packaged_vocabulary, read_key

TERMS = PrefixTerms()
BANK = "pharmaledger-ctr"
_OPERATOR = "Example Research"
_PAGES = ("may_fit", "need_to_talk", "not_this_study", "later", "waitlist")
_NOTICE = ("who", "why", "how_long", "what_is_kept", "how_to_stop")


def demonstration() -> tuple[Study, ...]:
    """Give the studies of the demonstration, each asking adaptively."""
    return tuple(_demo(name, catalogue.study(name)) for name in catalogue.STUDIES)


def _demo(name: str, data: StudyData) -> Study:
    keys = [
        read_key(f"{STUDY_PREFIX}{fact['name']}", {part: fact[part] for part in fact if part != "name"})
        for fact in data.facts
    ]
    vocabulary = packaged_vocabulary().extended(keys)
    protocol = parse(catalogue.text(f"{name}.protocol"), vocabulary=vocabulary, terms=TERMS)
    document = document_of(data, protocol, operator=_OPERATOR, vocabulary=vocabulary, terms=TERMS)
    lowered = lower(protocol, resolver=Resolver(vocabulary, TERMS))
    return Study(name, lowered, document.model_copy(update={"order": "adaptive"}), vocabulary)


def alike(studies: Sequence[Study]) -> tuple[tuple[Place, ...], ...]:
    """Group the questions that say the same and are worded the same, as a coordinator would mark them."""
    groups: dict[str, list[tuple[Place, Item]]] = {}
    for study in studies:
        for item in study.document.items:
            group = groups.setdefault(item.text.say("en"), [])
            if not group or (
                is_alike(group[0][1], item) and all(place.study != study.id for place, _ in group)
            ):
                group.append((Place(study.id, item.id), item))
    return tuple(tuple(place for place, _ in group) for group in groups.values() if len(group) > 1)


def together(studies: Sequence[Study]) -> Plan:
    """Lay studies out to be asked for together."""
    return plan(studies, terms=TERMS, equivalent=alike(studies))


def shortened(study: Study, *, questions: int) -> Study:
    """Keep as many of a study's criteria, from the first, as so many of its questions can settle."""
    whole, kept = study.lowered.protocol, study
    for count in range(1, len(whole.criteria) + 1):
        protocol = whole.model_copy(update={"criteria": whole.criteria[:count]})
        lowered = lower(protocol, resolver=Resolver(study.vocabulary, TERMS))
        fewer = Study(study.id, lowered, study.document, study.vocabulary)
        moving = [name for name, moved in plan([fewer], terms=TERMS).outlines[0].moves.items() if moved]
        if len(moving) > questions:
            break
        kept = fewer
    return kept


def bank(folder: Path) -> tuple[Study, ...]:
    """Read the trials of a bank of screeners, each asking adaptively; `folder` holds its tables."""
    asked = {one.code: one for one in map(read_question, _rows(folder, "questiontype"))}
    general = [row["questiontype"] for row in _rows(folder, "generalhealthinformationquestiontype")]
    by_trial = defaultdict(list)
    rows = sorted(
        _rows(folder, "clinicaltrialquestiontype"), key=lambda row: int(row["stage"] + row["ordering"])
    )
    for row in rows:
        by_trial[row["clinicaltrial"]].append(row)
    return tuple(
        _trial(f"trial_{number}", uses, asked, general)
        for number, uses in enumerate(by_trial.values(), start=1)
    )


def _rows(folder: Path, table: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (folder / f"{table}.jsonl").read_text("utf-8").splitlines()]


def _trial(
    name: str,
    uses: Sequence[dict[str, str]],
    asked: Mapping[str, ScreenerQuestion],
    general: Sequence[str],
) -> Study:
    codes = dict.fromkeys([*general, *(row["questiontype"] for row in uses)])
    questions = tuple(asked[code] for code in codes)
    rules = tuple(rule for row in uses if (rule := read_rule(row)) is not None)
    acceptance = read_acceptance(Screener(questions, rules))
    vocabulary = packaged_vocabulary().extended(acceptance.keys)
    lowered = lower(acceptance.protocol, resolver=Resolver(vocabulary, TERMS))
    return Study(name, lowered, _document(questions, vocabulary), vocabulary)


def _document(questions: Sequence[ScreenerQuestion], vocabulary: Vocabulary) -> Document:
    """Put a screener's questions on pages, each after those that show it."""
    names = names_of(questions)
    by_code = {question.code: question for question in questions}
    items = [item_of(question, names, asked=by_code) for question in questions]
    words = {"en": "As approved."}
    return Document.model_validate(
        {
            "title": words,
            "languages": ["en"],
            "order": "adaptive",
            "notice": dict.fromkeys(_NOTICE, words),
            "opening": {"question": words, "choices": {"self": words}, "minor": words},
            "items": [item.model_dump(mode="json") for item in _in_order(items)],
            "results": {name: {"heading": words, "body": words} for name in _PAGES},
        }
    )


def _in_order(items: Sequence[Item]) -> Iterator[Item]:
    by_id = {item.id: item for item in items}
    done: set[str] = set()

    def before(item: Item) -> Iterator[Item]:
        if item.id in done:
            return
        done.add(item.id)
        for leaf in reads(item):
            if leaf.item in by_id:
                yield from before(by_id[leaf.item])
        yield item

    for item in items:
        yield from before(item)


Chances = Mapping[str, Mapping[str, float]]
"""The chances of what is said to each question, by label."""


def even(laid_out: Plan) -> Chances:
    """Give every question the chances that the chooser assumes where nothing was counted."""
    return {
        question.id: even_chances(
            laid_out.item(question.places[0]), _vocabulary(laid_out, question.places[0]), Respondent.SELF
        )
        for question in laid_out.questions
    }


def lopsided(laid_out: Plan) -> Chances:
    """Give every question chances of its own, mostly far from even, and twice as much "I don't know"."""
    return {name: _lopsided(name, chances) for name, chances in even(laid_out).items()}


def _lopsided(name: str, chances: Mapping[str, float]) -> Mapping[str, float]:
    chance = Random(name)  # noqa: S311 - no secret, and the same in every run
    weights = {
        label: 2 * share if label == DONT_KNOW else chance.gammavariate(0.4, 1.0) + 1e-9
        for label, share in chances.items()
    }
    known = sum(weight for label, weight in weights.items() if label != DONT_KNOW)
    left = 1 - weights.get(DONT_KNOW, 0.0)
    return {label: weight if label == DONT_KNOW else left * weight / known for label, weight in weights.items()}


def _vocabulary(laid_out: Plan, place: Place) -> Vocabulary:
    return next(one.study.vocabulary for one in laid_out.outlines if one.study.id == place.study)


def someone(laid_out: Plan, chances: Chances, chance: Random, *, on: date) -> dict[str, Answer]:
    """Make up a person who has one answer to every question."""
    return {
        question.id: answer_of(laid_out.item(question.places[0]), _drawn(chances[question.id], chance), on=on)
        for question in laid_out.questions
    }


def _drawn(chances: Mapping[str, float], chance: Random) -> str:
    return chance.choices(list(chances), list(chances.values()))[0] if chances else DONT_KNOW
