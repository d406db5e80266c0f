"""Registry records as draft criteria, and drafts after an amendment."""

from __future__ import annotations

import json

import pytest

from recruit.interop import ctgov
from recruit.interop.eligibility import REGISTRY_MEMBER, SEX_KEY, Blank, blanks, drafts
from recruit.interop.redraft import redraft
from recruit.interop.registry import StudyRecord
from screening.intervals import CalendarUnit
from screening.language.criteria import Age, AllOf, AnyOf, AtLeast, Is, Node, NoneOf, Unconfirmed
from screening.language.protocol import Criterion, CriterionKind, Protocol, read_protocol, write_protocol
from screening.structure.splitting import Role
from screening.vocabulary import packaged_vocabulary
from tests.real_data import DATA, needs
from tests.recruit.interop.records import ABSENT, make_record, make_record_of


def texts(protocol: Protocol) -> list[str]:
    return [criterion.text for criterion in protocol.criteria]


def find(protocol: Protocol, name: str) -> Criterion:
    return next(criterion for criterion in protocol.criteria if criterion.id == name)


class TestRegistryFields:
    @pytest.mark.parametrize(
        ("minimum", "maximum", "rule"),
        [
            ("18 Years", "75 Years", Age(unit=CalendarUnit.YEARS, ge=18, le=75)),
            ("18 Years", ABSENT, Age(unit=CalendarUnit.YEARS, ge=18)),
            (ABSENT, "17 Years", Age(unit=CalendarUnit.YEARS, le=17)),
            ("6 Months", "35 Months", Age(unit=CalendarUnit.MONTHS, ge=6, le=35)),
            (
                "6 Months",
                "5 Years",
                AllOf(of=(Age(unit=CalendarUnit.MONTHS, ge=6), Age(unit=CalendarUnit.YEARS, le=5))),
            ),
            ("0 Years", "2 Weeks", Age(unit=CalendarUnit.WEEKS, le=2)),
            ("48 Hours", ABSENT, Age(unit=CalendarUnit.DAYS, ge=2)),
            ("36 Hours", "2 Weeks", None),
        ],
    )
    def test_makes_a_real_criterion_of_the_ages(
        self, minimum: object, maximum: object, rule: Node | None
    ) -> None:
        record = make_record({"eligibilityModule.minimumAge": minimum, "eligibilityModule.maximumAge": maximum})

        criterion = find(drafts(record), "age")

        assert criterion.kind is CriterionKind.INCLUSION
        assert criterion.rule == rule

    @pytest.mark.parametrize("minimum", [ABSENT, "0 Years"])
    def test_makes_no_age_criterion_without_a_limit(self, minimum: object) -> None:
        record = make_record({"eligibilityModule.minimumAge": minimum, "eligibilityModule.maximumAge": ABSENT})

        names = {criterion.id for criterion in drafts(record).criteria}

        assert "age" not in names

    @pytest.mark.parametrize(
        ("sex", "rule"),
        [
            ("FEMALE", Is(key=SEX_KEY, codes=("female",))),
            ("MALE", Is(key=SEX_KEY, codes=("male",))),
            ("ALL", None),
            (ABSENT, None),
        ],
    )
    def test_makes_a_real_criterion_of_a_sex(self, sex: object, rule: Node | None) -> None:
        record = make_record({"eligibilityModule.sex": sex})

        rules = [criterion.rule for criterion in drafts(record).criteria if criterion.id == "sex"]

        assert rules == ([] if rule is None else [rule])

    def test_names_a_sex_as_the_vocabulary_does(self) -> None:
        record = make_record({"eligibilityModule.sex": "FEMALE"})

        rule = find(drafts(record), "sex").rule

        assert isinstance(rule, Is)
        assert set(rule.codes) < set(packaged_vocabulary()[rule.key].codes)

    def test_keeps_what_the_registry_says_of_gender_as_text(self) -> None:
        record = make_record(
            {"eligibilityModule.genderBased": True, "eligibilityModule.genderDescription": "Post partum"}
        )

        criterion = find(drafts(record), "gender")

        assert criterion.rule is None
        assert "Post partum" in criterion.text

    def test_makes_no_criterion_of_healthy_volunteers(self) -> None:
        both = [make_record({"eligibilityModule.healthyVolunteers": value}) for value in (True, False)]

        made = [texts(drafts(record)) for record in both]

        assert made[0] == made[1]


