"""What time alone will do: forecasts equal judging every single day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from screening.assessment.assess import Assessment, assess_lowered, assess_scene
from screening.assessment.evidence import Scene
from screening.assessment.forecast import Forecast, forecast, holds_until
from screening.facts import Facts
from screening.intervals import CalendarUnit, Duration
from screening.language.lowering import LoweredProtocol, lower
from screening.language.notation import parse
from screening.language.questions import Resolver
from screening.verdict import Disposition
from tests.screening.people import TERMS, TODAY, VOCABULARY, noted_all

HORIZON = Duration(400, CalendarUnit.DAYS)
INELIGIBLE, POTENTIAL = Disposition.INELIGIBLE, Disposition.POTENTIAL_CANDIDATE

RULES = (
    ("include", "age between 18 and 65 years"),
    ("include", "age >= 216 months"),
    ("exclude", "condition in (I21) within 6 months before today"),
    ("exclude", "condition in (I21) within 90 days before first_dose"),
    ("exclude", "condition in (I21) less than 1 month before today"),
    ("include", "condition in (I21) at least 3 months before today"),
    ("include", "condition in (I21) between 1 month and 12 months before today"),
    ("exclude", "procedure in (Z95.0) more than 2 weeks before today"),
    ("include", "condition in (E11) current for at least 12 months"),
    ("include", "condition in (E11) onset at least 6 months before today"),
    ("exclude", "medicine in (A10BJ) current unchanged for at least 8 weeks"),
    ("exclude", "at least 2 episodes of condition in (I21) within 12 months before today"),
    ("exclude", "last_study_drug within 30 days before today"),
    ("exclude", "last_vaccination within 14 days before first_dose"),
    ("include", "hba1c between 7 and 10 %"),
    ("include", "hba1c <= 9 % measured within 3 months before today"),
    ("include", "bmi between 25 and 40 kg/m2"),
    ("exclude", "pregnant is yes"),
    ("include", "if age >= 60 years then not condition in (I21) within 24 months before today"),
    ("include", "case when age < 18 years then study.pills is yes else study.pills is no end"),
    ("exclude", 'site("Poor veins")'),
)
FACTS: dict[str, Sequence[str]] = {
    "birth": ("1961-06", "2008", "2008-12", "age 17", "age 65", "1990-01", "1960-12"),
    "condition.heart": (
        "I21 past on 2026-08-31",
        "I21 past on 2026-05",
        "I21 past on 2025-12-30 last",
        "I21 current since 2026-02",
        "no",
        "no @ 2026-01-10",
        "no since 2026-03",
    ),
    "condition.diabetes": (
        "E11 current since 2025-12 unbroken",
        "E11 current",
        "E11 current since 2026-02-28 unbroken",
    ),
    "medicine.glp1": ("A10BJ current unchanged 2026-10", "A10BJ current unchanged 2026-11-02"),
    "last_study_drug": ("2026-11-01", "2026-11", "never", "never @ 2026-06-01"),
    "last_vaccination": ("2026-11-20", "2026-10"),
    "hba1c": ("8.1 % @laboratory 2026-09-01", "10.5 % @laboratory 2026-10-30", "9 %"),
    "height": ("170 cm", "170 cm @ 2021-03-01"),
    "weight": ("80 kg", "140 kg @ 2026-02-01"),
    "procedure.pacemaker": ("Z95.0 past on 2026-11-15", "Z95.0 past on 2026-11 last", "no"),
    "pregnant": ("yes", "no", "no @ 2026-10-25"),
    "study.pills": ("yes", "no", "dont_know"),
}


def lowered(rules: Sequence[tuple[str, str]]) -> LoweredProtocol:
    criteria = "\n".join(
        f'{kind} c{number} text "-" rule {rule}' for number, (kind, rule) in enumerate(rules, start=1)
    )
    anchor = "anchor first_dose between 1 week and 1 month after screening"
    protocol = parse(f"language 1\n{anchor}\n{criteria}", vocabulary=VOCABULARY, terms=TERMS)
    return lower(protocol, resolver=Resolver(VOCABULARY, TERMS))


def foretold(protocol: LoweredProtocol, person: Facts, *, on: date = TODAY) -> Forecast:
    return forecast(protocol, person, on=on, vocabulary=VOCABULARY, terms=TERMS, horizon=HORIZON)


def each_day(judge: Callable[[date], Assessment], on: date) -> list[tuple[date, Assessment]]:
    """Judge every single day of the horizon."""
    days = [on + timedelta(days=step) for step in range(401)]
    return [(day, judge(day)) for day in days]


people = st.fixed_dictionaries(
    {}, optional={key: st.lists(st.sampled_from(said), min_size=1, max_size=2) for key, said in FACTS.items()}
).map(noted_all)
protocols = st.lists(st.sampled_from(RULES), min_size=1, max_size=4, unique=True).map(lowered)
todays = st.sampled_from((TODAY, date(2027, 2, 28), date(2028, 2, 29), date(2026, 12, 31)))


class TestEveryDay:
    @given(protocols, people, todays)
    def test_judged_with_facts_kept_fresh_says_the_same(
        self, protocol: LoweredProtocol, person: Facts, on: date
    ) -> None:
        anchors = protocol.protocol.anchor_days
        today = Scene(person, on, VOCABULARY, TERMS, anchors(on))

        told = foretold(protocol, person, on=on)

        days = each_day(
            lambda day: assess_scene(protocol, Scene(person, day, VOCABULARY, TERMS, anchors(day), kept=today)),
            on,
        )
        for day, judged in days:
            [segment] = [one for one in told.segments if one.first <= day <= one.last]
            assert segment.disposition is judged.disposition
            if judged.disposition is INELIGIBLE:
                assert set(segment.deciding) == {one.criterion.id for one in judged.ruling_out}

    @given(protocols, people, todays)
    def test_judged_with_facts_growing_old_stays_until_the_day_named(
        self, protocol: LoweredProtocol, person: Facts, on: date
    ) -> None:
        def judge(day: date) -> Assessment:
            return assess_lowered(protocol, person, on=day, vocabulary=VOCABULARY, terms=TERMS)

        until = holds_until(protocol, person, on=on, vocabulary=VOCABULARY, terms=TERMS, horizon=HORIZON)

        first, *later = [
            (day, [(one.passes, one.applies, one.is_open) for one in judged.verdicts])
            for day, judged in each_day(judge, on)
        ]
        turned = next((day for day, verdicts in later if verdicts != first[1]), None)
        assert until == (turned and turned - timedelta(days=1))


class TestComingBack:
    def test_names_the_day_on_which_a_window_is_over(self) -> None:
        person = noted_all({"condition.heart": "I21 past on 2026-08-31 last"})

        told = foretold(lowered([RULES[2]]), person)

        assert told.possible_from == told.certain_from == date(2027, 3, 1)

    def test_tells_the_earliest_day_from_the_certain_one_where_a_month_is_all_that_is_known(self) -> None:
        person = noted_all({"condition.heart": "I21 past on 2026-10 last"})

        told = foretold(lowered([RULES[2]]), person)

        assert told.possible_from == date(2027, 4, 2)
        assert told.certain_from == date(2027, 5, 1)

    def test_tells_when_somebody_is_old_enough(self) -> None:
        person = noted_all({"birth": "2009-03"})

        told = foretold(lowered([RULES[0]]), person)

        assert (told.possible_from, told.certain_from) == (date(2027, 3, 1), date(2027, 3, 31))

    def test_promises_nothing_where_another_criterion_stays(self) -> None:
        person = noted_all({"condition.heart": "I21 past on 2026-08-31 last", "birth": "1940-01"})

        told = foretold(lowered([RULES[2], RULES[0]]), person)

        assert (told.possible_from, told.certain_from) == (None, None)

    def test_a_value_that_only_grows_old_does_not_bring_anybody_back(self) -> None:
        person = noted_all({"hba1c": "12 % @laboratory 2026-11-01"})

        told = foretold(lowered([("include", "hba1c between 7 and 10 %")]), person)

        assert told.possible_from is None
        assert [one.disposition for one in told.segments] == [INELIGIBLE]

    def test_says_nothing_of_somebody_who_is_not_ruled_out(self) -> None:
        told = foretold(lowered([RULES[0]]), noted_all({}))

        assert [one.disposition for one in told.segments] == [POTENTIAL]
        assert told.possible_from is None


class TestHolding:
    def test_ends_with_the_day_on_which_a_fact_grows_old(self) -> None:
        person = noted_all({"hba1c": "8 % @laboratory 2026-11-01"})
        validity = VOCABULARY["hba1c"].validity
        assert validity is not None

        until = holds_until(
            lowered([("include", "hba1c between 7 and 10 %")]),
            person,
            on=TODAY,
            vocabulary=VOCABULARY,
            terms=TERMS,
        )

        assert validity == Duration(3, CalendarUnit.MONTHS)
        assert until == date(2027, 2, 1)

    def test_has_no_end_where_nothing_turns(self) -> None:
        person = noted_all({"sex": "female"})

        until = holds_until(
            lowered([("include", "sex is female")]), person, on=TODAY, vocabulary=VOCABULARY, terms=TERMS
        )

        assert until is None


def test_a_forecast_covers_every_day_once() -> None:
    person = noted_all({"birth": "2009-03", "condition.heart": "I21 past on 2026-10 last"})

    told = foretold(lowered([RULES[0], RULES[2]]), person)

    ends = [(one.first, one.last) for one in told.segments]
    assert ends[0][0] == TODAY
    assert all(before[1] + timedelta(days=1) == after[0] for before, after in pairwise(ends))
    assert ends[-1][1] == TODAY + timedelta(days=400)
