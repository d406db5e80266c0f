"""A snapshot of the coded facts of many people in columns, kept in a folder and mapped into memory.

It is derived, never the record: it names the vocabulary and terminology it
was made with, and its version is a hash of what it holds. People who changed
since are laid over it, one at a time, until it is made anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from screening.errors import InvalidSnapshot
from screening.facts import Code, DenialScope, EvidenceSource, Facts
from screening.planes.bits import Plane, words_for
from screening.planes.ledger import Ledger, Values, write_ledger
from screening.planes.postings import CodeTable, Denials, Pattern, Postings, write_postings
from screening.planes.scalars import Calendar, KeyColumn, plane_of, scalar_columns
from screening.terms import CodeSet, Terms
from screening.vocabulary import Vocabulary

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
OWNER_ONLY: Final = 0o600
FOLDER_OWNER_ONLY: Final = 0o700

_LEDGER: Final = tuple(f.name for f in fields(Ledger) if f.name not in ("keys", "values"))
_COLUMN: Final = tuple(
    f.name for f in fields(KeyColumn) if f.init and f.name not in ("key", "digest", "values")
)
_POSTINGS: Final = tuple(f.name for f in fields(Postings) if f.name not in ("table", "denials"))

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Everybody's coded facts on one day: the rows, and the columns and postings derived from them.

    `size` is one more than the greatest slot; `present` tells which slots are somebody's.
    """

    built_on: date
    vocabulary: str
    terms: str
    version: str
    ledger: Ledger
    calendar: Calendar
    columns: Mapping[str, KeyColumn]
    postings: Postings
    present: Plane

    @property
    def size(self) -> int:
        """One more than the greatest slot."""
        return self.ledger.size

    @property
    def people(self) -> int:
        """How many people there are."""
        return len(self.ledger.slots)


def build_snapshot(
    people: Iterable[tuple[int, Facts]], *, on: date, vocabulary: Vocabulary, terms: Terms
) -> Snapshot:
    """Write down the facts of many people, read one at a time, each under a dense slot.

    :raises ValueError: when a slot is negative or comes twice.
    """
    return snapshot_of(write_ledger(people), on=on, vocabulary=vocabulary, terms=terms)


def snapshot_of(ledger: Ledger, *, on: date, vocabulary: Vocabulary, terms: Terms) -> Snapshot:
    """Derive columns and postings from rows."""
    calendar = Calendar.of(ledger)
    return Snapshot(
        built_on=on,
        vocabulary=vocabulary.version,
        terms=terms.version,
        version=_version(ledger, vocabulary, terms),
        ledger=ledger,
        calendar=calendar,
        columns=scalar_columns(ledger, calendar, vocabulary.get),
        postings=write_postings(ledger, terms),
        present=plane_of(ledger.slots, words_for(ledger.size)),
    )


def _version(ledger: Ledger, vocabulary: Vocabulary, terms: Terms) -> str:
    digest = hashlib.sha256(json.dumps([FORMAT, vocabulary.version, terms.version, ledger.keys]).encode())
    for name in _LEDGER:
        digest.update(np.ascontiguousarray(getattr(ledger, name)).data)
    digest.update(np.ascontiguousarray(ledger.values.octets).data)
    return digest.hexdigest()


def save_snapshot(snapshot: Snapshot, folder: Path) -> None:
    """Write a snapshot into a new folder that only its owner may read.

    :raises FileExistsError: when the folder is there already.
    """
    folder.mkdir(mode=FOLDER_OWNER_ONLY)
    for name, column in _arrays(snapshot).items():
        path = folder / f"{name}.npy"
        path.touch(mode=OWNER_ONLY)
        np.save(path, column, allow_pickle=False)
    manifest = folder / MANIFEST
    manifest.touch(mode=OWNER_ONLY)
    manifest.write_text(json.dumps(_manifest(snapshot), indent=1), encoding="utf-8")


