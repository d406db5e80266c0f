"""Studies from ClinicalTrials.gov and from USDM: each file in a transaction of its own, changes as drafts.

The whole record is kept beside the import; registry locations are internal text and never become sites of ours.
A published version is never touched: a changed record makes a new draft that keeps the coordinator's work.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from recruit.db import actor_of, found, locked
from recruit.errors import Invalid, RecruitError
from recruit.ids import new_id
from recruit.interop import ctgov, jsonfile, usdm
from recruit.interop.eligibility import drafts
from recruit.interop.registry import (
    IdentifierType,
    InvalidRecord,
    Origin,
    Phase,
    RegistryIdentifier,
    RegistryLocation,
    StudyRecord,
    restored,
    stored,
)
from recruit.interop.revision import Difference, differences
from recruit.studies import service, versions
from recruit.studies.amending import amended
from recruit.studies.models import (
    Cohort,
    ProtocolVersion,
    Study,
    StudyIdentifier,
    StudyImport,
    StudyLocation,
)
from recruit.studies.service import CLINICALTRIALS_GOV, StudyDetails
from screening.language.protocol import Protocol, read_protocol

SPONSOR = "Sponsor"
USDM = "USDM"
ALIAS = f"{CLINICALTRIALS_GOV} (former number)"
_PHASES = {
    Phase.NA: "",
    Phase.EARLY_PHASE1: "Early phase 1",
    Phase.PHASE1: "Phase 1",
    Phase.PHASE2: "Phase 2",
    Phase.PHASE3: "Phase 3",
    Phase.PHASE4: "Phase 4",
}
_GIVERS = {IdentifierType.EUDRACT_NUMBER: "EudraCT", IdentifierType.OTHER: "Other"}
_FOLLOWED = (
    "title",
    "protocol_number",
    "nickname",
    "sponsor",
    "phase",
    "indication",
    "healthy_volunteers",
    "planned_enrolment",
)
"""Fields that follow the registry until somebody writes something else into them."""


class Came(StrEnum):
    """What an import made of a record."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Parsed:
    """One record of a file, read and checked before anything is written."""

    record: StudyRecord
    sha256: str

    @property
    def system(self) -> str:
        """Name where the record comes from; each source is compared with its own last record."""
        return USDM if self.record.origin is Origin.PROTOCOL else CLINICALTRIALS_GOV


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of one record; ``version`` is the draft that was made, if one was.

    ``nct_id`` is the sponsor's number where the study has none of ClinicalTrials.gov.
    """

    study: Study
    nct_id: str
    came: Came
    differences: tuple[Difference, ...] = ()
    version: ProtocolVersion | None = None


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What came of one file: its records, or what is wrong and in which field."""

    filename: str
    imported: tuple[Imported, ...] = ()
    problem: str = ""
    field: str = ""

    @property
    def failed(self) -> bool:
        """Whether nothing of the file was written."""
        return bool(self.problem)


def import_files(
    files: Iterable[tuple[str, Callable[[], bytes]]],
    transaction: Callable[[], AbstractContextManager[Session]],
    *,
    at: datetime,
) -> Iterator[FileOutcome]:
    """Import files one after the other, each in its own transaction; one that fails leaves the others alone.

    :param files: names with a function that reads the bytes; it may raise ``OSError``
    """
    for filename, read in files:
        yield _import_file(filename, read, transaction, at=at)


def parse(data: bytes) -> tuple[Parsed, ...]:
    """Read the records of a file: a USDM protocol, one study, the registry's list answer, or a bare list.

    :raises Invalid: naming the field that cannot be read
    """
    whole = jsonfile.loads(data)
    if usdm.is_protocol(whole):
        return (Parsed(usdm.read(whole), _sha256(whole)),)
    read = []
    seen: set[str] = set()
    for document in ctgov.records(whole):
        record = ctgov.read(document)
        if record.nct_id in seen:
            raise InvalidRecord("studies", f"{record.nct_id} stands in the file twice.")
        seen.add(record.nct_id)
        read.append(Parsed(record, _sha256(document)))
    return tuple(read)


