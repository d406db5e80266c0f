"""Hostile files: to the import page, to the approval's document, and to the import command."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from recruit.accounts.models import Role
from recruit.studies.models import Study
from tests.browsing import signed_in
from tests.conftest import NOON
from tests.factories import make_account
from tests.hostile.pages import forms_of
from tests.hostile.rows import oddities
from tests.hostile.worlds import World, count_of

BIG = b" " * (21 * 1024 * 1024)


def _zipped(depth: int) -> bytes:
    data = b"0" * 1_000_000
    for _ in range(depth):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("again.zip", data)
        data = packed.getvalue()
    return data


def _record(**identification: object) -> bytes:
    modules = {"identificationModule": {"nctId": "NCT01234567", "briefTitle": "A study", **identification}}
    return json.dumps({"protocolSection": modules}).encode()


FILES: dict[str, bytes] = {
    "empty": b"",
    "blank": b" \n\t ",
    "nothing": b"\x00" * 2_000,
    "no UTF-8": b'{"protocolSection": "\xff\xfe"}',
    "UTF-16": '{"protocolSection": {}}'.encode("utf-16"),
    "half a character": b'{"protocolSection": {"identificationModule": {"nctId": "\\ud800"}}}',
    "cut off": b'{"protocolSection": {"identificationModule": {"nctId": "NCT0',
    "deep lists": b"[" * 200_000 + b"]" * 200_000,
    "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "NaN": b'{"protocolSection": NaN}',
    "infinite": b'{"protocolSection": {"x": 1e999}}',
    "a long number": b'{"protocolSection": ' + b"9" * 10_000 + b"}",
    "a list": b"[]",
    "a number": b"7",
    "null": b"null",
    "no module": b'{"protocolSection": {}}',
    "wrong types": b'{"protocolSection": {"identificationModule": {"nctId": 7, "briefTitle": []}}}',
    "sections of lists": b'{"protocolSection": [[], {}, null]}',
    "NUL in a title": _record(briefTitle="A\x00study"),
    "a title that is too long": _record(briefTitle="x" * 200_000),
    "a number of a registry that is none": _record(nctId="NCT\u0661\u0662"),
    "an image": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    "a program": b"MZ\x90\x00" + b"\x00" * 64,
    "a zip in a zip": _zipped(5),
    "a page": b"<html><script>alert(1)</script></html>",
    "PDF that is none": b"%PDF-1.7\n" + b"\xff" * 100,
}
DECISION = {
    **{"irb_name": "Central IRB", "submission_number": "1", "determination": "approved"},
    **{"decided_on": "2026-01-05", "valid_from": "2026-01-05"},
}
NAMES = ("record.json", "..\\..\\boot.ini", "a\x00b.json", "x" * 300 + ".json", "\u202egnp.json", "")


def form(fields: dict[str, str], **files: tuple[bytes, str]) -> dict[str, Any]:
    """Write a form with files as a browser sends it."""
    parts = [(f'name="{name}"', value.encode()) for name, value in fields.items()]
    parts += [
        (f'name="{field}"; filename="{name}"\r\nContent-Type: application/octet-stream', data)
        for field, (data, name) in files.items()
    ]
    body = b"".join(
        b"--edge\r\nContent-Disposition: form-data; " + head.encode() + b"\r\n\r\n" + data + b"\r\n"
        for head, data in parts
    )
    return {"data": body + b"--edge--\r\n", "content_type": "multipart/form-data; boundary=edge"}


@pytest.fixture(scope="module")
def coordinator(world: World) -> FlaskClient:
    """Give a browser in which somebody coordinates all studies."""
    with world.database.transaction(actor="test") as session:
        account = make_account(session, Role.COORDINATOR)
    return signed_in(world.app, account, at=NOON)


def studies(world: World) -> int:
    with world.database.reading() as session:
        return count_of(session, Study)


@pytest.mark.parametrize("kind", FILES)
def test_a_hostile_file_is_refused_by_the_import_page_with_its_name(
    world: World, coordinator: FlaskClient, kind: str
) -> None:
    before = studies(world)

    answer = coordinator.post("/staff/studies/import", **form({}, files=(FILES[kind], "hostile.json")))

    assert answer.status_code == 422
    assert "hostile.json" in answer.text
    assert studies(world) == before


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_of_a_file_breaks_nothing(coordinator: FlaskClient, name: str) -> None:
    answer = coordinator.post("/staff/studies/import", **form({}, files=(b"[]", name)))

    assert answer.status_code == 422
    assert "<h1" in answer.text


def test_a_file_of_21_mebibytes_is_refused(world: World, coordinator: FlaskClient) -> None:
    answer = coordinator.post("/staff/studies/import", **form({}, files=(BIG, "big.json")))

    assert answer.status_code in (413, 422)
    assert "<h1" in answer.text


def test_a_file_of_21_mebibytes_from_nobody_is_not_even_read(world: World) -> None:
    answer = world.app.test_client().post("/staff/studies/import", **form({}, files=(BIG, "big.json")))

    assert answer.status_code == 303
    assert "/staff/sign-in" in answer.headers["Location"]


@pytest.mark.parametrize("kind", [*FILES, "21 MiB"])
def test_a_hostile_document_of_an_approval_breaks_nothing(
    world: World, coordinator: FlaskClient, kind: str
) -> None:
    data = FILES.get(kind, b"%PDF-1.7" + BIG)
    page = f"/staff/studies/{world.study.study.id}/approvals"
    shown = next(one for one in forms_of(coordinator.get(page).text, page) if one.files)

    answer = coordinator.post(page, **form(shown.fields | DECISION, document=(data, "../a\x00.pdf")))

    assert answer.status_code == {"PDF that is none": 303}.get(kind, 422)
    assert answer.status_code == 303 or "<h1" in answer.text
    assert oddities(world.database) == []


@pytest.mark.parametrize("kind", FILES)
def test_a_hostile_file_is_refused_by_the_import_command_with_its_name(
    world: World, tmp_path: Path, kind: str
) -> None:
    file = tmp_path / "hostile.json"
    file.write_bytes(FILES[kind])

    result = world.app.test_cli_runner().invoke(args=["studies", "import", str(file)])

    assert result.exit_code == 1
    assert "hostile.json: failed: " in result.stderr
    assert "Traceback" not in result.output


def test_the_import_command_names_files_that_are_none(world: World, tmp_path: Path) -> None:
    result = world.app.test_cli_runner().invoke(
        args=["studies", "import", str(tmp_path), str(tmp_path / "absent.json")]
    )

    assert result.exit_code == 1
    assert result.stderr.count("failed: ") == 2
