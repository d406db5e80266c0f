"""Dispositions, openness, strength and the sentences that staff read."""

from __future__ import annotations

import json
from datetime import date

import pytest

from screening.assessment.assess import assess, engine_hash, explain
from screening.assessment.evidence import Why
from screening.errors import UnknownKey
from screening.facts import EvidenceSource, Facts
from screening.language.notation import parse
from screening.language.protocol import CriterionKind
from screening.verdict import Disposition, Kleene, Label
from tests.screening.people import TERMS, TODAY, VOCABULARY, assessed, judged, noted, noted_all

NOBODY = Facts()
EXCLUSION = CriterionKind.EXCLUSION
QTC_BY_SEX = "case when sex is female then qtc > 470 ms when sex is male then qtc > 450 ms end"


def study(*criteria: str) -> str:
    """Write a protocol of includes and excludes, one a line."""
    lines = [
        f'{kind} c{n} text "t" rule {rule}'
        for n, (kind, _, rule) in enumerate(c.partition(" ") for c in criteria)
    ]
    return "\n".join(("language 1", *lines))


def disposition(*criteria: str, **facts: str) -> Disposition:
    """Say where somebody stands by some criteria."""
    return assessed(parse(study(*criteria)), noted_all(facts)).disposition


class TestDisposition:
    def test_one_criterion_that_rules_out_is_enough(self) -> None:
        found = disposition("include age >= 18 years", "exclude vaping is yes", vaping="yes")

        assert found is Disposition.INELIGIBLE

    def test_what_the_person_can_still_tell_leaves_it_open(self) -> None:
        found = disposition("include age >= 18 years", "exclude vaping is yes", vaping="no")

        assert found is Disposition.POTENTIAL_CANDIDATE

    @pytest.mark.parametrize("answer", ["dont_know", "declined"])
    def test_not_knowing_and_declining_stay_open(self, answer: str) -> None:
        assert disposition("exclude vaping is yes", vaping=answer) is Disposition.POTENTIAL_CANDIDATE

    def test_what_only_others_can_tell_does_not(self) -> None:
        found = disposition(
            "include age >= 18 years",
            "exclude qtc > 450 ms",
            'exclude site("Any other reason")',
            'exclude text("as written")',
            "include hba1c >= 7 % decided by laboratory",
            "exclude vaping is yes told by clinician",
            birth="1980",
        )

        assert found is Disposition.CANDIDATE

    def test_everything_known_and_nothing_against_is_a_candidate(self) -> None:
        assert disposition("include age >= 18 years", birth="1980") is Disposition.CANDIDATE

    def test_examples_denied_are_for_the_site_to_settle(self) -> None:
        found = disposition("exclude condition such as (E11)", **{"condition.diabetes": "no"})

        assert found is Disposition.CANDIDATE

    def test_a_note_decides_nothing(self) -> None:
        assert disposition('include note("Patients must")') is Disposition.CANDIDATE

    def test_the_criterion_s_evidence_says_who_can_tell(self) -> None:
        protocol = parse('language 1\nexclude c text "t" evidence record rule vaping is yes')

        assert assessed(protocol, NOBODY).disposition is Disposition.CANDIDATE


