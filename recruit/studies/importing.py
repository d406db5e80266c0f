"""Studies from ClinicalTrials.gov: each file in a transaction of its own, changes as drafts with differences.

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
from recruit.interop import ctgov, jsonfile
from recruit.interop.eligibility import drafts
from recruit.interop.registry import (
    IdentifierType,
    InvalidRecord,
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
    ProtocolVersion,
    Study,
    StudyIdentifier,
    StudyImport,
    StudyLocation,
)
from recruit.studies.service import CLINICALTRIALS_GOV, StudyDetails
from screening.protocol import Protocol, read_protocol

SPONSOR = "Sponsor"
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


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of one record; ``version`` is the draft that was made, if one was."""

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
    """Read the records of a file: one study, the registry's list answer, or a bare list.

    :raises Invalid: naming the field that cannot be read
    """
    read = []
    seen: set[str] = set()
    for document in ctgov.records(jsonfile.loads(data)):
        record = ctgov.read(document)
        if record.nct_id in seen:
            raise InvalidRecord("studies", f"{record.nct_id} stands in the file twice.")
        seen.add(record.nct_id)
        text = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        read.append(Parsed(record, hashlib.sha256(text.encode()).hexdigest()))
    return tuple(read)


def import_record(session: Session, parsed: Parsed, *, filename: str, at: datetime) -> Imported:
    """Write one record: a new study as a draft, or the changes of one that we have.

    :raises Invalid: naming the field that cannot be kept
    """
    record = parsed.record
    study = service.study_named(session, CLINICALTRIALS_GOV, record.nct_id)
    if study is None:
        return _create(session, parsed, filename=filename, at=at)
    study = locked(session, Study, study.id)
    last = last_import(session, study)
    if last is None:
        return _adopt(session, study, parsed, filename=filename, at=at)
    if last.sha256 == parsed.sha256 or last.record == stored(record):
        return Imported(study, record.nct_id, Came.UNCHANGED)
    old = restored(last.record)
    told = differences(old, record)
    row = _keep(session, study, parsed, told, filename=filename, at=at)
    _follow(session, study, old, record)
    version = _amend(session, study, old, record, row, at=at)
    return Imported(study, record.nct_id, Came.CHANGED, told, version)


def last_import(session: Session, study: Study) -> StudyImport | None:
    """Give the newest record that a registry gave us of a study."""
    return session.scalar(
        sa.select(StudyImport)
        .where(StudyImport.study_id == study.id, StudyImport.system == CLINICALTRIALS_GOV)
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
    study = service.create_study(session, details_from(record), at=at, slug=record.nct_id.lower())
    row = _keep(session, study, parsed, (), filename=filename, at=at)
    _add_identifiers(session, study, record)
    version = versions.draft_protocol(
        session, study.id, drafts(record), at=at, label=_label(record), import_id=row.id
    )
    return Imported(study, record.nct_id, Came.CREATED, version=version)


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
    return Imported(study, record.nct_id, Came.CHANGED, version=version)


def _amend(
    session: Session, study: Study, old: StudyRecord, new: StudyRecord, row: StudyImport, *, at: datetime
) -> ProtocolVersion | None:
    """Draft an amendment where the criteria changed; a new address of a hospital makes none."""
    base, theirs = drafts(old), drafts(new)
    if base.digest == theirs.digest:
        return None
    newest = next(iter(versions.versions_of(session, ProtocolVersion, study.id)), None)
    ours = read_protocol(newest.document) if newest is not None else Protocol()
    return versions.draft_protocol(
        session,
        study.id,
        amended(ours, base=base, theirs=theirs),
        at=at,
        label=_label(new),
        import_id=row.id,
    )


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
        system=CLINICALTRIALS_GOV,
        filename=filename,
        sha256=parsed.sha256,
        record=stored(parsed.record),
        differences=[difference_document(one) for one in told],
        imported_at=at,
        imported_by=actor_of(session),
    )
    session.add(row)
    session.flush()
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
    pairs = [(CLINICALTRIALS_GOV, record.nct_id), *((ALIAS, alias) for alias in record.nct_aliases)]
    if record.org_study_id is not None:
        pairs.append((SPONSOR, record.org_study_id.value))
    pairs += [(_system(one), one.value) for one in record.secondary_ids]
    for system, value in pairs:
        if max(len(system), len(value)) > 300:
            raise InvalidRecord(
                "protocolSection.identificationModule.secondaryIdInfos",
                "An identifier is longer than 300 characters.",
            )
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
