from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter

import pytest
import sqlalchemy as sa
from flask import Flask

from recruit.db import Database
from recruit.studies import importing, service, versions
from recruit.studies.importing import Came, FileOutcome
from recruit.studies.models import (
    ProtocolVersion,
    Site,
    Study,
    StudyIdentifier,
    StudyImport,
    StudyLocation,
    StudyStatus,
)
from screening.language.criteria import Age, Is, SiteOnly
from screening.language.protocol import read_protocol
from tests.conftest import NOON
from tests.factories import publish_criteria
from tests.recruit.interop.records import ABSENT, TEXT, make_document

DATA = Path(__file__).parents[4] / "shared" / "data" / "ctgov" / "studies"


def _import(database: Database, *files: tuple[str, bytes]) -> list[FileOutcome]:
    readers: list[tuple[str, Callable[[], bytes]]] = [(name, partial(bytes, data)) for name, data in files]
    begin = partial(database.transaction, actor="test", reason="study:import")
    return list(importing.import_files(readers, begin, at=NOON))


def _file(changes: dict[str, object] | None = None) -> bytes:
    return json.dumps(make_document(changes)).encode()


class TestImport:
    def test_begins_a_study_in_preparation_with_all_that_the_record_says(self, database: Database) -> None:
        [outcome] = _import(database, ("a.json", _file({"eligibilityModule.sex": "FEMALE"})))

        assert outcome.imported[0].came is Came.CREATED
        with database.reading() as session:
            study = session.scalars(sa.select(Study)).one()
            assert (study.status, study.slug) == (StudyStatus.DRAFT, "nct01234567")
            assert (study.nickname, study.protocol_number) == ("BREATHE", "ABC-1")
            assert (study.phase, study.indication) == ("Phase 2/Phase 3", "Asthma")
            assert (study.healthy_volunteers, study.planned_enrolment) == (False, 120)
            numbers = session.execute(sa.select(StudyIdentifier.system, StudyIdentifier.value)).all()
            assert {tuple(row) for row in numbers} == {
                ("ClinicalTrials.gov", "NCT01234567"),
                ("Sponsor", "ABC-1"),
                ("EudraCT", "2020-000001-10"),
            }
            location = session.scalars(sa.select(StudyLocation)).one()
            assert (location.facility, location.city, location.postcode) == (
                "Example Clinic",
                "Boston",
                "02115",
            )
            assert session.scalars(sa.select(Site)).all() == []
            protocol = read_protocol(session.scalars(sa.select(ProtocolVersion)).one().document)
        age, sex, *rest = protocol.criteria
        assert age.rule == Age(ge=18, le=75)
        assert sex.rule == Is(key="sex", codes=("female",))
        assert [one.rule for one in rest] == [None] * 3

    def test_the_same_bytes_again_change_nothing(self, database: Database) -> None:
        _import(database, ("a.json", _file()))

        [again] = _import(database, ("a.json", _file()))

        assert again.imported[0].came is Came.UNCHANGED
        with database.reading() as session:
            assert session.scalar(sa.select(sa.func.count()).select_from(StudyImport)) == 1
            assert session.scalar(sa.select(sa.func.count()).select_from(ProtocolVersion)) == 1

    def test_a_changed_text_makes_a_draft_with_its_differences_and_spares_the_published(
        self, database: Database
    ) -> None:
        [first] = _import(database, ("a.json", _file()))
        draft = first.imported[0].version
        assert draft is not None
        with database.transaction(actor="test") as session:
            one = read_protocol(draft.document).criteria[1]
            versions.save_criterion(session, draft.id, one.id, {"rule": SiteOnly(text=one.text)})
            published = publish_criteria(session, session.get_one(ProtocolVersion, draft.id), at=NOON)
            before = dict(published.document)

        changed = _file({"eligibilityModule.eligibilityCriteria": TEXT.replace("Stroke last year", "Epilepsy")})
        [second] = _import(database, ("a.json", changed))

        came = second.imported[0]
        assert came.came is Came.CHANGED
        assert came.version is not None
        assert came.version.number == 2
        assert {(one.field, one.change.value) for one in came.differences} >= {
            ("criteria", "added"),
            ("criteria", "removed"),
        }
        with database.reading() as session:
            old, new = session.scalars(sa.select(ProtocolVersion).order_by(ProtocolVersion.number)).all()
            assert old.document == before
            kept = {one.text: one for one in read_protocol(new.document).criteria}
            assert isinstance(kept[one.text].rule, SiteOnly)
            last = session.scalars(sa.select(StudyImport).order_by(StudyImport.id.desc())).first()
            assert last is not None
            assert {"field": "criteria", "change": "added", "after": "Epilepsy"}.items() <= {
                key: value
                for entry in last.differences
                if isinstance(entry, dict) and entry.get("change") == "added"
                for key, value in entry.items()
            }.items()

    def test_a_change_outside_the_criteria_makes_no_new_version(self, database: Database) -> None:
        _import(database, ("a.json", _file()))

        [second] = _import(database, ("a.json", _file({"designModule.enrollmentInfo": {"count": 200}})))

        assert second.imported[0].version is None
        assert [one.field for one in second.imported[0].differences] == ["enrolment"]

    def test_follows_the_registry_only_where_nobody_wrote_something_else(self, database: Database) -> None:
        [first] = _import(database, ("a.json", _file()))
        with database.transaction(actor="test") as session:
            study = first.imported[0].study
            details = service.details_of(study)
            service.save_study(session, study.id, replace(details, nickname="OURS"))

        _import(
            database,
            ("a.json", _file({"identificationModule.acronym": "WHEEZE", "designModule.phases": ["PHASE4"]})),
        )

        with database.reading() as session:
            study = session.scalars(sa.select(Study)).one()
        assert (study.nickname, study.phase) == ("OURS", "Phase 4")

    def test_joins_a_study_that_was_begun_by_hand(self, database: Database) -> None:
        details = service.StudyDetails(title="Ours", protocol_number="P-1", nickname="HAND")
        with database.transaction(actor="test") as session:
            made = service.create_study(
                session, details, at=NOON, identifiers=[(service.CLINICALTRIALS_GOV, "NCT01234567")]
            )

        [outcome] = _import(database, ("a.json", _file()))

        assert outcome.imported[0].study.id == made.id
        with database.reading() as session:
            study = session.scalars(sa.select(Study)).one()
        assert (study.title, study.sponsor) == ("Ours", "Example Pharma")

    def test_a_file_that_fails_leaves_nothing_and_the_others_alone(self, database: Database) -> None:
        two = {"studies": [make_document(), make_document({"identificationModule.nctId": "nonsense"})]}
        other = _file({"identificationModule.nctId": "NCT09999999"})

        bad, good = _import(database, ("two.json", json.dumps(two).encode()), ("one.json", other))

        assert bad.failed
        assert bad.field.endswith("nctId")
        assert not good.failed
        with database.reading() as session:
            assert session.scalars(sa.select(StudyIdentifier.value)).first() == "NCT09999999"
            assert session.scalar(sa.select(sa.func.count()).select_from(Study)) == 1

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (b"", "empty"),
            (b"not json", "not JSON"),
            (b"\xff\xfe", "UTF-8"),
            (b'{"protocolSection": NaN}', "NaN"),
            (b"[" * 200_000, "nested"),
            (b'{"a":' * 300 + b"1" + b"}" * 300, "nested"),
            (b'{"protocolSection": {"identificationModule": {"nctId": "\\ud800"}}}', "lone surrogate"),
            (b"[]", "no study"),
            (b"{}", "no study record"),
            (b"5", "no study record"),
            (b'"' + b"x" * (20 * 1024 * 1024) + b'"', "20 MiB"),
            (b"1" * 10_000, "digits"),
            (json.dumps({"studies": [make_document()] * 2}).encode(), "twice"),
        ],
    )
    def test_refuses_a_hostile_file_with_a_sentence(self, database: Database, data: bytes, said: str) -> None:
        [outcome] = _import(database, ("x.json", data))

        assert said in outcome.problem

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("identificationModule.nctId", "NCT123"),
            ("identificationModule.briefTitle", "a\x00b"),
            ("identificationModule.briefTitle", ABSENT),
            ("statusModule.overallStatus", "DANCING"),
            ("statusModule.startDateStruct", {"date": "9999-13-99"}),
            ("designModule.enrollmentInfo", {"count": 10**30}),
            ("designModule.enrollmentInfo", {"count": -1}),
            ("eligibilityModule.minimumAge", "99999 Years"),
            ("eligibilityModule.eligibilityCriteria", ["a"]),
            ("eligibilityModule.healthyVolunteers", "maybe"),
            ("conditionsModule.conditions", [["deep"]]),
            ("identificationModule.secondaryIdInfos", [{"id": "x" * 301}]),
        ],
    )
    def test_names_the_field_that_cannot_be_read(self, database: Database, path: str, value: object) -> None:
        [outcome] = _import(database, ("x.json", _file({path: value})))

        assert outcome.failed
        assert outcome.field.startswith(f"protocolSection.{path.partition('.')[0]}")

    def test_says_that_a_file_cannot_be_read(self, database: Database, tmp_path: Path) -> None:
        reader = (tmp_path / "missing.json").read_bytes
        begin = partial(database.transaction, actor="test")

        [outcome] = list(importing.import_files([("missing.json", reader)], begin, at=NOON))

        assert "No such file" in outcome.problem