class TestOpenness:
    @pytest.mark.parametrize(
        ("rule", "facts", "is_open"),
        [
            ("vaping is yes or qtc > 450 ms", {}, True),
            ("vaping is yes or qtc > 450 ms", {"vaping": "no"}, False),
            ("vaping is yes and qtc > 450 ms", {"qtc": "400 ms @record"}, False),
            ("bmi > 30 kg/m2", {"height": "170 cm", "weight": "87 kg"}, True),
            ("bmi > 30 kg/m2 told by record", {}, False),
            ("smoking is never", {"smoking": "never @ 2024-01-05"}, True),
            ("condition in (E11.9)", {"condition.diabetes": "E11 current"}, True),
            ("condition in (G80)", {}, False),
            ("condition in (I21, G40)", {"condition.heart": "no"}, True),
            ("condition in (I21, G80)", {"condition.heart": "no"}, False),
            ("condition in (I21, G80)", {}, True),
            ("condition in (E11.9)", {"condition.any": "E11 current @record"}, True),
            ("condition in (E11)", {"condition.diabetes": ["E11 current @record 2026-01-05", "no"]}, True),
            (QTC_BY_SEX, {"qtc": "460 ms @record"}, True),
            (QTC_BY_SEX, {"qtc": "480 ms @record"}, False),
            (QTC_BY_SEX, {"sex": "female"}, False),
            ("not (vaping is yes and pregnant is yes)", {"vaping": "yes"}, True),
            ("vaping is yes and not pregnant is yes", {}, True),
            ("at least 1 of (qtc > 450 ms; pregnant is no)", {}, True),
        ],
    )
    def test_is_whether_the_person_could_still_change_it(
        self, rule: str, facts: dict[str, str | list[str]], is_open: bool
    ) -> None:
        for kind in CriterionKind:
            assert judged(rule, noted_all(facts), kind=kind).is_open is is_open

    def test_sex_alone_cannot_clear_a_case_while_the_reading_is_missing(self) -> None:
        found = judged(QTC_BY_SEX, NOBODY)

        assert (found.passes, found.is_open) == (Kleene.UNKNOWN, False)


class TestLabels:
    @pytest.mark.parametrize(
        ("kind", "facts", "label"),
        [
            ("inclusion", {"vaping": "yes"}, Label.PASSES),
            ("inclusion", {"vaping": "no"}, Label.RULES_OUT),
            ("exclusion", {"vaping": "yes"}, Label.RULES_OUT),
            ("exclusion", {"vaping": "no"}, Label.PASSES),
            ("exclusion", {}, Label.UNKNOWN),
        ],
    )
    def test_say_what_it_means_for_the_person(self, kind: str, facts: dict[str, str], label: Label) -> None:
        assert judged("vaping is yes", noted_all(facts), kind=CriterionKind(kind)).label is label

    def test_what_does_not_apply_passes_either_way(self) -> None:
        facts = noted_all({"sex": "male"})

        for kind in CriterionKind:
            found = judged("if sex is female then pregnant is no", facts, kind=kind)
            assert (found.label, found.passes) == (Label.DOES_NOT_APPLY, Kleene.MET)

    def test_unless_lets_somebody_pass_and_never_rules_out(self) -> None:
        rule, unless = "vaping is yes", "age >= 65 years"

        spared = judged(rule, noted_all({"vaping": "yes", "birth": "1950"}), kind=EXCLUSION, unless=unless)
        caught = judged(rule, noted_all({"vaping": "yes", "birth": "1990"}), kind=EXCLUSION, unless=unless)
        clear = judged(rule, noted_all({"vaping": "no", "birth": "1990"}), kind=EXCLUSION, unless=unless)
        unsure = judged(rule, noted_all({"vaping": "yes"}), kind=EXCLUSION, unless=unless)

        assert [found.label for found in (spared, caught, clear, unsure)] == [
            Label.PASSES,
            Label.RULES_OUT,
            Label.PASSES,
            Label.UNKNOWN,
        ]


class TestCohorts:
    PROTOCOL = parse("""language 1
        cohort A "Young"
        cohort B "Old"
        include i1 text "Adults" rule age >= 18 years
        include i2 cohorts A text "Young" rule age < 40 years
        include i3 cohorts B text "Old" rule age >= 40 years""")

    def test_the_best_one_counts(self) -> None:
        found = assessed(self.PROTOCOL, noted_all({"birth": "1960"}))

        assert [one.disposition for one in found.cohorts] == [Disposition.INELIGIBLE, Disposition.CANDIDATE]
        assert found.disposition is Disposition.CANDIDATE

    def test_a_closed_one_does_not(self) -> None:
        found = assess(
            self.PROTOCOL,
            noted_all({"birth": "1960"}),
            on=TODAY,
            vocabulary=VOCABULARY,
            terms=TERMS,
            closed_cohorts={"B"},
        )

        assert found.disposition is Disposition.INELIGIBLE
        assert [one.is_closed for one in found.cohorts] == [False, True]

    def test_shared_criteria_rule_out_of_all(self) -> None:
        found = assessed(self.PROTOCOL, noted_all({"birth": "2015"}))

        assert found.disposition is Disposition.INELIGIBLE
        assert [one.criterion.id for one in found.ruling_out] == ["i1", "i3"]
        assert found.counting == found.verdicts

    def test_the_criteria_of_one_that_rules_out_alone_do_not_count(self) -> None:
        found = assessed(self.PROTOCOL, noted_all({"birth": "1960"}))

        assert [one.criterion.id for one in found.counting] == ["i1", "i3"]
        assert found.to_json()["counting"] == ["i1", "i3"]


