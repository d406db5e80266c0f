"""Protocols in USDM, imported as studies."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial

import pytest
import sqlalchemy as sa

from recruit.db import Database
from recruit.interop import usdm
from recruit.interop.eligibility import drafts
from recruit.studies import importing
from recruit.studies.importing import Came, FileOutcome
from recruit.studies.models import Cohort, ProtocolVersion, Study, StudyIdentifier, StudyLocation
from screening.language.criteria import Age
from screening.language.protocol import read_protocol
from tests.conftest import NOON
from tests.real_data import DATA, needs
from tests.recruit.interop.protocols import (
    criterion,
    item,
    make_protocol,
)
from tests.recruit.interop.records import make_document as make_registry_document


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