class TestCommand:
    def test_prints_a_line_for_each_file_and_fails_if_one_failed(self, app: Flask, tmp_path: Path) -> None:
        good, bad = tmp_path / "good.json", tmp_path / "bad.json"
        good.write_bytes(_file())
        bad.write_bytes(_file({"statusModule.overallStatus": "DANCING"}))

        ran = app.test_cli_runner().invoke(args=["studies", "import", str(good), str(bad)])

        assert ran.exit_code == 1
        lines = ran.output.splitlines()
        assert lines[0] == f"{good}: NCT01234567 created"
        assert lines[1].startswith(f"{bad}: failed: protocolSection.statusModule.overallStatus: ")

    def test_succeeds_where_nothing_changed(self, app: Flask, tmp_path: Path) -> None:
        file = tmp_path / "good.json"
        file.write_bytes(_file())
        runner = app.test_cli_runner()
        runner.invoke(args=["studies", "import", str(file)])

        again = runner.invoke(args=["studies", "import", str(file)])

        assert again.exit_code == 0
        assert again.output == f"{file}: NCT01234567 unchanged\n"


@pytest.mark.skipif(not DATA.is_dir(), reason="the registry's real records are not on this machine")
class TestRealRecords:
    def test_all_import_quickly_without_losing_a_field(self, app: Flask, database: Database) -> None:
        files = sorted(DATA.glob("*.json"))
        began = perf_counter()

        ran = app.test_cli_runner().invoke(args=["studies", "import", *map(str, files)])

        took = perf_counter() - began
        assert ran.exit_code == 0, ran.output[-2000:]
        assert len(ran.output.splitlines()) == len(files)
        assert took < 30, f"{took:.1f} s"
        with database.reading() as session:
            for file in files:
                _assert_kept(session, json.loads(file.read_bytes())["protocolSection"])
            assert session.scalars(sa.select(Site)).all() == []


