from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from recruit.studies import defaults, questions
from recruit.studies.defaults import Told
from recruit.vocabulary import terms
from recruit.web.coordinator.criterion import example
from screening.asking.answers import parse
from screening.asking.assertions import facts_from
from screening.asking.items import Integer, Item, fact_keys
from screening.asking.publishing import problems
from screening.asking.questionnaire import Document, Outcome
from screening.asking.responses import Answer
from screening.asking.wording import Hint, reading_hints
from screening.assessment.assess import assess
from screening.facts import EvidenceSource, Facts
from screening.language.notation import parse_rule
from screening.language.protocol import Criterion, CriterionKind, Protocol
from screening.slips import Problems
from screening.texts import Respondent
from screening.vocabulary import Key, Sensitivity, packaged_vocabulary, read_key

VOCABULARY = packaged_vocabulary()
NAMES = {"en": "Harbor study", "es": "estudio Faro"}
TOLD = Told(operator="Harbor Trials", names=NAMES, languages=("en", "es"), registry=True)
TODAY = date(2026, 11, 18)


def _protocol(*rules: str, kind: CriterionKind = CriterionKind.INCLUSION) -> Protocol:
    criteria = (
        Criterion(
            id=f"c{place}",
            kind=kind,
            text=rule,
            rule=parse_rule(rule, vocabulary=VOCABULARY, terms=terms()),
        )
        for place, rule in enumerate(rules)
    )
    return Protocol(criteria=tuple(criteria))


def _propose(protocol: Protocol) -> Document:
    return questions.propose(protocol, TOLD, vocabulary=VOCABULARY, terms=terms())


def _problems(protocol: Protocol, document: Document) -> list[str]:
    needed = questions.keys_read(protocol, vocabulary=VOCABULARY, terms=terms())
    found = problems(document, keys_needed=needed, languages=TOLD.languages, vocabulary=VOCABULARY)
    return [f"{one.fault.value} {one.where}" for one in found]


def _answer(item: Item, form: dict[str, str]) -> Answer:
    answer = parse(item, {name: [value] for name, value in form.items()}, language="en", on=TODAY)
    assert not isinstance(answer, Problems), answer
    return answer


def _disposition(protocol: Protocol, document: Document, forms: dict[str, dict[str, str]]) -> str:
    answers = {}
    for name, form in forms.items():
        item = document.item(name)
        assert item is not None
        answers[name] = _answer(item, form)
    at = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)
    facts = facts_from(
        document,
        answers,
        Respondent.SELF,
        recorded_at=at,
        source=EvidenceSource.PARTICIPANT_ONLINE,
        new_id=uuid4,
    )
    return assess(protocol, Facts(facts), on=TODAY, vocabulary=VOCABULARY, terms=terms()).disposition.value


TELLABLE = [key for key in VOCABULARY if key.participant_can_tell and key.computed is None]


class TestPropose:
    @pytest.mark.parametrize("key", TELLABLE, ids=lambda key: key.name)
    def test_every_key_that_participants_can_tell_gives_a_publishable_question(self, key: Key) -> None:
        protocol = _protocol(example(key))

        document = _propose(protocol)

        assert _problems(protocol, document) == []
        assert key.name in {name for item in document.items for name in fact_keys(item)}

    def test_all_of_them_together_are_publishable_too(self) -> None:
        protocol = _protocol(*(example(key) for key in TELLABLE))

        document = _propose(protocol)

        assert _problems(protocol, document) == []

    def test_asks_easy_questions_first_and_sensitive_ones_last(self) -> None:
        document = _propose(_protocol(*(example(key) for key in reversed(TELLABLE))))

        order = list(Sensitivity)
        phases = [order.index(item.sensitivity) for item in document.items]
        assert phases == sorted(phases)

    def test_asks_for_what_a_computed_value_is_made_of(self) -> None:
        document = _propose(_protocol("bmi < 40 kg/m2"))

        assert [item.id for item in document.items] == ["height", "weight"]

    def test_leaves_out_what_only_others_can_tell(self) -> None:
        document = _propose(
            _protocol(
                "egfr >= 30 mL/min/{1.73_m2}",
                "age >= 18 years",
                'site("veins")',
                "hba1c > 7 % told by laboratory",
            )
        )

        assert [item.id for item in document.items] == ["birth"]

    def test_refuses_a_protocol_that_asks_participants_nothing(self) -> None:
        with pytest.raises(ValueError, match="participant"):
            _propose(_protocol('site("veins")'))

    def test_asks_about_pregnancy_only_those_who_can_be_and_counts_the_others_as_not(self) -> None:
        protocol = _protocol("pregnant is yes", "sex is one of (female, male)")
        document = _propose(protocol)

        asked = document.item("pregnant")
        keys = fact_keys(next(item for item in document.items if item.id == "sex"))

        assert asked is not None
        assert asked.show_if is not None
        assert keys == ("sex", "pregnant")

    def test_names_rules_that_no_question_of_the_vocabulary_covers(self) -> None:
        protocol = _protocol("condition in (Q99)", "condition in (E11)")

        found = questions.unanswerable(protocol, vocabulary=VOCABULARY, terms=terms())

        assert found in ((), ("c0",))


