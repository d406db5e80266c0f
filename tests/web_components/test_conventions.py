"""What every template of the design system keeps to."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask, request
from jinja2 import nodes

from .conftest import ROOT, Account, Render
from .dom import Element

TEMPLATES = ROOT / "templates"
COMPONENTS = sorted((TEMPLATES / "components").glob("*.html"))
OWN = sorted(
    [
        *COMPONENTS,
        *(TEMPLATES / "layouts").glob("*.html"),
        TEMPLATES / "base.html",
        TEMPLATES / "errors/error.html",
        TEMPLATES / "styleguide.html",
    ]
)

each_component = pytest.mark.parametrize("path", COMPONENTS, ids=lambda path: path.name)
each_template = pytest.mark.parametrize("path", OWN, ids=lambda path: str(path.relative_to(TEMPLATES)))


def macros(app: Flask, path: Path) -> list[nodes.Macro]:
    tree = app.jinja_env.parse(path.read_text())
    return [macro for macro in tree.find_all(nodes.Macro) if not macro.name.startswith("_")]


Signature = tuple[str, tuple[str, ...], tuple[object, ...]]


def signature(macro: nodes.Macro) -> Signature:
    """Name, parameters and defaults as Jinja sees them."""
    defaults = tuple(default.as_const() for default in macro.defaults)
    return macro.name, tuple(argument.name for argument in macro.args), defaults


def documented(path: Path) -> list[Signature]:
    """Name, parameters and defaults as the comments above the macros give them."""
    said = re.findall(r"^\{#- (\w+\(.*?\))(?: \+ [a-z ]*call(?:\(\w+\))?)?: .+ -#\}$", path.read_text(), re.M)
    functions = [ast.parse(f"def {words}: ...").body[0] for words in said]
    return [
        (
            function.name,
            tuple(argument.arg for argument in function.args.args),
            tuple(ast.literal_eval(default) for default in function.args.defaults),
        )
        for function in functions
        if isinstance(function, ast.FunctionDef)
    ]


class TestComponents:
    @each_component
    def test_each_macro_says_what_it_takes_in_one_line(self, app: Flask, path: Path) -> None:
        assert documented(path) == [signature(macro) for macro in macros(app, path)]

    @each_component
    def test_texts_are_translated_when_used_not_when_loaded(self, app: Flask, path: Path) -> None:
        tree = app.jinja_env.parse(path.read_text())

        loaded = [node for node in tree.body if not isinstance(node, nodes.Macro)]

        calls = [call for node in loaded for call in node.find_all(nodes.Call)]
        assert calls == []

    @each_component
    def test_the_style_guide_shows_each_macro(self, app: Flask, path: Path) -> None:
        guide = (TEMPLATES / "styleguide.html").read_text()
        indirect = {"hint", "error_message", "form_error_summary", "measure_field", "count", "exit_this_page"}

        missing = [
            macro.name
            for macro in macros(app, path)
            if macro.name not in indirect and f" {macro.name}(" not in guide
        ]

        assert missing == []

    @each_component
    def test_every_class_has_a_style(self, path: Path) -> None:
        styles = "".join(sheet.read_text() for sheet in (ROOT / "static/css").glob("*.css"))
        written = re.findall(r'class="([^"{]+)', path.read_text())

        used = {name for names in written for name in names.split() if not name.endswith("-")}

        assert {name for name in used if f".{name}" not in styles} <= {"swatch"}


class TestTemplates:
    @each_template
    def test_no_style_or_script_stands_inside(self, path: Path) -> None:
        text = path.read_text()

        assert re.findall(r"<style|\sstyle=\"|\son[a-z]+=\"|javascript:|<script(?![^>]*src=)", text) == []

    @each_template
    def test_nothing_is_marked_safe_by_hand(self, path: Path) -> None:
        assert re.findall(r"\|\s*safe|autoescape", path.read_text()) == []


def accessible_name(control: Element, page: Element) -> str:
    """What a screen reader calls a control, as far as markup alone tells."""
    if control.attrs.get("aria-label"):
        return control.attrs["aria-label"]
    labels = page.all("label", for_=control.attrs.get("id", ""))
    images = [image.attrs.get("aria-label", "") for image in control.all("svg")]
    spoken = [label.text for label in labels] or ([control.text, *images] if control.tag == "button" else [])
    return " ".join(spoken).strip()


def check(page: Element) -> None:
    """Hold a whole page to what needs no browser: names, ids, references, headings, landmarks."""
    html = page.one("html")
    ids = [element.attrs["id"] for element in page.walk() if "id" in element.attrs]
    references = [
        target
        for element in page.walk()
        for name in ("aria-describedby", "aria-labelledby", "for")
        for target in element.attrs.get(name, "").split()
    ]
    controls = [
        control
        for control in page.all("input", "select", "textarea", "button")
        if control.attrs.get("type") != "hidden"
    ]
    inner = [link.attrs["href"] for link in page.all("a") if link.attrs["href"].startswith("#")]

    assert html.attrs["lang"]
    assert html.attrs["dir"] in {"ltr", "rtl"}
    assert page.one("head").one("title").text
    assert len(page.all("main")) == 1
    assert sorted(ids) == sorted(set(ids))
    assert set(references) <= set(ids)
    assert {link.removeprefix("#") for link in inner} <= set(ids)
    assert [control.attrs for control in controls if not accessible_name(control, page)] == []
    assert [link.attrs for link in page.all("a") if not link.text] == []
    assert [form for form in page.all("form", method="post") if not form.all("input", name="csrf_token")] == []


class TestPages:
    def test_the_style_guide_holds_together(self, page: Render) -> None:
        guide = page("styleguide.html")

        check(guide)

    @pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 410, 413, 422, 429, 500, 503])
    def test_an_error_page_holds_together(self, page: Render, status: int) -> None:
        shown = page(
            "errors/error.html",
            status=status,
            title="Not found",
            message="Check the address.",
            request_id="7f3a-19c2",
            back_url="/before",
        )

        check(shown)
        assert shown.one("h1").text == "Not found"
        assert "Check the address." in shown.one("main").text
        assert "7f3a-19c2" in shown.one("main").text
        assert shown.one("a", href="/before").text == "Go back"

    def test_an_error_page_needs_little(self, in_request: Flask) -> None:
        template = in_request.jinja_env.get_template("errors/error.html")

        html = template.render(
            lang="en",
            dir="ltr",
            operator_name="Lakeview",
            request=request,
            status=500,
            title="Sorry",
            message="Later.",
        )

        assert "Lakeview" in html

    @pytest.mark.parametrize("layout", ["public", "staff", "plain"])
    def test_a_layout_holds_together(self, child: Render, layout: str) -> None:
        shown = child(
            layout, "{% block title %}Hello{% endblock %}{% block main %}<h1>Hello</h1>{% endblock %}"
        )

        check(shown)
        assert shown.one("head").one("title").text == "Hello \N{EN DASH} Lakeview Research"
        assert shown.one("h1").inside("main")

    @pytest.mark.parametrize("layout", ["public", "staff", "plain"])
    def test_errors_stand_on_top_and_in_the_title(self, child: Render, layout: str) -> None:
        errors = [{"field_id": "age", "text": "Enter your age"}]
        body = "{% block title %}Age{% endblock %}{% block main %}<input id='age'>{% endblock %}"

        shown = child(layout, body, errors=errors)

        main = shown.one("main")
        first = next(main.walk())
        assert first.attrs["data-error-summary"] == ""
        assert first.one("a", href="#age").text == "Enter your age"
        assert shown.one("head").one("title").text.startswith("Error: Age")

    def test_a_form_s_errors_need_no_help_from_the_view(self, child: Render) -> None:
        form = SimpleNamespace(
            errors={"name": ["Enter a name"], "size": {"cm": ["Too tall"]}, None: ["Try again"]}
        )

        shown = child("staff", "", form=form)

        summary = shown.by_class("error-summary")[0]
        assert [(link.attrs["href"], link.text) for link in summary.all("a")] == [
            ("#name", "Enter a name"),
            ("#size-cm", "Too tall"),
        ]
        assert "Try again" in summary.text


class TestChoicesOfTheReader:
    def test_are_written_by_the_server_so_that_nothing_flashes(self, app: Flask, child: Render) -> None:
        with app.test_request_context("/", headers={"Cookie": "theme=dark; shortcuts=off"}):
            shown = child("staff", "")

        assert shown.one("html").attrs["data-theme"] == "dark"
        assert shown.one("meta", name="color-scheme").attrs["content"] == "dark"
        assert shown.one("body").attrs["data-shortcuts"] == "off"

    def test_the_account_speaks_before_the_browser(self, app: Flask, child: Render) -> None:
        account = Account(theme="light", shortcuts=False)

        with app.test_request_context("/", headers={"Cookie": "theme=dark; shortcuts=on"}):
            shown = child("staff", "", current_account=account)

        assert shown.one("html").attrs["data-theme"] == "light"
        assert shown.one("body").attrs["data-shortcuts"] == "off"

    def test_a_made_up_theme_is_ignored(self, app: Flask, child: Render) -> None:
        with app.test_request_context("/", headers={"Cookie": "theme=blue"}):
            shown = child("public", "")

        assert "data-theme" not in shown.one("html").attrs
        assert shown.one("meta", name="color-scheme").attrs["content"] == "light dark"

    def test_are_kept_in_the_account_where_it_takes_them(self, child: Render) -> None:
        bare = child("staff", "").one("body").attrs
        full = child("staff", "", preferences_url="/me/preferences").one("body").attrs

        assert "data-csrf" not in bare
        assert full["data-preferences"] == "/me/preferences"
        assert full["data-csrf"] == "token-of-the-test"


class TestChrome:
    def test_help_stands_after_the_page_and_before_the_footer(self, child: Render) -> None:
        shown = child("public", "")

        order = [element.tag for element in shown.walk() if element.tag in {"main", "aside", "footer"}]
        assert order == ["aside", "main", "aside", "footer"]
        assert shown.one("a", href="tel:5550100142").text == "(555) 010-0142"

    def test_without_a_phone_there_is_no_help_line(self, child: Render) -> None:
        shown = child("public", "", help_phone=None, tty_text=None)

        assert shown.by_class("help-line") == []

    def test_only_a_demonstration_says_so(self, child: Render) -> None:
        assert child("public", "").by_class("test-mode")
        assert child("public", "", test_mode=False).by_class("test-mode") == []

    def test_languages_are_named_in_their_own_script(self, child: Render) -> None:
        shown = child("public", "")

        spanish = shown.one("a", lang="es")
        assert spanish.text == "Español"
        assert "aria-current" not in spanish.attrs
        assert shown.one("a", lang="en").attrs["aria-current"] == "true"

    def test_one_language_needs_no_switch(self, child: Render) -> None:
        shown = child("public", "", languages=[{"code": "en", "name": "English", "url": "/en"}])

        assert shown.by_class("languages") == []

    def test_the_other_language_alone_is_offered(self, child: Render) -> None:
        shown = child("public", "", languages=[{"code": "es", "name": "Español", "url": "/es"}])

        assert [link.text for link in shown.by_class("languages")[0].all("a")] == ["Español"]

    def test_a_phone_gets_the_places_in_a_menu_that_needs_no_script(self, child: Render) -> None:
        shown = child("staff", "")

        menu = shown.by_class("nav-menu")[0]
        assert menu.tag == "details"
        assert menu.one("a", href="/q").attrs["aria-current"] == "page"
        assert len(shown.all("a", href="/q")) == 2

    def test_nobody_signed_in_sees_no_places(self, child: Render) -> None:
        shown = child("staff", "", current_account=None)

        assert shown.by_class("side-nav") == []
        assert shown.by_class("account-name") == []

    def test_controls_without_an_address_are_left_out(self, child: Render) -> None:
        bare = child("staff", "")
        full = child("staff", "", search_url="/find", sign_out_url="/out", account_url="/me", home_url="/")

        assert bare.all("form", role="search") == []
        assert bare.all("form", action="/out") == []
        assert full.one("form", role="search").attrs["method"] == "get"
        assert full.one("form", action="/out").attrs["method"] == "post"
        assert full.one("a", href="/me").text == "Your account"

    def test_direction_and_language_are_the_page_s(self, child: Render) -> None:
        shown = child("public", "", lang="ar", dir="rtl")

        assert shown.one("html").attrs["dir"] == "rtl"
        assert shown.one("html").attrs["lang"] == "ar"
