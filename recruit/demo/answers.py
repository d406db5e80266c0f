"""Answers of people who do not exist, typed into the same boxes and read by the same reader as anybody's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from recruit.demo.catalogue import Prior, StudyData
from recruit.studies.questions import NONE_OF_THESE
from screening.asking.answers import parse
from screening.asking.conditions import holds
from screening.asking.items import (
    Age,
    ChoiceItem,
    Day,
    DecimalNumber,
    Height,
    Integer,
    Item,
    QuantityNumber,
    Weight,
    YesNo,
)
from screening.asking.questionnaire import Document
from screening.asking.responses import Answer, Chosen
from screening.slips import Problems
from screening.texts import Respondent

OFTEN_UNKNOWN, SELDOM_UNKNOWN, DECLINES = 0.1, 0.006, 0.003
_ADULT_AGES, _CHILD_AGES = (20.0, 70.0), (12.0, 16.0)
_MONTHS_AGO = (30.0, 130.0)
_BMI, _HEIGHT, _COUNT = (21.0, 31.0), (154.0, 188.0), (0.0, 3.0)
_CM_AN_INCH, _POUNDS_A_KG = 2.54, 2.20462


@dataclass(slots=True)
class Figure:
    """Somebody made up: born on a day, of a sex, so tall; the answers follow from that where they can."""

    chance: Random
    language: str
    respondent: Respondent
    on: date
    sex: str
    born: date
    height: float
    bmi: float
    misses: Mapping[str, Prior] = field(default_factory=dict)


def figure(
    data: StudyData,
    chance: Random,
    *,
    language: str,
    respondent: Respondent,
    on: date,
    misses: Mapping[str, Prior] | None = None,
) -> Figure:
    """Make somebody up who may suit a study; ``misses`` are answers that will rule them out."""
    ages = data.prior("birth", respondent)
    if not isinstance(ages, tuple):
        ages = _CHILD_AGES if respondent is Respondent.CHILD else _ADULT_AGES
    weights = data.prior("sex", respondent)
    sex = _weighted(chance, weights if isinstance(weights, dict) else {"female": 55, "male": 45})
    days = chance.uniform(ages[0] * 365.25 + 60, ages[1] * 365.25)
    spans = (data.prior("height", respondent), data.prior("bmi", respondent))
    tall, wide = (
        span if isinstance(span, tuple) else usual for span, usual in zip(spans, (_HEIGHT, _BMI), strict=True)
    )
    height = chance.uniform(*tall) - (6.0 if sex == "female" else -2.0)
    return Figure(
        chance,
        language,
        respondent,
        on,
        sex,
        on - timedelta(days=int(days)),
        height,
        chance.uniform(*wide),
        misses or {},
    )


def draw(document: Document, data: StudyData, someone: Figure) -> dict[str, Answer]:
    """Answer a whole questionnaire, each question that comes up, in order."""
    answers: dict[str, Answer] = {}
    for item in document.items:
        if item.show_if is None or holds(item.show_if, answers, someone.respondent) is True:
            answers[item.id] = _answer(item, data, someone)
    return answers


def _answer(item: Item, data: StudyData, someone: Figure) -> Answer:
    form = _form(item, data, someone)
    read = parse(item, form, language=someone.language, on=someone.on)
    if isinstance(read, Problems):
        raise TypeError(f"the demonstration typed something unreadable into {item.id}: {form} {read}")
    return read


def _form(item: Item, data: StudyData, someone: Figure) -> dict[str, list[str]]:
    prior = someone.misses.get(item.id) if item.id in someone.misses else None
    if prior is None:
        unknown = OFTEN_UNKNOWN if item.id in data.often_unknown else SELDOM_UNKNOWN
        luck = someone.chance.random()
        if item.allow_unknown and luck < unknown:
            return {"instead": ["dont_know"]}
        if item.allow_decline and luck > 1 - DECLINES:
            return {"instead": ["declined"]}
        prior = data.prior(item.id, someone.respondent)
    match item:
        case YesNo():
            yes = someone.chance.random() < (prior if isinstance(prior, float) else 0.0)
            return {"answer": ["yes" if yes else "no"]}
        case _ if isinstance(item, ChoiceItem):
            return {"answer": [_choice(item, prior, someone)]}
        case Day():
            return _day(item, prior, someone)
        case Height() | Weight():
            return _body(item, someone)
        case Age():
            return {"answer": [str(_age(someone.born, someone.on))]}
        case Integer() | DecimalNumber() | QuantityNumber():
            return _number(item, prior, someone)
        case _:
            raise RuntimeError(f"the demonstration cannot answer {item.id}")


def _choice(item: ChoiceItem, prior: Prior | None, someone: Figure) -> str:
    codes = [option.code for option in item.options]
    if item.id == "sex":
        return someone.sex
    if isinstance(prior, dict):
        return _weighted(someone.chance, prior)
    return NONE_OF_THESE if NONE_OF_THESE in codes else codes[0]


def _number(
    item: Integer | DecimalNumber | QuantityNumber, prior: Prior | None, someone: Figure
) -> dict[str, list[str]]:
    low, high = prior if isinstance(prior, tuple) else _COUNT
    value = someone.chance.uniform(low, high)
    if isinstance(item, Integer):
        return {"answer": [str(round(value))]}
    form = {"answer": [f"{value:.1f}"]}
    if isinstance(item, QuantityNumber):
        form["unit"] = [item.units[0].code]
    return form


def _body(item: Height | Weight, someone: Figure) -> dict[str, list[str]]:
    """Give height and weight as people of a language write them."""
    metric = someone.language != "en"
    if isinstance(item, Height):
        if metric:
            return {"cm": [str(round(someone.height))]}
        feet, inches = divmod(round(someone.height / _CM_AN_INCH), 12)
        return {"feet": [str(feet)], "inches": [str(inches)]}
    kilograms = someone.bmi * (someone.height / 100) ** 2
    return {"kg": [str(round(kilograms))]} if metric else {"lb": [str(round(kilograms * _POUNDS_A_KG))]}


def _day(item: Day, prior: Prior | None, someone: Figure) -> dict[str, list[str]]:
    if item.id == "birth":
        return {"month": [str(someone.born.month)], "year": [str(someone.born.year)]}
    low, high = prior if isinstance(prior, tuple) else _MONTHS_AGO
    months = round(someone.chance.uniform(low, high))
    months = min(months, max(1, (someone.on - someone.born).days // 31 - 6))
    year, month = divmod(someone.on.year * 12 + someone.on.month - 1 - months, 12)
    if months > 48:
        return {"year": [str(year)]}
    if someone.chance.random() < 0.2 and "ago" in item.accepts and months > 2 * low:
        return {"ago": [str(months)], "ago_unit": ["months"]}
    return {"month": [str(month + 1)], "year": [str(year)]}


def _age(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _weighted(chance: Random, weights: Mapping[str, int]) -> str:
    return chance.choices(list(weights), weights=list(weights.values()))[0]


def sex_in(answers: Mapping[str, Answer]) -> str:
    """Read the sex that somebody answered, or nothing."""
    said = answers.get("sex")
    return said.codes[0] if isinstance(said, Chosen) else ""