class TestDays:
    RULE = "condition in (I21, I22) within 6 months before today"

    @pytest.mark.parametrize(
        ("when", "disposition"),
        [
            ({"month": "9", "year": "2026"}, "ineligible"),
            ({"year": "2015"}, "candidate"),
            ({"month": "5", "year": "2026"}, "potential_candidate"),
            ({"instead": "dont_know"}, "potential_candidate"),
        ],
    )
    def test_the_day_of_the_last_heart_attack_settles_a_window(
        self, when: dict[str, str], disposition: str
    ) -> None:
        protocol = _protocol(self.RULE, kind=CriterionKind.EXCLUSION)
        document = _propose(protocol)

        came = _disposition(
            protocol,
            document,
            {"condition_heart": {"answer": "heart_attack"}, "condition_heart_heart_attack_last": when},
        )

        assert came == disposition

    @pytest.mark.parametrize("chosen", ["none_of_these", "angina"])
    def test_whoever_had_none_is_not_asked_for_a_day_and_passes(self, chosen: str) -> None:
        protocol = _protocol(self.RULE, kind=CriterionKind.EXCLUSION)

        came = _disposition(protocol, _propose(protocol), {"condition_heart": {"answer": chosen}})

        assert came == "candidate"

    @pytest.mark.parametrize(("year", "disposition"), [("2024", "candidate"), ("2026", "potential_candidate")])
    def test_since_when_without_a_break_settles_a_stretch(self, year: str, disposition: str) -> None:
        protocol = _protocol("medicine in (A10BA02) current for at least 3 months")

        came = _disposition(
            protocol,
            _propose(protocol),
            {"medicine_metformin": {"answer": "yes"}, "medicine_metformin_steady": {"year": year}},
        )

        assert came == disposition


class TestDefaults:
    def test_every_word_exists_in_both_languages_and_is_filled_in(self) -> None:
        texts = [
            *(getattr(defaults.notice(TOLD), name) for name in type(defaults.notice(TOLD)).model_fields),
            *(page.body for page in defaults.results(TOLD).values()),
            *(consent.text for consent in defaults.consents(TOLD)),
            defaults.safety_page(TOLD),
            defaults.title(TOLD),
        ]

        for text in texts:
            assert text.has("en")
            assert text.has("es")
            assert "{" not in text.say("en") + text.say("es")

    def test_the_notice_answers_what_the_fda_asks(self) -> None:
        notice = defaults.notice(TOLD)
        said = " ".join(getattr(notice, name).say("en") for name in type(notice).model_fields)

        for answer in (
            "24 hours",
            "90 days",
            "never sell",
            "No marketing company",
            "other studies",
            "destroy",
        ):
            assert answer in said

    def test_results_say_nothing_that_only_a_site_may_say(self) -> None:
        said = " ".join(
            f"{page.heading.say(code)} {page.body.say(code)}".lower()
            for page in defaults.results(TOLD).values()
            for code in TOLD.languages
        )

        for forbidden in ("eligible", "elegible", "qualif", "califica", "congratulations", "reject", "fail"):
            assert forbidden not in said
        assert set(defaults.results(TOLD)) == set(Outcome)

    def test_results_are_easy_to_read(self) -> None:
        for page in defaults.results(TOLD).values():
            assert Hint.TWO_NEGATIVES not in reading_hints(page.body.say("en"), "en")


def test_a_count_is_asked_without_a_unit() -> None:
    flares = read_key(
        "study.flare_ups",
        {
            "kind": "quantity",
            "label": {"en": "Flare-ups"},
            "question": {"en": "How many flare-ups?"},
            "unit": "1",
            "plausible": ["0", "50"],
            "whole": True,
            "told_by": ["participant"],
            "validity": "3 months",
        },
    )
    vocabulary = VOCABULARY.extended([flares])
    rule = parse_rule("study.flare_ups >= 2 1", vocabulary=vocabulary, terms=terms())
    protocol = Protocol(
        criteria=(Criterion(id="c0", kind=CriterionKind.INCLUSION, text="Flare-ups", rule=rule),)
    )

    document = questions.propose(protocol, TOLD, vocabulary=vocabulary, terms=terms())

    [asked] = [item for item in document.items if isinstance(item, Integer)]
    assert (asked.unit, asked.unit_text) == ("1", None)