class TestBlanks:
    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("Exclusion Criteria: None", Blank(("Exclusion Criteria:",), "None")),
            ("Exclusion Criteria:\n\n* Not applicable.", Blank(("Exclusion Criteria:",), "Not applicable.")),
            ("Exclusion: none", Blank(("Exclusion:",), "none")),
            (
                "Patients are excluded if:\n\n* None",
                Blank(("Inclusion Criteria:", "Patients are excluded if:"), "None"),
            ),
        ],
    )
    def test_keeps_that_a_list_asks_nothing_in_the_registrys_words_and_makes_no_criterion_of_it(
        self, text: str, told: Blank
    ) -> None:
        record = make_record_of(f"Inclusion Criteria:\n\n* Asthma\n\n{text}")

        made = drafts(record)

        assert texts(made) == ["Asthma"]
        assert blanks(record) == (told,)

    def test_finds_none_where_every_list_asks_something(self) -> None:
        record = make_record_of("Inclusion Criteria:\n\n* Asthma\n\nExclusion Criteria:\n\n* None of: stroke")

        assert blanks(record) == ()


class TestTexts:
    def test_leaves_text_as_text_with_kind_number_and_order(self) -> None:
        record = make_record_of(
            "Inclusion Criteria:\n\n1. Asthma\n2. Consent\n\nExclusion Criteria:\n\n1. Stroke"
        )

        made = drafts(record).criteria

        assert [(one.id, one.number, one.kind.value, one.text, one.rule) for one in made] == [
            ("in-1", "1", "inclusion", "Asthma", None),
            ("in-2", "2", "inclusion", "Consent", None),
            ("ex-1", "1", "exclusion", "Stroke", None),
        ]

    def test_says_when_the_text_does_not_tell_the_kind(self) -> None:
        record = make_record_of("No smokers.")

        made = drafts(record).criteria

        assert made[0].kind is CriterionKind.INCLUSION
        assert made[0].extensions[REGISTRY_MEMBER] == {"kind": "unstated"}

    def test_keeps_the_headings_above(self) -> None:
        record = make_record_of("Inclusion Criteria:\n\nCohort A:\n\n* Asthma")

        made = drafts(record).criteria

        assert made[0].extensions[REGISTRY_MEMBER] == {"section": ["Inclusion Criteria:", "Cohort A:"]}

    @pytest.mark.parametrize(
        ("kind", "lead"),
        [
            ("Inclusion", "Patients must meet all of the following:"),
            ("Inclusion", "Participants must:"),
            ("Inclusion", "* Patients are eligible only if they meet all of the following criteria:"),
            ("Exclusion", "Patients will be excluded if any of the following apply:"),
            ("Exclusion", "Patients with:"),
        ],
    )
    def test_makes_the_parts_of_a_lead_in_for_everybody_their_own_criteria(self, kind: str, lead: str) -> None:
        record = make_record_of(f"{kind} Criteria:\n\n{lead}\n\n  * Asthma\n  * Eczema")

        made = drafts(record).criteria

        assert [one.text for one in made] == ["Asthma", "Eczema"]
        assert made[0].extensions[REGISTRY_MEMBER] == {
            "section": [f"{kind} Criteria:", lead.removeprefix("* ")]
        }

    @pytest.mark.parametrize(
        ("kind", "lead"),
        [
            ("Inclusion", "Women of childbearing potential must:"),
            ("Inclusion", "Patients with:"),
            ("Inclusion", "Patients with brain metastases must meet any of these demands:"),
            ("Exclusion", "Patients are excluded if they meet all of the following:"),
        ],
    )
    def test_keeps_the_parts_together_where_they_do_not_stand_alone(self, kind: str, lead: str) -> None:
        record = make_record_of(f"{kind} Criteria:\n\n{lead}\n\n* Asthma\n  1. mild\n* Eczema")

        made = drafts(record).criteria

        assert [one.text for one in made] == [f"{lead}\n  * Asthma\n    1. mild\n  * Eczema"]
        assert made[0].rule is None

    def test_keeps_what_a_lead_in_demands_before_it_opens_the_list(self) -> None:
        lead = "Only one person of a household is enrolled. Participants must meet all of the following:"
        record = make_record_of(f"Inclusion Criteria:\n\n{lead}\n\n* Asthma\n* Eczema")

        made = texts(drafts(record))

        assert made == ["Only one person of a household is enrolled.", "Asthma", "Eczema"]

    @pytest.mark.parametrize(
        ("lead", "group"),
        [
            ("Must have at least one of the following:", AnyOf),
            ("All of the following criteria:", AllOf),
            ("Meets none of the following:", NoneOf),
        ],
    )
    def test_makes_a_group_of_texts_of_a_bare_lead_in(
        self, lead: str, group: type[AnyOf | AllOf | NoneOf]
    ) -> None:
        record = make_record_of(f"Inclusion Criteria:\n\n1. {lead}\n\n   * Asthma\n   * Eczema")

        (criterion,) = drafts(record).criteria

        assert criterion.rule == group(of=(Unconfirmed(text="Asthma"), Unconfirmed(text="Eczema")))
        assert criterion.text == f"{lead}\n  * Asthma\n  * Eczema"

    def test_makes_nested_groups(self) -> None:
        record = make_record_of(
            "Inclusion Criteria:\n\n* At least two of the following:\n\n  * Asthma\n  * Eczema\n"
            "  * Any of the following:\n\n    * mild hay fever\n    * severe hay fever"
        )

        (criterion,) = drafts(record).criteria

        assert isinstance(criterion.rule, AtLeast)
        assert criterion.rule.count == 2
        assert criterion.rule.of[2] == AnyOf(
            of=(Unconfirmed(text="mild hay fever"), Unconfirmed(text="severe hay fever"))
        )

    def test_keeps_together_what_some_or_all_of_must_be_met(self) -> None:
        lead = "Participants must meet some or all of the following:"
        record = make_record_of(f"Inclusion Criteria:\n\n{lead}\n\n* Asthma\n* Eczema")

        (criterion,) = drafts(record).criteria

        assert criterion.text == f"{lead}\n  * Asthma\n  * Eczema"
        assert criterion.rule is None

    @pytest.mark.parametrize(
        "lead",
        [
            "No history of any of the following:",
            "Any of the following, except in cohort 2:",
            "Clinically significant cardiac disease, including any of the following:",
            "A female participant who is not pregnant and meets one of the following:",
        ],
    )
    def test_makes_no_group_where_the_lead_in_says_more(self, lead: str) -> None:
        record = make_record_of(f"Inclusion Criteria:\n\n* {lead}\n\n  * Asthma\n  * Eczema")

        (criterion,) = drafts(record).criteria

        assert criterion.rule is None

    def test_puts_parts_that_each_exclude_below_their_lead_in(self) -> None:
        record = make_record_of(
            "Exclusion Criteria:\n\n3. Treatment with any of the following:\n\n   a. steroids\n   b. insulin"
        )

        made = drafts(record).criteria

        assert [(one.id, one.number, one.parent, one.text) for one in made] == [
            ("ex-1", "3", None, "Treatment with any of the following:"),
            ("ex-1.1", "3.a", "ex-1", "steroids"),
            ("ex-1.2", "3.b", "ex-1", "insulin"),
        ]

    @pytest.mark.parametrize("nothing", ["None", "None.", "Not applicable", "N/A"])
    def test_makes_no_criterion_of_nothing(self, nothing: str) -> None:
        record = make_record_of(f"Exclusion Criteria:\n\n* {nothing}")

        made = drafts(record).criteria

        assert made == ()

    def test_cuts_a_text_that_no_criterion_can_hold(self) -> None:
        words = "word " * 10_000
        record = make_record_of(f"Inclusion Criteria:\n\n* {words}")

        made = drafts(record).criteria

        assert " ".join(one.text for one in made) == words.strip()
        assert [one.parent for one in made] == [None, "in-1", "in-1"]

    def test_puts_a_space_for_control_characters(self) -> None:
        record = make_record_of("Inclusion Criteria:\n\n* Asthma\x07 and eczema")

        made = texts(drafts(record))

        assert made == ["Asthma  and eczema"]

    def test_gives_equal_criteria_lineages_of_their_own(self) -> None:
        record = make_record_of("Inclusion Criteria:\n\n* Asthma\n* Asthma")

        one, other = drafts(record).criteria

        assert one.lineage != other.lineage
        assert other.lineage.startswith(one.lineage)


