"""A snapshot of the coded facts of many people in columns, kept in a folder and mapped into memory.

It is derived, never the record: it names the vocabulary and terminology it
was made with, and its version is a hash of what it holds. People who changed
since are laid over it, one at a time, until it is made anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np

from screening.assessment.statements import denied_codes
from screening.errors import InvalidSnapshot
from screening.facts import Code, DenialScope, EvidenceSource, Facts
from screening.planes.archive import Arrays, read_archive, write_archive
from screening.planes.bits import Plane, words_for
from screening.planes.codetable import CodeTable
from screening.planes.denials import Denials, Pattern
from screening.planes.ledger import Ledger, Values, write_ledger
from screening.planes.postings import Postings, write_postings
from screening.planes.ranks import Ladder, Ranks
from screening.planes.scalars import Calendar, KeyColumn, plane_of, scalar_columns
from screening.terms import Terms
from screening.vocabulary import Vocabulary

FORMAT: Final = 2

_LEDGER: Final = tuple(f.name for f in fields(Ledger) if f.name not in ("keys", "values"))
_RANKED: Final = ("lo", "hi", "seen", "until")
_COLUMN: Final = tuple(
    f.name for f in fields(KeyColumn) if f.init and f.name not in ("key", "digest", "values", *_RANKED)
)
_POSTINGS: Final = tuple(f.name for f in fields(Postings) if f.name not in ("table", "denials"))
_DENIALS: Final = ("slots", "seen_lo", "since")


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
    """Write a snapshot into a new folder that only its owner may read: all of it or nothing.

    :raises FileExistsError: when the folder is there already.
    """
    write_archive(folder, _arrays(snapshot), _manifest(snapshot))


def open_snapshot(folder: Path, *, terms: Terms, vocabulary: Vocabulary | None = None) -> Snapshot:
    """Map a snapshot into memory; nothing of it is read before it is needed.

    Without a `vocabulary` it may have been made with any: columns of keys that
    changed since are not used.

    :raises InvalidSnapshot: when the folder holds none or a part of one, or one made by another
        engine, with another terminology or vocabulary.
    """
    arrays, manifest = read_archive(folder)
    try:
        _refuse_stale(manifest, terms, vocabulary)
        return _opened(manifest, arrays, terms)
    except (KeyError, ValueError, TypeError) as error:
        if isinstance(error, InvalidSnapshot):
            raise
        raise InvalidSnapshot(f"{folder.name} holds no snapshot: {error}") from error


def _refuse_stale(manifest: Mapping[str, object], terms: Terms, vocabulary: Vocabulary | None) -> None:
    if manifest["format"] != FORMAT:
        raise InvalidSnapshot(f"format {manifest['format']} instead of {FORMAT}")
    if manifest["terms"] != terms.version:
        raise InvalidSnapshot(f"made with terms {manifest['terms']}, not {terms.version}")
    if vocabulary is not None and manifest["vocabulary"] != vocabulary.version:
        raise InvalidSnapshot(f"made with vocabulary {manifest['vocabulary']}, not {vocabulary.version}")


def _arrays(snapshot: Snapshot) -> Arrays:
    ledger, postings = snapshot.ledger, snapshot.postings
    arrays: Arrays = {f"ledger-{name}": getattr(ledger, name) for name in _LEDGER}
    values = ledger.values
    arrays |= {"values": values.octets, "value-ends": values.ends, "value-kinds": values.kinds}
    arrays |= {"calendar": snapshot.calendar.days, "present": snapshot.present}
    for number, column in enumerate(snapshot.columns.values()):
        arrays |= {f"column-{number}-{name}": getattr(column, name) for name in _COLUMN}
        for name in _RANKED:
            arrays |= _ranked(f"column-{number}-{name}", getattr(column, name))
    table = postings.table
    arrays |= {"codes": table.texts, "code-start": table.start, "code-end": table.end}
    arrays |= {f"postings-{name}": getattr(postings, name) for name in _POSTINGS}
    for number, denials in enumerate(postings.denials):
        arrays |= {f"denials-{number}-{name}": getattr(denials, name) for name in _DENIALS}
        arrays |= _laddered(f"denials-{number}", denials.ladder)
    return arrays


def _ranked(name: str, ranks: Ranks | None) -> Arrays:
    if ranks is None:
        return {}
    own = {f"{name}-codes": ranks.codes, f"{name}-first": ranks.first, f"{name}-order": ranks.ladder.order}
    return {**own, **_laddered(name, ranks.ladder)}


def _laddered(name: str, ladder: Ladder | None) -> Arrays:
    return {} if ladder is None else {f"{name}-rungs": ladder.rungs, f"{name}-planes": ladder.planes}


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
        "denials": [_pattern_to_json(denials.pattern) for denials in snapshot.postings.denials],
    }


def _opened(manifest: dict[str, Any], arrays: Arrays, terms: Terms) -> Snapshot:
    ledger = Ledger(
        keys=tuple(manifest["keys"]),
        values=Values(arrays["values"], arrays["value-ends"], arrays["value-kinds"]),
        **{name: arrays[f"ledger-{name}"] for name in _LEDGER},
    )
    columns = {
        key: _column_of(arrays, f"column-{number}", key, digest, ledger.values)
        for number, (key, digest) in enumerate(manifest["columns"])
    }
    return Snapshot(
        built_on=date.fromisoformat(manifest["built_on"]),
        vocabulary=manifest["vocabulary"],
        terms=manifest["terms"],
        version=manifest["version"],
        ledger=ledger,
        calendar=Calendar(arrays["calendar"]),
        columns=columns,
        postings=_postings_of(arrays, manifest["denials"], terms),
        present=arrays["present"],
    )


def _column_of(arrays: Arrays, name: str, key: str, digest: str, values: Values) -> KeyColumn:
    ranks = {part: _ranks_of(arrays, f"{name}-{part}") for part in _RANKED}
    held = {part: arrays[f"{name}-{part}"] for part in _COLUMN}
    return KeyColumn(key=key, digest=digest, values=values, **held, **ranks)  # type: ignore[arg-type]


def _ranks_of(arrays: Arrays, name: str) -> Ranks | None:
    codes = arrays.get(f"{name}-codes")
    if codes is None:
        return None
    order = arrays[f"{name}-order"]
    ladder = Ladder(order, arrays[f"{name}-rungs"], arrays[f"{name}-planes"])
    return Ranks(codes, arrays[f"{name}-first"], ladder)


def _postings_of(arrays: Arrays, patterns: Sequence[dict[str, Any]], terms: Terms) -> Postings:
    denials = []
    for number, pattern in enumerate(patterns):
        name = f"denials-{number}"
        slots, seen_lo, since = (arrays[f"{name}-{part}"] for part in _DENIALS)
        rungs = arrays.get(f"{name}-rungs")
        ladder = None if rungs is None else Ladder(slots, rungs, arrays[f"{name}-planes"])
        denials.append(Denials(_pattern_from_json(pattern, terms), slots, seen_lo, since, ladder))
    return Postings(
        table=CodeTable(arrays["codes"], arrays["code-start"], arrays["code-end"], terms),
        denials=tuple(denials),
        **{name: arrays[f"postings-{name}"] for name in _POSTINGS},
    )


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
        codes=denied_codes(terms, roots, but),
        roots=roots,
        but=but,
        spares=document["spares"],
    )