def open_snapshot(folder: Path, *, terms: Terms) -> Snapshot:
    """Map a snapshot into memory; nothing of it is read before it is needed.

    :raises InvalidSnapshot: when the folder holds none, or one made by another
        engine or with another terminology.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT:
            raise InvalidSnapshot(f"format {manifest['format']} instead of {FORMAT}")
        if manifest["terms"] != terms.version:
            raise InvalidSnapshot(f"made with terms {manifest['terms']}, not {terms.version}")
        return _opened(manifest, folder, terms)
    except (OSError, KeyError, ValueError, TypeError) as error:
        if isinstance(error, InvalidSnapshot):
            raise
        raise InvalidSnapshot(f"{folder.name} holds no snapshot: {error}") from error


def _arrays(snapshot: Snapshot) -> Arrays:
    ledger, postings = snapshot.ledger, snapshot.postings
    arrays: Arrays = {f"ledger-{name}": getattr(ledger, name) for name in _LEDGER}
    values = ledger.values
    arrays |= {"values": values.octets, "value-ends": values.ends, "value-kinds": values.kinds}
    arrays |= {"calendar": snapshot.calendar.days, "present": snapshot.present}
    for number, column in enumerate(snapshot.columns.values()):
        arrays |= {f"column-{number}-{name}": getattr(column, name) for name in _COLUMN}
    arrays |= {f"postings-{name}": getattr(postings, name) for name in _POSTINGS}
    for number, denials in enumerate(postings.denials):
        arrays[f"denials-{number}"] = np.stack((denials.slots, denials.seen_lo, denials.since))
    return arrays


def _manifest(snapshot: Snapshot) -> dict[str, object]:
    return {
        "format": FORMAT,
        "built_on": snapshot.built_on.isoformat(),
        "people": snapshot.people,
        "vocabulary": snapshot.vocabulary,
        "terms": snapshot.terms,
        "version": snapshot.version,
        "keys": list(snapshot.ledger.keys),
        "columns": [[column.key, column.digest] for column in snapshot.columns.values()],
        "codes": [_code_to_json(code) for code in snapshot.postings.table.codes],
        "denials": [_pattern_to_json(denials.pattern) for denials in snapshot.postings.denials],
    }


def _opened(manifest: dict[str, Any], folder: Path, terms: Terms) -> Snapshot:
    ledger = Ledger(
        keys=tuple(manifest["keys"]),
        values=Values(*(_mapped(folder, name) for name in ("values", "value-ends", "value-kinds"))),
        **{name: _mapped(folder, f"ledger-{name}") for name in _LEDGER},
    )
    columns = {
        key: KeyColumn(
            key=key,
            digest=digest,
            values=ledger.values,
            **{name: _mapped(folder, f"column-{number}-{name}") for name in _COLUMN},
        )
        for number, (key, digest) in enumerate(manifest["columns"])
    }
    denials = tuple(
        Denials(_pattern_from_json(pattern, terms), *_mapped(folder, f"denials-{number}"))
        for number, pattern in enumerate(manifest["denials"])
    )
    postings = Postings(
        table=CodeTable.of([_code_from_json(code) for code in manifest["codes"]], terms),
        denials=denials,
        **{name: _mapped(folder, f"postings-{name}") for name in _POSTINGS},
    )
    return Snapshot(
        built_on=date.fromisoformat(manifest["built_on"]),
        vocabulary=manifest["vocabulary"],
        terms=manifest["terms"],
        version=manifest["version"],
        ledger=ledger,
        calendar=Calendar(_mapped(folder, "calendar")),
        columns=columns,
        postings=postings,
        present=_mapped(folder, "present"),
    )


def _mapped(folder: Path, name: str) -> NDArray[Any]:
    """Map a column as a plain array; what is empty cannot be mapped."""
    path = folder / f"{name}.npy"
    try:
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except ValueError:
        return np.asarray(np.load(path, allow_pickle=False))


def _code_to_json(code: Code) -> list[str]:
    return [code.system, code.code, code.release]


def _code_from_json(parts: list[str]) -> Code:
    return Code(*parts)


def _pattern_to_json(pattern: Pattern) -> dict[str, object]:
    return {
        "key": pattern.key,
        "source": pattern.source.value,
        "scope": pattern.scope.value,
        "roots": [_code_to_json(code) for code in pattern.roots],
        "but": [_code_to_json(code) for code in pattern.but],
        "spares": pattern.spares,
    }


def _pattern_from_json(document: dict[str, Any], terms: Terms) -> Pattern:
    roots = tuple(_code_from_json(code) for code in document["roots"])
    but = tuple(_code_from_json(code) for code in document["but"])
    return Pattern(
        key=document["key"],
        source=EvidenceSource(document["source"]),
        scope=DenialScope(document["scope"]),
        codes=CodeSet.of(terms, roots, but),
        roots=roots,
        but=but,
        spares=document["spares"],
    )
