"""Protocols in USDM, well-formed and hostile."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from copy import deepcopy
from functools import partial

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from recruit.db import Database
from recruit.interop import usdm
from recruit.interop.eligibility import CODES_MEMBER, drafts
from recruit.interop.registry import (
    IdentifierType,
    InvalidRecord,
    Phase,
    RegistryIdentifier,
    RegistrySex,
    StudyRecord,
    restored,
    stored,
)
from recruit.interop.richtext import Passage, read_passage
from recruit.studies import importing
from recruit.studies.importing import Came, FileOutcome
from recruit.studies.models import Cohort, ProtocolVersion, Study, StudyIdentifier, StudyLocation
from screening.language.criteria import Age, Is
from screening.language.protocol import read_protocol
from screening.structure.headings import TextKind
from tests.conftest import NOON
from tests.real_data import DATA, needs
from tests.recruit.interop.records import make_document as make_registry_document

INCLUSION = {"code": "C25532", "decode": "Inclusion Criteria"}
EXCLUSION = {"code": "C25370", "decode": "Exclusion Criteria"}
YEAR = {"standardCode": {"code": "C29848", "decode": "Year"}}


def criterion(number: int, category: object = INCLUSION, **changes: object) -> dict[str, object]:
    return {
        "id": f"C{number}",
        "name": f"C{number}",
        "identifier": str(number),
        "category": category,
        "criterionItemId": f"I{number}",
    } | changes


def item(number: int, text: str, **changes: object) -> dict[str, object]:
    return {"id": f"I{number}", "name": f"I{number}", "text": text} | changes


def years(value: object, unit: object = YEAR) -> dict[str, object]:
    return {"id": "Q1", "instanceType": "Quantity", "value": value, "unit": unit}


def make_protocol(**changes: object) -> dict[str, object]:
    """Make a USDM file; changes go by name into the version, its design or the population."""
    population: dict[str, object] = {
        "id": "P",
        "instanceType": "StudyDesignPopulation",
        "description": "Adults with <b>asthma</b>",
        "includesHealthySubjects": False,
        "plannedEnrollmentNumber": {"value": 40.0},
        "plannedSex": [{"code": "C16576", "decode": "Female"}],
        "plannedAge": {
            "minValue": years(18.0),
            "maxValue": {"id": "Q2", "instanceType": "Quantity", "value": 65.0, "unit": YEAR},
        },
        "criterionIds": ["C1", "C2", "C3"],
    }
    design: dict[str, object] = {
        "name": "Design",
        "studyType": {"code": "C98388"},
        "studyPhase": {"standardCode": {"decode": "Phase II/III Trial"}},
        "indications": [
            {"label": "Asthma", "codes": [{"codeSystem": "ICD-10-CM", "code": "J45", "decode": "Asthma"}]}
        ],
        "population": population,
        "eligibilityCriteria": [criterion(1), criterion(2), criterion(3, EXCLUSION)],
    }
    version: dict[str, object] = {
        "versionIdentifier": "2",
        "titles": [{"text": "A study of asthma", "type": {"decode": "Brief Study Title"}}],
        "organizations": [
            {"id": "O1", "name": "EX", "label": "Example Pharma", "type": {"code": "C70793"}},
            {"id": "O2", "name": "CT-GOV", "label": "ClinicalTrials.gov"},
            {"id": "O3", "name": "EMA", "label": "European Medicines Agency"},
            {"id": "O4", "name": "JRCT", "label": "Japan Registry"},
        ],
        "studyIdentifiers": [
            {"text": "ABC-1", "scopeId": "O1"},
            {"text": "NCT01234567", "scopeId": "O2"},
            {"text": "2020-000001-10", "scopeId": "O3"},
            {"text": "jRCT1", "scopeId": "O4"},
        ],
        "amendments": [{"number": "1", "summary": "Ages", "dateValues": [{"dateValue": "2024-05-02"}]}],
        "dictionaries": [
            {
                "id": "D",
                "parameterMaps": [
                    {"tag": "min", "reference": '<usdm:ref klass="Quantity" id="Q1" attribute="value"/>'},
                    {
                        "tag": "who",
                        "reference": '<usdm:ref klass="StudyDesignPopulation" id="P" attribute="description"/>',
                    },
                ],
            }
        ],
        "studyDesigns": [design],
        "eligibilityCriterionItems": [
            item(1, '<p>At least <usdm:tag name="min"/> years</p>', dictionaryId="D"),
            item(2, '<p><usdm:tag name="who"/></p>', dictionaryId="D"),
            item(3, "<p>Any of the following:</p><ol type='a'><li>Stroke</li><li><p>Epilepsy</p></li></ol>"),
        ],
    }
    for name, value in changes.items():
        place = next(one for one in (population, design, version) if name in one or one is version)
        place[name] = value
    return deepcopy({"usdmVersion": "4.0.0", "study": {"id": None, "name": "Wheeze", "versions": [version]}})


def read(**changes: object) -> StudyRecord:
    return usdm.read(make_protocol(**changes))


def tops(record: StudyRecord) -> list[str]:
    return [one.text for one in record.criteria if one.parent is None]


class TestRead:
    def test_reads_what_identifies_a_study_and_who_gave_the_numbers(self) -> None:
        record = read()

        assert (record.nct_id, record.org_study_id) == ("NCT01234567", RegistryIdentifier("ABC-1"))
        assert record.secondary_ids == (
            RegistryIdentifier("2020-000001-10", IdentifierType.EUDRACT_NUMBER),
            RegistryIdentifier("jRCT1", None, "Japan Registry"),
        )
        assert record.sponsor is not None
        assert (record.brief_title, record.sponsor.name) == ("A study of asthma", "Example Pharma")
        assert record.phases == (Phase.PHASE2, Phase.PHASE3)
        assert (record.protocol_version, [str(one) for one in record.amendments]) == (
            "2",
            ["1, 2024-05-02, Ages"],
        )

    def test_fills_parameters_in_and_nests_lists(self) -> None:
        record = read()

        assert [(one.text, one.kind, one.parent) for one in record.criteria] == [
            ("At least 18 years", TextKind.INCLUSION, None),
            ("Adults with asthma", TextKind.INCLUSION, None),
            ("Any of the following:", TextKind.EXCLUSION, None),
            ("Stroke", TextKind.EXCLUSION, 2),
            ("Epilepsy", TextKind.EXCLUSION, 2),
        ]
        assert record.criteria[4].marker == "b."

    def test_drafts_ages_and_sex_as_rules_and_the_rest_as_text(self) -> None:
        protocol = drafts(read())

        rules = {one.id: one.rule for one in protocol.criteria if one.rule is not None}
        assert rules["age"] == Age(ge=18, le=65)
        assert rules["sex"] == Is(key="sex", codes=("female",))
        assert protocol.criteria[0].text == "Age at least 18 Years and at most 65 Years (protocol)"
        assert protocol.extensions == {
            "x-indications": [{"system": "ICD-10-CM", "code": "J45", "words": "Asthma"}]
        }
        assert read_protocol(json.loads(json.dumps(protocol.model_dump(mode="json", exclude_defaults=True))
                                        ) | {"language": 1}).criteria  # fmt: skip

    def test_keeps_codes_beside_a_criterion(self) -> None:
        note = {"codes": [{"codeSystem": "SNOMED", "code": "195967001"}]}
        record = read(eligibilityCriteria=[criterion(1), criterion(2, notes=[note]), criterion(3, EXCLUSION)])

        protocol = drafts(record)

        kept = {one.text: one.extensions.get(CODES_MEMBER) for one in protocol.criteria}
        assert kept["Adults with asthma"] == [{"system": "SNOMED", "code": "195967001"}]
        assert kept["At least 18 years"] is None

    def test_gives_a_cohort_its_own_criteria(self) -> None:
        cohort = {
            "id": "K1",
            "name": "Naive",
            "label": "Never treated",
            "criterionIds": ["C3"],
            "plannedSex": [{"code": "C20197", "decode": "Male"}],
            "characteristics": [{"name": "CH", "text": "<p>No earlier treatment</p>"}],
        }
        record = read(cohorts=[], criterionIds=["C1", "C2"])
        document = make_protocol(criterionIds=["C1", "C2"])
        version = document["study"]["versions"][0]  # type: ignore[index]
        version["studyDesigns"][0]["population"]["cohorts"] = [cohort]

        protocol = drafts(usdm.read(document))

        assert record.cohorts == ()
        assert [(one.id, one.name) for one in protocol.cohorts] == [("Naive", "Never treated")]
        own = {one.text for one in protocol.criteria if one.cohorts == ("Naive",)}
        assert own >= {"Sex male (protocol)", "No earlier treatment"}
        assert "At least 18 years" not in own
        assert any("Stroke" in text or "following" in text for text in own)

    def test_makes_several_designs_cohorts(self) -> None:
        document = make_protocol()
        version = document["study"]["versions"][0]  # type: ignore[index]
        other = deepcopy(version["studyDesigns"][0])
        other |= {"name": "Other", "eligibilityCriteria": [criterion(4)]}
        other["population"] |= {"criterionIds": ["C4"], "plannedSex": []}
        version["studyDesigns"].append(other)
        version["eligibilityCriterionItems"].append(item(4, "Only here"))

        protocol = drafts(usdm.read(document))

        by_text = {one.text: one.cohorts for one in protocol.criteria}
        assert by_text["Only here"] == ("Other",)
        assert by_text["At least 18 years"] == ("Design",)
        assert [one.rule for one in protocol.criteria if one.id == "Other.age"] == [Age(ge=18, le=65)]
        assert not any(one.id == "Other.sex" for one in protocol.criteria)

    def test_takes_the_newest_version(self) -> None:
        document = make_protocol(dateValues=[{"dateValue": "2025-01-01"}])
        versions = document["study"]["versions"]  # type: ignore[index]
        older = make_protocol(dateValues=[{"dateValue": "2024-01-01"}], versionIdentifier="1")
        versions.extend(older["study"]["versions"])  # type: ignore[index]

        record = usdm.read(document)

        assert record.protocol_version == "2"

    def test_takes_an_approximate_age_for_text(self) -> None:
        age = {"isApproximate": True, "minValue": years(18)}

        protocol = drafts(read(plannedAge=age))

        assert (protocol.criteria[0].text, protocol.criteria[0].rule) == (
            "Age at least about 18 Years (protocol)",
            None,
        )

    def test_takes_both_sexes_for_all(self) -> None:
        sexes = [{"code": "C16576"}, {"code": "C20197"}]

        record = read(plannedSex=sexes)

        assert record.sex is RegistrySex.ALL

    def test_loses_no_item_that_no_criterion_names(self) -> None:
        items = [item(1, "One"), item(2, "Two"), item(3, "Three"), item(9, "Nine")]

        record = read(eligibilityCriterionItems=items)

        assert tops(record) == ["One", "Two", "Three", "Nine"]
        assert record.criteria[-1].section == (usdm.NAMED_BY_NONE,)

    def test_survives_storing(self) -> None:
        record = read()

        again = restored(json.loads(json.dumps(stored(record))))

        assert again == record


class TestOrder:
    ITEMS = (item(1, "One"), item(2, "Two"), item(3, "Three"))

    @pytest.mark.parametrize(
        ("criteria", "order"),
        [
            ([criterion(3), criterion(1, nextId="C2"), criterion(2, nextId="C3")], ["One", "Two", "Three"]),
            ([criterion(3, previousId="C2"), criterion(2, previousId="C1"), criterion(1)],
             ["One", "Two", "Three"]),
            ([criterion(2, identifier="10"), criterion(1, identifier="9b"), criterion(3, identifier="9a")],
             ["Three", "One", "Two"]),
            ([criterion(2, EXCLUSION, identifier="1"), criterion(3, identifier="2"),
              criterion(1, identifier="1")], ["One", "Three", "Two"]),
            ([criterion(2, identifier="x"), criterion(1, identifier="x"), criterion(3, identifier="")],
             ["Two", "One", "Three"]),
        ],
    )  # fmt: skip
    def test_follows_links_then_identifiers_then_the_file(
        self, criteria: list[object], order: list[str]
    ) -> None:
        record = read(eligibilityCriteria=criteria, eligibilityCriterionItems=list(self.ITEMS))

        assert tops(record) == order

    @pytest.mark.parametrize(
        ("criteria", "field"),
        [
            ([criterion(1, nextId="C2"), criterion(2, nextId="C1"), criterion(3)], "[0].nextId"),
            ([criterion(1, nextId="C1"), criterion(2), criterion(3)], "[0].nextId"),
            ([criterion(1, nextId="C9"), criterion(2), criterion(3)], "[0].nextId"),
            ([criterion(1, nextId="C3"), criterion(2, nextId="C3"), criterion(3)], "[1].nextId"),
            ([criterion(1, previousId=7), criterion(2), criterion(3)], "[0].previousId"),
            ([criterion(1), criterion(1), criterion(2)], "[1].id"),
        ],
    )
    def test_refuses_an_order_that_cannot_be_followed(self, criteria: list[object], field: str) -> None:
        with pytest.raises(InvalidRecord) as refusal:
            read(eligibilityCriteria=criteria)

        assert refusal.value.field == f"study.versions[0].studyDesigns[0].eligibilityCriteria{field}"


DESIGN = "study.versions[0].studyDesigns[0]"
VERSION = "study.versions[0]"
AGES = f"{DESIGN}.population.plannedAge"
REFUSED: list[tuple[dict[str, object], str]] = [
    ({"studyDesigns": []}, f"{VERSION}.studyDesigns"),
    ({"studyIdentifiers": []}, f"{VERSION}.studyIdentifiers"),
    ({"studyIdentifiers": [{"text": "A", "scopeId": "O9"}]}, f"{VERSION}.studyIdentifiers[0].scopeId"),
    ({"studyIdentifiers": [{"text": "12", "scopeId": "O2"}]}, f"{VERSION}.studyIdentifiers[0].text"),
    ({"titles": 7}, f"{VERSION}.titles"),
    ({"eligibilityCriterionItems": []}, f"{DESIGN}.eligibilityCriteria[0].criterionItemId"),
    ({"eligibilityCriteria": {}}, f"{DESIGN}.eligibilityCriteria"),
    ({"eligibilityCriteria": [criterion(1, {"decode": "Maybe"})]}, f"{DESIGN}.eligibilityCriteria[0].category"),
    ({"eligibilityCriteria": [None]}, f"{DESIGN}.eligibilityCriteria[0]"),
    ({"criterionIds": ["C9"], "cohorts": []}, ""),
    ({"plannedSex": [{"decode": "Other"}]}, f"{DESIGN}.population.plannedSex[0].decode"),
    ({"plannedAge": {"minValue": years("x")}}, f"{DESIGN}.population.plannedAge.minValue.value"),
    ({"plannedAge": {"minValue": years(18, None)}}, f"{AGES}.minValue.unit.standardCode.decode"),
    ({"plannedAge": {"minValue": years(200)}}, f"{AGES}.minValue.value"),
    (
        {"plannedAge": {"minValue": years(70), "maxValue": {"value": 18, "unit": YEAR}}},
        f"{DESIGN}.population.plannedAge.maxValue",
    ),
    ({"plannedEnrollmentNumber": {"value": 1.5}}, f"{DESIGN}.population.plannedEnrollmentNumber.value"),
    ({"amendments": [{"number": "1", "dateValues": [{"dateValue": "soon"}]}]},
     f"{VERSION}.amendments[0].dateValues[0].dateValue"),
]  # fmt: skip
TEXTS: list[tuple[str, str]] = [
    ("", "This field is missing or empty."),
    ("<p> </p>", "no words"),
    ("a\x00b", "NUL"),
    ('<usdm:tag name="max"/>', "stands in no dictionary"),
    ('<usdm:ref klass="Quantity" id="Q9" attribute="value"/>', "to refer to"),
    ('<usdm:ref klass="Quantity" id="Q1" attribute="nothing"/>', "to show"),
    ('<usdm:ref klass="Item" id="LOOP" attribute="text"/>', "without an end"),
    ("<ul><li>" * 20 + "deep", "nested deeper"),
    ("x" * 300_001, "longer than"),
    ("<ul>" + "<li>x" * 5_001, "more than"),
]


class TestRefusals:
    @pytest.mark.parametrize(("changes", "field"), [case for case in REFUSED if case[1]])
    def test_names_the_field(self, changes: dict[str, object], field: str) -> None:
        with pytest.raises(InvalidRecord) as refusal:
            read(**changes)

        assert refusal.value.field == field
        assert refusal.value.message.endswith(".")
        assert refusal.value.message.isprintable()

    @pytest.mark.parametrize(("text", "message"), TEXTS)
    def test_names_the_text_that_cannot_be_kept(self, text: str, message: str) -> None:
        loop = {
            "id": "LOOP",
            "instanceType": "Item",
            "text": '<usdm:ref klass="Item" id="LOOP" attribute="text"/>',
        }
        items = [item(1, text, dictionaryId="D"), item(2, "Two"), item(3, "Three")]

        with pytest.raises(InvalidRecord) as refusal:
            read(eligibilityCriterionItems=items, notes=[loop])

        assert refusal.value.field == "study.versions[0].eligibilityCriterionItems[0].text"
        assert message in refusal.value.message

    @pytest.mark.parametrize("said", [None, "3.6.0", 4, ""])
    def test_reads_no_other_version_of_the_model(self, said: object) -> None:
        document = make_protocol() | {"usdmVersion": said}

        with pytest.raises(InvalidRecord) as refusal:
            usdm.read(document)

        assert refusal.value.field == "usdmVersion"

    def test_takes_a_moment_over_hostile_markup(self) -> None:
        began = time.perf_counter()

        for hostile in ("<a ", "<!--", "</", "&#", "<sup>1", '<a x="', "<p", "<td>"):
            read(
                eligibilityCriterionItems=[
                    item(1, "x" + hostile * (290_000 // len(hostile))),
                    item(2, "b"),
                    item(3, "c"),
                ]
            )

        assert time.perf_counter() - began < 20

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
            max_leaves=5,
        ),
        st.lists(st.integers(min_value=0), min_size=1, max_size=8),
    )
    def test_answers_anything_in_any_place_with_a_record_or_a_refusal(
        self, value: object, way: list[int]
    ) -> None:
        document = make_protocol()
        place: object = document
        for step in way[:-1]:
            inner = [one for one in _inside(place) if isinstance(one, dict | list) and one]
            place = inner[step % len(inner)] if inner else place
        _put(place, way[-1], value)

        try:
            record: object = usdm.read(document)
        except InvalidRecord as refusal:
            record = refusal

        assert isinstance(record, StudyRecord | InvalidRecord)


def _inside(place: object) -> list[object]:
    return list(place.values()) if isinstance(place, dict) else place if isinstance(place, list) else []


def _put(place: object, step: int, value: object) -> None:
    if isinstance(place, dict):
        place[list(place)[step % len(place)]] = value
    elif isinstance(place, list):
        place[step % len(place)] = value


class TestText:
    @pytest.mark.parametrize(
        ("html", "text"),
        [
            ("CrCl<thirty mL/min and more", "CrCl<thirty mL/min and more"),
            ("ALT &lt; 5 &amp; AST &gt; 3", "ALT < 5 & AST > 3"),
            ("10<sup>9</sup>/L, H<sub>2</sub>O", "10^9/L, H2O"),
            ("10<sup>9/L", "10^9/L"),
            ("<p>One</p><p>Two<br>Three", "One\nTwo\nThree"),
            ("<table><tr><td>Drug<td>2\n weeks</table>", "Drug: 2 weeks"),
            ("<s>old</s> <img alt='scale'>", "[struck out: old] [image: scale]"),
            ("a<!-- hidden -->b <!-- not ended", "ab <!-- not ended"),
            ("x<script>y</script>", "x<script>y</script>"),
        ],
    )
    def test_keeps_what_a_person_could_read(self, html: str, text: str) -> None:
        passage = read_passage(html, resolve=lambda _tag, _given: "")

        assert passage == Passage(text)

    def test_supplies_end_tags_and_counts_as_the_list_does(self) -> None:
        html = "<p>A<ol type='i' start='2'><li>b<ul><li>c</ul><li>d</ol><p>E"

        passage = read_passage(html, resolve=lambda _tag, _given: "")

        assert passage == Passage(
            "A",
            (
                Passage("b", (Passage("c", marker="-"),), "ii."),
                Passage("d", marker="iii."),
                Passage("E", is_remark=True),
            ),
        )


def _import(database: Database, *files: tuple[str, object]) -> list[FileOutcome]:
    readers: list[tuple[str, Callable[[], bytes]]] = [
        (name, partial(bytes, json.dumps(document).encode())) for name, document in files
    ]
    begin = partial(database.transaction, actor="test", reason="study:import")
    return list(importing.import_files(readers, begin, at=NOON))


class TestImport:
    def test_begins_a_study_with_its_numbers_cohorts_and_draft(self, database: Database) -> None:
        document = make_protocol()
        version = document["study"]["versions"][0]  # type: ignore[index]
        version["studyDesigns"][0]["population"]["cohorts"] = [{"id": "K", "name": "Naive", "criterionIds": []}]

        [outcome] = _import(database, ("protocol.json", document))

        [came] = outcome.imported
        assert (came.came, came.nct_id) == (Came.CREATED, "NCT01234567")
        with database.reading() as session:
            study = session.scalars(sa.select(Study)).one()
            assert (study.protocol_number, study.phase, study.sponsor) == (
                "ABC-1",
                "Phase 2/Phase 3",
                "Example Pharma",
            )
            numbers = session.execute(sa.select(StudyIdentifier.system, StudyIdentifier.value)).all()
            assert {tuple(row) for row in numbers} == {
                ("ClinicalTrials.gov", "NCT01234567"),
                ("Sponsor", "ABC-1"),
                ("EudraCT", "2020-000001-10"),
                ("Japan Registry", "jRCT1"),
            }
            assert [one.code for one in session.scalars(sa.select(Cohort))] == ["Naive"]
            draft = session.scalars(sa.select(ProtocolVersion)).one()
            assert draft.label == "NCT01234567, version 2, amendment 1"
            assert read_protocol(draft.document).criteria[0].rule == Age(ge=18, le=65)

    def test_the_same_again_changes_nothing_and_another_text_makes_a_draft(self, database: Database) -> None:
        _import(database, ("a.json", make_protocol()))
        items = [item(1, "Adult"), item(2, "Has asthma"), item(3, "Stroke")]

        again, changed = _import(
            database,
            ("a.json", make_protocol()),
            ("b.json", make_protocol(versionIdentifier="3", eligibilityCriterionItems=items)),
        )

        assert again.imported[0].came is Came.UNCHANGED
        assert changed.imported[0].came is Came.CHANGED
        assert changed.imported[0].version is not None
        assert {one.field for one in changed.imported[0].differences} >= {"protocol_version", "criteria"}

    def test_joins_what_the_registry_says_of_the_same_study_and_keeps_its_places(
        self, database: Database
    ) -> None:
        first, second = _import(
            database, ("registry.json", make_registry_document()), ("protocol.json", make_protocol())
        )

        assert first.imported[0].study.id == second.imported[0].study.id
        with database.reading() as session:
            assert session.scalar(sa.select(sa.func.count()).select_from(StudyLocation)) == 1
            assert session.scalar(sa.select(sa.func.count()).select_from(ProtocolVersion)) == 2

    def test_knows_a_study_without_a_registry_number_by_its_sponsor(self, database: Database) -> None:
        own = [{"text": "ABC-1", "scopeId": "O1"}]
        other = [{"id": "O1", "name": "Other", "type": {"code": "C70793"}}]

        outcomes = _import(
            database,
            ("a.json", make_protocol(studyIdentifiers=own)),
            ("b.json", make_protocol(studyIdentifiers=own)),
            ("c.json", make_protocol(studyIdentifiers=own, organizations=other)),
        )

        assert [one.imported[0].came for one in outcomes] == [Came.CREATED, Came.UNCHANGED, Came.CREATED]
        assert outcomes[0].imported[0].nct_id == "ABC-1"

    def test_a_broken_file_names_its_field_and_leaves_the_others_alone(self, database: Database) -> None:
        broken = make_protocol(eligibilityCriteria=[criterion(1, nextId="C1")])

        bad, good = _import(database, ("bad.json", broken), ("good.json", make_protocol()))

        assert bad.field == "study.versions[0].studyDesigns[0].eligibilityCriteria[0].nextId"
        assert not good.failed


@needs("usdm")
class TestRealProtocols:
    @pytest.mark.parametrize(
        ("name", "count"), [("CDISC_Pilot_Study", 31), ("Alexion_NCT04573309_Wilsons", 31), ("devices", 4)]
    )
    def test_keeps_every_criterion_in_order_with_its_words(self, name: str, count: int) -> None:
        document = json.loads((DATA / "usdm" / f"{name}.json").read_text("utf-8"))

        record = usdm.read(document)
        protocol = drafts(record)

        design = document["study"]["versions"][0]["studyDesigns"][0]
        numbers = [one.number for one in record.criteria if one.parent is None]
        assert numbers == [one["identifier"] for one in design["eligibilityCriteria"]]
        assert len(numbers) == count
        assert not any(re.search("</?[a-z]", one.text) for one in record.criteria)
        drafted = "\n".join(one.text for one in protocol.criteria)
        assert all(line in drafted for one in record.criteria for line in one.text.split("\n"))

    def test_imports_all_of_them(self, database: Database) -> None:
        names = ("CDISC_Pilot_Study", "Alexion_NCT04573309_Wilsons", "devices")
        files = [(name, json.loads((DATA / "usdm" / f"{name}.json").read_text("utf-8"))) for name in names]

        outcomes = _import(database, *files)

        assert [one.problem for one in outcomes] == ["", "", ""]
        assert [one.imported[0].came for one in outcomes] == [Came.CREATED, Came.CREATED, Came.CHANGED]