class TestEvidence:
    def test_strength_is_the_weakest_source_that_is_needed(self) -> None:
        facts = noted_all({"vaping": "yes", "qtc": "480 ms @record", "pregnant": "yes @clinician"})

        both = judged("vaping is yes and qtc > 450 ms", facts)
        either = judged("vaping is yes or qtc > 450 ms", facts)
        two = judged("at least 2 of (vaping is yes; qtc > 450 ms; pregnant is yes)", facts)

        assert both.strength is EvidenceSource.PARTICIPANT_ONLINE
        assert either.strength is EvidenceSource.RECORD
        assert two.strength is EvidenceSource.CLINICIAN

    def test_an_unknown_verdict_has_no_strength(self) -> None:
        assert judged("vaping is yes", NOBODY).strength is None

    def test_names_the_facts_that_were_looked_at_and_what_is_missing(self) -> None:
        smoking = noted("smoking", "never")
        weight = noted("weight", "91 kg @ 2025-01-05")

        found = judged("smoking is never and bmi > 30 kg/m2", Facts([smoking, weight]))

        assert found.facts == (smoking.id,)
        assert [(one.key, one.why, one.facts) for one in found.missing] == [
            ("height", Why.NOT_ASKED, ()),
            ("weight", Why.STALE, (weight.id,)),
        ]

    def test_a_conflict_shows_both(self) -> None:
        said, written = noted("sex", "female"), noted("sex", "male @record 2026-01-05")

        found = judged("sex is female", Facts([said, written]))

        assert set(found.facts) == {said.id, written.id}
        assert [one.why for one in found.missing] == [Why.CONFLICT]

    def test_what_is_settled_misses_nothing(self) -> None:
        found = judged("vaping is yes and age >= 18 years", noted_all({"vaping": "no"}))

        assert (found.passes, found.missing) == (Kleene.NOT_MET, ())


class TestTime:
    def test_a_verdict_unsettles_by_expiry_only(self) -> None:
        facts = Facts([noted("pregnant", "no", on=date(2026, 11, 1))])

        verdicts = [
            judged("pregnant is no", facts, on=day).passes for day in (date(2026, 12, 1), date(2026, 12, 2))
        ]

        assert verdicts == [Kleene.MET, Kleene.UNKNOWN]

    def test_an_anchor_that_is_not_known_yet_is_a_range(self) -> None:
        protocol = parse("""language 1
            anchor first_dose between 0 days and 28 days after screening
            exclude c text "No vaccine in the 30 days before dosing"
              rule last_vaccination within 30 days before first_dose""")
        answers = ("2026-11-20", "2026-11-01", "2026-10-01")

        found = [assessed(protocol, noted_all({"last_vaccination": day})).verdicts[0].passes for day in answers]

        assert found == [Kleene.NOT_MET, Kleene.UNKNOWN, Kleene.MET]


SELF = "(answered online, 22 Nov 2026)"
SEX = "Sex registered at birth"