def _sha256(document: object) -> str:
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def import_record(session: Session, parsed: Parsed, *, filename: str, at: datetime) -> Imported:
    """Write one record: a new study as a draft, or the changes of one that we have.

    :raises Invalid: naming the field that cannot be kept
    """
    record = parsed.record
    study = _known(session, record)
    if study is None:
        return _create(session, parsed, filename=filename, at=at)
    study = locked(session, Study, study.id)
    last = last_import(session, study, system=parsed.system)
    if last is None:
        return _adopt(session, study, parsed, filename=filename, at=at)
    old = restored(last.record)
    if last.sha256 == parsed.sha256 or old == record:
        return Imported(study, _number(record), Came.UNCHANGED)
    told = differences(old, record)
    row = _keep(session, study, parsed, told, filename=filename, at=at)
    _follow(session, study, old, record)
    version = _amend(session, study, old, record, row, at=at)
    return Imported(study, _number(record), Came.CHANGED, told, version)


def _known(session: Session, record: StudyRecord) -> Study | None:
    """Find the study by its NCT number, else by its sponsor's number if the sponsor is the same."""
    if record.nct_id:
        return service.study_named(session, CLINICALTRIALS_GOV, record.nct_id)
    study = service.study_named(session, SPONSOR, _number(record))
    if study is None or study.sponsor.casefold() != details_from(record).sponsor.casefold():
        return None
    return study


def _number(record: StudyRecord) -> str:
    own = record.org_study_id.value if record.org_study_id else ""
    return record.nct_id or _line(own, 300)


def last_import(session: Session, study: Study, *, system: str = "") -> StudyImport | None:
    """Give the newest record that somebody gave us of a study, or the newest of one source."""
    of_source = [StudyImport.system == system] if system else []
    return session.scalar(
        sa.select(StudyImport)
        .where(StudyImport.study_id == study.id, *of_source)
        .order_by(StudyImport.imported_at.desc(), StudyImport.id.desc())
        .limit(1)
    )


def record_behind(session: Session, version: ProtocolVersion, *, is_newest: bool) -> StudyRecord | None:
    """Give the registry's record behind a version of the criteria.

    That is the one it was drafted from; for the newest version the last one that came, since a record may
    change in a way that needs no new draft.
    """
    row = None
    if is_newest:
        row = last_import(session, found(session, Study, version.study_id))
    elif version.import_id is not None:
        row = found(session, StudyImport, version.import_id)
    return restored(row.record) if row is not None else None


def _import_file(
    filename: str,
    read: Callable[[], bytes],
    transaction: Callable[[], AbstractContextManager[Session]],
    *,
    at: datetime,
) -> FileOutcome:
    name = "".join(sign for sign in filename if sign.isprintable())[:255] or "file"
    try:
        parsed = parse(read())
        with transaction() as session:
            imported = tuple(import_record(session, one, filename=name, at=at) for one in parsed)
    except RecruitError as error:
        return FileOutcome(name, problem=error.message, field=error.field or "")
    except IntegrityError:
        return FileOutcome(name, problem="Somebody imported this study at the same time. Import it again.")
    except OSError as error:
        return FileOutcome(name, problem=f"The file cannot be read: {error.strerror or 'unknown reason'}.")
    return FileOutcome(name, imported)


def _create(session: Session, parsed: Parsed, *, filename: str, at: datetime) -> Imported:
    record = parsed.record
    study = service.create_study(session, details_from(record), at=at, slug=_number(record).lower())
    row = _keep(session, study, parsed, (), filename=filename, at=at)
    _add_identifiers(session, study, record)
    version = versions.draft_protocol(
        session, study.id, drafts(record), at=at, label=_label(record), import_id=row.id
    )
    return Imported(study, _number(record), Came.CREATED, version=version)


