"""Many arrays in one file that is mapped into memory, and a manifest that says where each of them lies.

A folder is written beside its place and then renamed, so that there is all of
it or nothing; a file that was cut short, or belongs to another manifest, is refused.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from screening.errors import InvalidSnapshot

MANIFEST: Final = "manifest.json"
ARRAYS: Final = "arrays.bin"
OWNER_ONLY: Final = 0o600
ALIGNED: Final = 64

Arrays = dict[str, NDArray[Any]]


def write_archive(folder: Path, arrays: Mapping[str, NDArray[Any]], told: Mapping[str, object]) -> None:
    """Write arrays and what is told about them into a new folder that only its owner may read.

    :raises FileExistsError: when the folder is there already.
    """
    if folder.exists():
        raise FileExistsError(folder)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        places = _write_arrays(partial / ARRAYS, arrays)
        _write_manifest(partial / MANIFEST, {**told, "arrays": places})
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def read_archive(folder: Path) -> tuple[Arrays, dict[str, Any]]:
    """Map the arrays of a folder, and give what is told about them; nothing is read before it is needed.

    :raises InvalidSnapshot: when the folder holds no whole archive.
    """
    try:
        return _read(folder)
    except InvalidSnapshot:
        raise
    except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise InvalidSnapshot(f"{folder.name} holds no snapshot: {error}") from error


def _read(folder: Path) -> tuple[Arrays, dict[str, Any]]:
    document = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    told = document["told"]
    if document["digest"] != _digest(told):
        raise InvalidSnapshot(f"{folder.name} holds another manifest than was written")
    return _mapped(folder / ARRAYS, told.pop("arrays")), told


def _write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> dict[str, list[Any]]:
    """Write arrays one after the other, each at an aligned place; name type, shape and place."""
    places: dict[str, list[Any]] = {}
    at = 0
    for name, column in arrays.items():
        at += -at % ALIGNED
        places[name] = [column.dtype.str, list(column.shape), at]
        at += column.nbytes
    whole = _new_file(path, at)
    for column, (_, _, place) in zip(arrays.values(), places.values(), strict=True):
        octets = np.ascontiguousarray(column).reshape(-1).view(np.uint8)
        whole[place : place + len(octets)] = octets
    whole.flush()
    return {**places, "": ["|u1", [at], 0]}


def _write_manifest(path: Path, told: Mapping[str, object]) -> None:
    text = json.dumps({"digest": _digest(told), "told": told}, separators=(",", ":")).encode()
    whole = _new_file(path, len(text))
    whole[:] = np.frombuffer(text, dtype=np.uint8)
    whole.flush()


def _new_file(path: Path, size: int) -> np.memmap[Any, np.dtype[np.uint8]]:
    """Map a new file for writing; flushing waits until it is on disk."""
    path.touch(mode=OWNER_ONLY)
    return np.memmap(path, dtype=np.uint8, mode="r+", shape=(size,))


def _mapped(path: Path, places: Mapping[str, list[Any]]) -> Arrays:
    whole = np.asarray(np.memmap(path, dtype=np.uint8, mode="r"))
    if len(whole) != places[""][1][0]:
        raise InvalidSnapshot(f"{path.name} is {len(whole)} bytes long instead of {places[''][1][0]}")
    arrays = {}
    for name, (kind, shape, at) in places.items():
        dtype, count = np.dtype(kind), int(np.prod(shape, dtype=np.int64))
        arrays[name] = whole[at : at + count * dtype.itemsize].view(dtype).reshape(shape)
    return arrays


def _digest(told: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
