"""A Flask application that offers templates exactly what the product promises them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask, render_template, render_template_string
from flask_babel import Babel
from jinja2 import StrictUndefined

from .dom import Element, parse

ROOT = Path(__file__).resolve().parents[2]

Render = Callable[..., Element]


@dataclass(frozen=True, slots=True)
class Account:
    display_name: str = "Ana Ortiz"
    roles: tuple[str, ...] = ("Recruiter",)
    theme: str = "auto"
    shortcuts: bool = True


CONTRACT: dict[str, object] = {
    "lang": "en",
    "dir": "ltr",
    "operator_name": "Lakeview Research",
    "current_account": Account(),
    "staff_navigation": [
        {"label": "Work", "items": [{"label": "Queue", "url": "/q", "current": True, "count": 3}]}
    ],
    "languages": [
        {"code": "en", "name": "English", "url": "/en"},
        {"code": "es", "name": "Español", "url": "/es"},
    ],
    "help_phone": "(555) 010-0142",
    "tty_text": "TTY: 711",
    "test_mode": True,
}


@pytest.fixture(scope="session")
def app() -> Flask:
    app = Flask("design", template_folder=str(ROOT / "templates"), static_folder=None)
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        static_url=lambda path: f"/static/{path}", csrf_token=lambda: "token-of-the-test"
    )
    Babel(app, default_locale="en")
    return app


@pytest.fixture
def in_request(app: Flask) -> Iterator[Flask]:
    with app.test_request_context("/"):
        yield app


@pytest.fixture
def page(in_request: Flask) -> Render:
    """Render a template of the product with the promised names, some of them replaced."""

    def render(template: str, **names: object) -> Element:
        return parse(render_template(template, **{**CONTRACT, **names}))

    return render


@pytest.fixture
def snippet(in_request: Flask) -> Render:
    """Render ``{{ NAME(...) }}`` with every macro of one component file imported."""

    def render(file: str, source: str, **names: object) -> Element:
        lines = f'{{% import "components/{file}.html" as c %}}{source}'
        return parse(render_template_string(lines, **names))

    return render


@pytest.fixture
def child(in_request: Flask) -> Render:
    """Render a page that extends a layout, written in the test."""

    def render(layout: str, body: str, **names: object) -> Element:
        source = f'{{% extends "layouts/{layout}.html" %}}{body}'
        return parse(render_template_string(source, **{**CONTRACT, **names}))

    return render
