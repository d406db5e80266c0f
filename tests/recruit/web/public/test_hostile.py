"""Whatever is posted, the answer is a clear page: never an error of ours."""

from collections.abc import Iterator
from random import Random

import pytest
from flask import Flask

from tests.factories import OpenStudy
from tests.recruit.web.public.visitor import CONTACT, FITTING, Visitor

NASTY = (
    *("\x00", "\x00\x01\x1f", "\ud800", "NaN", "Infinity", "-0", "1e999", "9" * 30, "9999-13-99", "0x10"),
    *(
        "' OR 1=1 --",
        "<script>alert(1)</script>",
        "{{7*7}}",
        "%s%n%00",
        "../../etc/passwd",
        "\u202e",
        "é" * 300,
    ),
    *(
        "\u0661\u0662\u0663",
        "\uff11\uff12",
        "½",
        "\r\nSet-Cookie: a=b",
        "x" * 6000,
        "",
        " ",
        "None",
        "[]",
        "5 ft 99 in",
        "🦓",
    ),
)
FIELDS = (
    *("answer", "other", "instead", "unit", "confirmed", "ago", "ago_unit", "item", "draft", "revision"),
    *("answer-month", "answer-day", "answer-year", "answer-ft", "answer-in", "answer-cm", "answer-lb"),
    *("who", "s", "check", "key", "given", "family", "contact_name", "phone", "phone_kind", "email", "post"),
    *("zip", "site", "best_time", "language", "contact", "voicemail", "registry", "check_answers", "code"),
    *("birth-month", "birth-day", "birth-year", "do", "clinician", "clinician_phone", "agreed", "study"),
)
BODIES = 60
FORM = "application/x-www-form-urlencoded"


def bodies(seed: int) -> Iterator[bytes]:
    """Give bodies as no browser would send them, the same ones each time."""
    chance = Random(seed)  # noqa: S311 - the same bodies each time, no secret
    for _ in range(BODIES):
        pairs = [
            f"{chance.choice(FIELDS)}={quoted(chance.choice(NASTY))}" for _ in range(chance.randrange(1, 25))
        ]
        yield "&".join(pairs).encode("utf-8", "surrogatepass")


def quoted(text: str) -> str:
    """Write a value for a form's body, lone surrogates and all."""
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize(
    "path", ["questions/start", "questions/1", "questions/4", "questions/check", "contact"]
)
def test_hostile_bodies_before_every_step_get_a_clear_page(ana: Visitor, path: str) -> None:
    ana.begin()
    if path == "contact":
        ana.answer(FITTING).send({})

    for body in bodies(len(path)):
        answer = ana.client.post(f"/en/{path}", data=body, content_type=FORM)
        assert answer.status_code in (200, 303, 404, 409, 410, 422), body


@pytest.mark.parametrize("path", ["studies/{slug}/start", "studies/{slug}/contact", "code", "questions/stop"])
def test_hostile_bodies_from_nobody_get_a_clear_page(ana: Visitor, path: str) -> None:
    address = f"/en/{path.format(slug=ana.slug)}"

    for body in bodies(len(path)):
        answer = ana.client.post(address, data=body, content_type=FORM)
        assert answer.status_code in (303, 404, 409, 410, 422), body


def test_a_body_that_is_too_large_is_refused_with_a_page(ana: Visitor) -> None:
    ana.begin()

    ana.post("/en/questions/1", {"answer-year": "9" * 70_000})

    assert ana.status == 413
    assert ana.heading == "Too large"


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "multipart/form-data; boundary=x", "", "a/b"]
)
def test_other_kinds_of_body_are_read_as_nothing(ana: Visitor, kind: str) -> None:
    ana.begin()

    answer = ana.client.post("/en/questions/1", data=b'--x\r\n{"answer": NaN}', content_type=kind)

    assert answer.status_code in (400, 422)


def test_repeated_fields_do_no_harm(ana: Visitor) -> None:
    ana.begin()

    ana.post(
        "/en/questions/1", {"answer-year": ["1970", "1980"], "answer-month": ["5", "6"], "item": ["x", "y"]}
    )

    assert ana.status in (200, 409, 422)


@pytest.mark.parametrize("slug", ["nobody", "%00", "..", "x" * 300, "é", "study 1"])
def test_unknown_studies_are_not_found(ana: Visitor, slug: str) -> None:
    for method, path in (("GET", ""), ("POST", "/start"), ("GET", "/contact"), ("POST", "/contact")):
        answer = ana.client.open(f"/en/studies/{slug}{path}", method=method, data={})
        assert answer.status_code == 404, (method, path)


def test_a_form_from_another_site_is_refused(app: Flask, ana: Visitor, study: OpenStudy) -> None:
    ana.begin()

    answer = ana.client.post("/en/questions/1", data={}, headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 422
    assert ana.get("/en/questions/").path == "/en/questions/1"


def test_names_with_marks_and_scripts_are_shown_as_typed(ana: Visitor) -> None:
    ana.finish(FITTING).get("/en/contact")

    ana.send({**CONTACT, "given": '<img src=x onerror="a">', "zip": "1"})

    assert ana.page.one("input", id="given").attrs["value"] == '<img src=x onerror="a">'
