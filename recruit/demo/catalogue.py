"""What the demonstration is made of, as it stands in ``data``: studies, sites, names and wording."""

from __future__ import annotations

import tomllib
from datetime import date, datetime, time
from functools import cache
from importlib import resources
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from recruit.materials.models import MaterialKind
from recruit.studies.calendar import Span
from recruit.studies.models import StudySiteStatus
from screening.texts import Respondent

STUDIES = ("maple", "cedar", "willow", "juniper", "aspen", "birch")
Chance = float
Span2 = tuple[float, float]
Prior = Chance | Span2 | dict[str, int]
"""How a question is answered: a chance of yes, a span of numbers or months, or weights of options."""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StudyVisits(_Data):
    """What taking part asks of somebody's time."""

    number: int
    first_minutes: int
    duration: str
    procedures: str


class CohortData(_Data):
    """A part of a study with a cap of its own."""

    code: str
    name: str
    cap: int


class Page(_Data):
    """A study's public page in one language."""

    title: str
    body: str


class StudyData(_Data):
    """One study: what a coordinator fills in, the words that are its own, and how people answer."""

    title: str
    protocol_number: str
    nickname: str
    neutral_names: dict[str, str]
    sponsor: str
    cro: str = ""
    phase: str
    indication: str
    healthy_volunteers: bool = False
    planned_enrolment: int
    competitive: bool = False
    rescreen_times: int = 0
    rescreen_after_days: int = 0
    study_partner_needed: bool = False
    visits: StudyVisits
    registry_allowed: bool
    offer_other_studies: bool = False
    screened_out_days: int = 90
    budget_minor: int
    safety_contact: str
    safety_deputy: str
    respondents: tuple[Respondent, ...] = (Respondent.SELF,)
    cohorts: tuple[CohortData, ...] = ()
    facts: tuple[dict[str, object], ...] = ()
    page: dict[str, Page]
    payment: dict[str, str]
    items: dict[str, dict[str, object]]
    fits: dict[str, Prior | tuple[str, ...]]
    misses: dict[str, Prior]

    def prior(self, item_id: str, respondent: Respondent) -> Prior | None:
        """Give how people who fit answer a question; a child's own answer goes before the general one."""
        own = self.fits.get(f"{item_id}_{respondent.value}", self.fits.get(item_id))
        return None if own is None or _is_names(own) else own  # type: ignore[return-value]

    @property
    def often_unknown(self) -> frozenset[str]:
        """Name the questions to which many people have no answer."""
        names = self.fits.get("unknown", ())
        return frozenset(str(name) for name in names) if isinstance(names, tuple) else frozenset()


def _is_names(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(one, str) for one in value)


def _spans(value: object) -> object:
    """Read opening hours: weekdays as "0-4" or "5", and two times of day."""
    if not isinstance(value, list):
        return value
    spans = []
    for days, opens, closes in value:
        first, _, last = str(days).partition("-")
        for weekday in range(int(first), int(last or first) + 1):
            spans.append(Span(weekday, time.fromisoformat(opens), time.fromisoformat(closes)))
    return tuple(spans)


class SiteData(_Data):
    """One site: where it is, when it answers, and how it works."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    name: str
    street: str
    city: str
    state: str
    postcode: str
    nearby: tuple[str, ...]
    zone: str
    phone: str
    languages: tuple[str, ...]
    interpreter: bool = False
    hours: Annotated[tuple[Span, ...], BeforeValidator(_spans)]
    pace: float
    reach: float
    show: float
    investigator: str
    studies: dict[str, StudySiteStatus]


class MaterialData(_Data):
    """A text that every study has, with the study's neutral name to be filled in."""

    kind: MaterialKind
    name: str
    subject: dict[str, str] = {}
    en: str
    es: str

    def body(self, language: str, *, name: str) -> str:
        """Give the text of one study."""
        return (self.en if language == "en" else self.es).replace("%(name)s", name)


class Names(_Data):
    """Given and family names of one language."""

    female: tuple[str, ...]
    male: tuple[str, ...]
    family: tuple[str, ...]


@cache
def study(key: str) -> StudyData:
    """Read one study."""
    return StudyData.model_validate(tomllib.loads(text(f"{key}.toml")))


@cache
def sites() -> tuple[SiteData, ...]:
    """Read the sites."""
    return tuple(SiteData.model_validate(table) for table in tomllib.loads(text("sites.toml"))["site"])


@cache
def materials() -> tuple[MaterialData, ...]:
    """Read the texts that every study has."""
    return tuple(
        MaterialData.model_validate(table) for table in tomllib.loads(text("materials.toml"))["material"]
    )


@cache
def names(language: str) -> Names:
    """Read the names of one language."""
    return Names.model_validate(tomllib.loads(text("names.toml"))[language])


def text(filename: str) -> str:
    """Read a file of ``data``."""
    return resources.files("recruit.demo").joinpath("data", filename).read_text("utf-8")


def holidays(year: int) -> dict[date, str]:
    """Give the days of a year on which every site is closed."""
    return {
        date(year, 1, 1): "New Year's Day",
        _nth_weekday(year, 5, 0, -1): "Memorial Day",
        date(year, 7, 4): "Independence Day",
        _nth_weekday(year, 9, 0, 1): "Labor Day",
        _nth_weekday(year, 11, 3, 4): "Thanksgiving",
        date(year, 12, 25): "Christmas Day",
    }


def _nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    days = [date(year, month, day) for day in range(1, 32) if _is_day(year, month, day)]
    found = [day for day in days if day.weekday() == weekday]
    return found[nth - 1] if nth > 0 else found[nth]


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        datetime(year, month, day)  # noqa: DTZ001 - only asks whether the day exists
    except ValueError:
        return False
    return True