def _adopt(session: Session, study: Study, parsed: Parsed, *, filename: str, at: datetime) -> Imported:
    """Fill in a study that somebody began by hand: only what is empty, and the criteria as another draft."""
    record = parsed.record
    row = _keep(session, study, parsed, (), filename=filename, at=at)
    _add_identifiers(session, study, record)
    said = details_from(record)
    for name in _FOLLOWED:
        if getattr(study, name) in (None, ""):
            setattr(study, name, getattr(said, name))
    version = versions.draft_protocol(
        session, study.id, drafts(record), at=at, label=_label(record), import_id=row.id
    )
    return Imported(study, _number(record), Came.CHANGED, version=version)


def _amend(
    session: Session, study: Study, old: StudyRecord, new: StudyRecord, row: StudyImport, *, at: datetime
) -> ProtocolVersion | None:
    """Draft an amendment where the criteria changed; a new address of a hospital makes none."""
    base, theirs = drafts(old), drafts(new)
    if base.digest == theirs.digest:
        return None
    newest = next(iter(versions.versions_of(session, ProtocolVersion, study.id)), None)
    ours = _with_parts_of(read_protocol(newest.document) if newest is not None else Protocol(), theirs)
    return versions.draft_protocol(
        session,
        study.id,
        amended(ours, base=base, theirs=theirs),
        at=at,
        label=_label(new),
        import_id=row.id,
    )


def _add_cohorts(session: Session, study: Study, record: StudyRecord) -> None:
    """Add the cohorts that a protocol names; one that is there stays as somebody set it."""
    held = set(session.scalars(sa.select(Cohort.code).where(Cohort.study_id == study.id)))
    for cohort in record.cohorts:
        if cohort.id not in held:
            service.save_cohort(session, study.id, cohort.id, name=_line(cohort.name, 200) or cohort.id)


def _with_parts_of(ours: Protocol, theirs: Protocol) -> Protocol:
    """Give ours the cohorts and the extensions that came with their criteria; none of ours goes."""
    held = {cohort.id for cohort in ours.cohorts}
    cohorts = (*ours.cohorts, *(cohort for cohort in theirs.cohorts if cohort.id not in held))
    return ours.model_copy(update={"cohorts": cohorts, **theirs.extensions})


def _keep(
    session: Session,
    study: Study,
    parsed: Parsed,
    told: Sequence[Difference],
    *,
    filename: str,
    at: datetime,
) -> StudyImport:
    row = StudyImport(
        id=new_id(),
        study_id=study.id,
        system=parsed.system,
        filename=filename,
        sha256=parsed.sha256,
        record=stored(parsed.record),
        differences=[difference_document(one) for one in told],
        imported_at=at,
        imported_by=actor_of(session),
    )
    session.add(row)
    session.flush()
    _add_cohorts(session, study, parsed.record)
    if parsed.record.origin is Origin.PROTOCOL:
        return row  # a protocol lists no places; those of the registry stay
    session.execute(sa.delete(StudyLocation).where(StudyLocation.study_id == study.id))
    session.add_all(
        _location(study, position, location) for position, location in enumerate(parsed.record.locations)
    )
    session.flush()
    return row


def difference_document(one: Difference) -> dict[str, object]:
    """Give a difference as it is stored and shown; parts that say nothing are left out."""
    known = {
        "field": one.field,
        "change": one.change.value,
        "before": one.before,
        "after": one.after,
        "item": one.item,
    }
    return {name: value for name, value in known.items() if value not in (None, "")}


def _location(study: Study, position: int, location: RegistryLocation) -> StudyLocation:
    return StudyLocation(
        id=new_id(),
        study_id=study.id,
        position=position,
        facility=location.facility or "",
        status=location.status.value if location.status else "",
        city=location.city or "",
        state=location.state or "",
        postcode=location.postcode or "",
        country=location.country or "",
        latitude=location.latitude,
        longitude=location.longitude,
    )