BEFORE = (
    "Inclusion Criteria:\n\n* Asthma for at least one year\n* Signed consent\n\nExclusion Criteria:\n\n* Stroke"
)


def worked_on(record: StudyRecord) -> Protocol:
    """Make a version in which people confirmed a rule, reworded a text and added a criterion."""
    made = drafts(record)
    asthma, consent, stroke = made.criteria
    rule = Age(unit=CalendarUnit.YEARS, ge=18)
    own = Criterion(id="in-3", kind=CriterionKind.INCLUSION, text="Lives nearby", parent=consent.id)
    changed = (
        asthma.model_copy(update={"rule": rule}),
        consent.model_copy(update={"text": "Consent"}),
        stroke,
        own,
    )
    return made.model_copy(update={"criteria": changed})


class TestRedraft:
    def test_keeps_what_people_made_where_the_registry_says_the_same(self) -> None:
        record = make_record_of(BEFORE)
        previous = worked_on(record)

        again = redraft(record, previous=previous, imported=record)

        assert again == previous

    def test_takes_new_words_as_text_under_the_old_lineage(self) -> None:
        old = make_record_of(BEFORE)
        new = make_record_of(BEFORE.replace("one year", "two years"))
        previous = worked_on(old)

        again = redraft(new, previous=previous, imported=old)

        assert again.criteria[0].text == "Asthma for at least two years"
        assert again.criteria[0].lineage == previous.criteria[0].lineage
        assert again.criteria[0].rule is None
        assert again.criteria[1:] == previous.criteria[1:]

    def test_brings_in_what_is_new_and_drops_what_is_gone(self) -> None:
        old = make_record_of(BEFORE)
        new = make_record_of(BEFORE.replace("* Stroke", "* Pregnancy or breast feeding"))
        previous = worked_on(old)

        again = redraft(new, previous=previous, imported=old)

        assert texts(again) == [
            "Asthma for at least one year",
            "Consent",
            "Pregnancy or breast feeding",
            "Lives nearby",
        ]
        assert len({criterion.lineage for criterion in again.criteria}) == 4

    def test_leaves_out_what_people_took_out(self) -> None:
        record = make_record_of(BEFORE)
        made = drafts(record)
        previous = made.model_copy(update={"criteria": made.criteria[:2]})

        again = redraft(record, previous=previous, imported=record)

        assert texts(again) == ["Asthma for at least one year", "Signed consent"]

    def test_keeps_lineages_unique_when_old_words_come_back(self) -> None:
        first = make_record_of(BEFORE)
        second = make_record_of(BEFORE.replace("one year", "two years"))
        third = make_record_of(
            BEFORE.replace(
                "* Asthma for at least one year",
                "* Asthma for at least two years\n* Asthma for at least one year",
            )
        )
        amended = redraft(second, previous=drafts(first), imported=first)

        again = redraft(third, previous=amended, imported=second)

        assert again.criteria[0].lineage == drafts(first).criteria[0].lineage
        assert len({criterion.lineage for criterion in again.criteria}) == 4

    def test_does_not_collide_with_a_new_id(self) -> None:
        old = make_record_of(BEFORE)
        new = make_record_of(BEFORE.replace("* Signed consent", "* Signed consent\n* Weight over 40 kg"))
        previous = worked_on(old)

        again = redraft(new, previous=previous, imported=old)

        assert [criterion.id for criterion in again.criteria] == ["in-1", "in-2", "in-3", "ex-1", "in-3-2"]
        assert again.criteria[-1].parent == "in-2"

    def test_follows_the_registry_to_new_ages(self) -> None:
        old = make_record()
        new = make_record({"eligibilityModule.maximumAge": "80 Years"})

        again = redraft(new, previous=drafts(old), imported=old)

        assert find(again, "age").rule == Age(unit=CalendarUnit.YEARS, ge=18, le=80)
        assert find(again, "age").lineage == "age"