def _assert_kept(session: sa.orm.Session, raw: dict[str, dict[str, object]]) -> None:
    """Compare what the database holds with the registry's own JSON, without any code of ours in between."""
    identity, eligible = raw["identificationModule"], raw.get("eligibilityModule", {})
    nct_id = identity["nctId"]
    key = session.scalar(sa.select(StudyIdentifier.study_id).where(StudyIdentifier.value == nct_id))
    study = session.get(Study, key)
    row = session.scalars(sa.select(StudyImport).where(StudyImport.study_id == key)).one()
    version = session.scalars(sa.select(ProtocolVersion).where(ProtocolVersion.study_id == key)).one()
    record = row.record
    assert study is not None
    assert record["brief_title"] == identity["briefTitle"]
    assert record["official_title"] == identity.get("officialTitle")
    assert record["status"] == raw["statusModule"]["overallStatus"]
    assert record["conditions"] == raw.get("conditionsModule", {}).get("conditions", [])
    assert record["criteria_text"] == eligible.get("eligibilityCriteria", "")
    assert record["healthy_volunteers"] == eligible.get("healthyVolunteers")
    assert study.healthy_volunteers == eligible.get("healthyVolunteers")
    assert record["sex"] == eligible.get("sex")
    for ours, theirs in (("minimum_age", "minimumAge"), ("maximum_age", "maximumAge")):
        held = record[ours]
        assert (held["text"] if isinstance(held, dict) else None) == eligible.get(theirs)
    _assert_identifiers(session, key, identity)
    _assert_locations(session, key, raw.get("contactsLocationsModule", {}))
    _assert_criteria(version, eligible)


def _assert_identifiers(session: sa.orm.Session, key: object, identity: dict[str, object]) -> None:
    held = set(session.scalars(sa.select(StudyIdentifier.value).where(StudyIdentifier.study_id == key)))
    others = identity.get("secondaryIdInfos", [])
    org = identity.get("orgStudyIdInfo", {})
    assert isinstance(others, list)
    assert isinstance(org, dict)
    wanted = {identity["nctId"], *(one["id"] for one in others), *([org["id"]] if org.get("id") else [])}
    assert {" ".join(str(value).split()) for value in wanted} <= held


def _assert_locations(session: sa.orm.Session, key: object, module: dict[str, object]) -> None:
    rows = session.scalars(
        sa.select(StudyLocation).where(StudyLocation.study_id == key).order_by(StudyLocation.position)
    ).all()
    locations = module.get("locations", [])
    assert isinstance(locations, list)
    assert [(row.facility, row.city, row.state, row.postcode, row.country, row.status) for row in rows] == [
        tuple(one.get(name, "") for name in ("facility", "city", "state", "zip", "country", "status"))
        for one in locations
    ]


def _assert_criteria(version: ProtocolVersion, eligible: dict[str, object]) -> None:
    """Every word of the text is in a criterion, a heading of one, or the lead-in above them."""
    protocol = read_protocol(version.document)
    kinds = {one.kind.value for one in protocol.criteria}
    assert kinds <= {"inclusion", "exclusion"}
    if eligible.get("sex") in ("FEMALE", "MALE"):
        rules = [one.rule for one in protocol.criteria]
        assert Is(key="sex", codes=(str(eligible["sex"]).lower(),)) in rules
    if eligible.get("minimumAge") == "18 Years":
        ages = [part for one in protocol.criteria for part in _ages(one.rule)]
        assert any(part.ge == 18 for part in ages)


def _ages(rule: object) -> list[Age]:
    if isinstance(rule, Age):
        return [rule]
    return [part for part in getattr(rule, "of", ()) if isinstance(part, Age)]