def details_from(record: StudyRecord) -> StudyDetails:
    """Give what a registry's record says about a study in our own fields."""
    org = record.org_study_id.value if record.org_study_id else ""
    sponsor = record.sponsor or record.organisation
    count = record.enrolment.count if record.enrolment else 0
    return StudyDetails(
        title=_line(record.official_title or record.brief_title, 2_000),
        protocol_number=_line(org, 80) or record.nct_id,
        nickname=_line(record.acronym or record.brief_title, 80),
        sponsor=_line(sponsor.name if sponsor else "", 2_000),
        phase="/".join(filter(None, (_PHASES[phase] for phase in record.phases))),
        indication=_line("; ".join(record.conditions), 20_000),
        healthy_volunteers=record.healthy_volunteers,
        planned_enrolment=count if 0 < count <= 10_000_000 else None,
    )


def identifiers_from(record: StudyRecord) -> tuple[tuple[str, str], ...]:
    """Give all names of a study as pairs of system and value.

    :raises InvalidRecord: one is too long to be looked up by
    """
    pairs = [(CLINICALTRIALS_GOV, record.nct_id)] if record.nct_id else []
    pairs += [(ALIAS, alias) for alias in record.nct_aliases]
    if record.org_study_id is not None:
        pairs.append((SPONSOR, record.org_study_id.value))
    pairs += [(_system(one), one.value) for one in record.secondary_ids]
    for system, value in pairs:
        if max(len(system), len(value)) > 300:
            field = (
                "study.versions.studyIdentifiers"
                if record.origin is Origin.PROTOCOL
                else "protocolSection.identificationModule.secondaryIdInfos"
            )
            raise InvalidRecord(field, "An identifier is longer than 300 characters.")
    return tuple(dict.fromkeys((_line(system, 300), _line(value, 300)) for system, value in pairs))


def _system(one: RegistryIdentifier) -> str:
    """Name the system of an identifier: as the registry words it, else by who gave the identifier."""
    if one.system:
        return one.system
    return _GIVERS.get(one.type, one.type.value) if one.type else "Other"


def _add_identifiers(session: Session, study: Study, record: StudyRecord) -> None:
    """Add the names that a registry knows; those that somebody added by hand stay."""
    rows = session.scalars(sa.select(StudyIdentifier).where(StudyIdentifier.study_id == study.id)).all()
    held = [(row.system, row.value) for row in rows]
    wanted = [pair for pair in identifiers_from(record) if all(pair)]
    service.set_identifiers(session, study.id, [*held, *(pair for pair in wanted if pair not in held)])


def _follow(session: Session, study: Study, old: StudyRecord, new: StudyRecord) -> None:
    """Take over what changed in the registry, where nobody has written something else."""
    before, after = details_from(old), details_from(new)
    changes = {
        name: getattr(after, name)
        for name in _FOLLOWED
        if getattr(before, name) != getattr(after, name) and getattr(study, name) == getattr(before, name)
    }
    if changes:
        service.save_study(session, study.id, replace(service.details_of(study), **changes))
    _add_identifiers(session, study, new)


def _label(record: StudyRecord) -> str:
    posted = record.dates.last_update_posted
    if record.origin is Origin.PROTOCOL:
        amended = record.amendments[-1].number if record.amendments else ""
        said = [_number(record), record.protocol_version and f"version {record.protocol_version}"]
        return _line(", ".join(filter(None, [*said, amended and f"amendment {amended}"])), 120)
    return f"{record.nct_id}, {posted.date}" if posted else record.nct_id


def _line(text: str, most: int) -> str:
    """Make a text fit one line of ours; the record beside it keeps every sign."""
    plain = "".join(" " if unicodedata.category(sign) in ("Cc", "Cs") else sign for sign in text)
    line = " ".join(plain.split())
    if len(line) <= most:
        return line
    return line[: most - 1].rsplit(" ", 1)[0].rstrip(" ,;") + "…"


def require_file(size: int) -> None:
    """Refuse a file that is too large before it is read.

    :raises Invalid: it is larger than 20 MiB
    """
    if size > jsonfile.LIMIT:
        raise Invalid("The file is larger than 20 MiB.", field="files")