@needs("ctgov")
class TestRealRecords:
    def test_drafts_every_record_and_reads_its_own_document(self) -> None:
        records = real_records()

        made = [drafts(record) for record in records]

        assert [read_protocol(json.loads(json.dumps(write_protocol(one)))) for one in made] == made
        assert sum(isinstance(one.rule, Is) for protocol in made for one in protocol.criteria) == 13
        assert sum(one.id == "age" for protocol in made for one in protocol.criteria) == 282 + sum(
            record.minimum_age is None and record.maximum_age is not None for record in records
        )

    def test_loses_no_word_of_any_criterion(self) -> None:
        records = real_records()

        lost = [
            (record.nct_id, criterion.text)
            for record in records
            for written in [" ".join(map(everything, drafts(record).criteria))]
            for criterion in record.criteria
            if criterion.role is not Role.REMARK and criterion.text not in written
            if not all(part in written for part in criterion.text.rpartition(". ")[::2])
        ]

        assert lost == []

    def test_redrafts_every_record_to_itself(self) -> None:
        records = real_records()

        again = [redraft(record, previous=drafts(record), imported=record) for record in records]

        assert again == [drafts(record) for record in records]


def everything(criterion: Criterion) -> str:
    told = criterion.extensions.get(REGISTRY_MEMBER, {})
    return " ".join([criterion.text, *told.get("section", [])])


def real_records() -> list[StudyRecord]:
    files = sorted((DATA / "ctgov" / "studies").glob("NCT*.json"))
    return [ctgov.read(json.loads(file.read_text("utf-8"))) for file in files]