class TestExplanation:
    @pytest.mark.parametrize(
        ("rule", "facts", "sentence"),
        [
            (
                "bmi > 30 kg/m2",
                {"height": "170 cm", "weight": "91.5 kg"},
                f"Body mass index 31.45 to 31.87 kg/m2 {SELF} is above 30 kg/m2.",
            ),
            (
                "age between 18 and 75 years",
                {"birth": "2008"},
                f"Age 17 to 18 years {SELF} is not exact enough to tell whether it is between 18 and 75 years.",
            ),
            (
                "hba1c >= 7.0 % measured within 3 months before today",
                {"hba1c": "6.5 % @laboratory 2026-10"},
                "HbA1c 6.5 % (laboratory, Oct 2026) is not at least 7 %, measured within 3 months"
                " before today.",
            ),
            ("sex is female", {}, f"{SEX}: nobody has asked. Is it Female?"),
            ("sex is female", {"sex": "male"}, f"{SEX}: Male {SELF}, not Female."),
            ("sex is female", {"sex": "declined"}, f"{SEX}: the person preferred not to say. Is it Female?"),
            ("vaping is yes", {"vaping": "no"}, f"Uses e-cigarettes: no {SELF}."),
            (
                "smoking is never",
                {"smoking": "never @ 2024-01-05"},
                "Smoking: Never smoked (answered online, 5 Jan 2024) is too old to count.",
            ),
            (
                "condition in (E11.9)",
                {"condition.diabetes": "E11 current since 2019-03"},
                f"Condition in E11.9: E11 current since Mar 2019 {SELF} may or may not be meant,"
                " ask which kind.",
            ),
            (
                "condition in (C43) but not in (C43.0) within 5 years before today",
                {"condition.cancer": "no"},
                f"Condition in C43 but not in C43.0 (within 5 years before today): no {SELF}.",
            ),
            (
                "qtc > 450 ms decided by record",
                {"qtc": "480 ms @clinician"},
                "QTc interval (ECG) 480 ms (clinician, 22 Nov 2026) needs medical record or better:"
                " is it above 450 ms?",
            ),
            ('site("ECG normal")', {}, "Only the study site can tell: ECG normal"),
            ('text("as written")', {}, "Nobody has turned this into a rule yet: as written"),
        ],
    )
    def test_says_the_value_where_it_comes_from_and_what_it_was_held_against(
        self, rule: str, facts: dict[str, str], sentence: str
    ) -> None:
        assert explain(judged(rule, noted_all(facts))) == [sentence]

    def test_tells_only_what_decides(self) -> None:
        facts = noted_all({"vaping": "no", "pregnant": "no @clinician", "sex": "female"})

        told = explain(judged("vaping is yes and pregnant is yes and sex is female", facts))

        assert told == ["Pregnant: no (clinician, 22 Nov 2026)."]

    def test_says_that_a_criterion_does_not_apply_and_why(self) -> None:
        told = explain(judged("if sex is female then pregnant is no", noted_all({"sex": "male"})))

        assert told == ["This does not apply to the person.", f"{SEX}: Male {SELF}, not Female."]

    def test_tells_what_was_spared(self) -> None:
        facts = noted_all({"vaping": "yes", "birth": "1950"})

        told = explain(judged("vaping is yes", facts, kind=EXCLUSION, unless="age >= 65 years"))

        assert told == ["Age 75 to 76 years (answered online, 22 Nov 2026) is at least 65 years."]


class TestRecord:
    def test_names_everything_that_a_replay_needs(self) -> None:
        protocol = parse(study("include age >= 18 years", "exclude " + QTC_BY_SEX))

        record = json.loads(json.dumps(assessed(protocol, noted_all({"birth": "2008"})).to_json()))

        assert record["on"] == "2026-11-22"
        assert record["disposition"] == "potential_candidate"
        assert record["engine"] == engine_hash()
        assert (record["protocol"], record["vocabulary"]) == (protocol.digest, VOCABULARY.version)
        assert {"language", "terms", "conflict_policy"} <= set(record)
        assert record["criteria"][0]["missing"][0]["why"] == "imprecise"
        assert record["criteria"][1]["reason"]["parts"][0]["sentence"].startswith("Sex registered at birth")

    def test_a_key_that_nobody_knows_is_named(self) -> None:
        protocol = parse(study("include bim >= 3 kg/m2"))

        with pytest.raises(UnknownKey, match="did you mean bmi"):
            assessed(protocol, NOBODY)
