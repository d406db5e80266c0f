"""What a role's pages offer: follow the links, and collect every form with its address and fields."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

PER_VIEW = 3
"""So many addresses of one form are kept, and twice as many pages of one view are opened."""


@dataclass
class Form:
    """A form as a page shows it: where it leads, and its fields with the values they start from."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)


class _Page(HTMLParser):
    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address
        self.links: list[str] = []
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "a" and said.get("href", "").startswith(("/", "?")):
            self.links.append(urljoin(self.address, said["href"]))
        elif tag == "form" and said.get("method", "get").lower() == "post":
            self._form = Form(urljoin(self.address, said.get("action") or self.address))
            self.forms.append(self._form)
        elif self._form is not None and tag in ("input", "select", "textarea", "button", "option"):
            self._take(self._form, tag, said)

    def _take(self, form: Form, tag: str, said: dict[str, str]) -> None:
        name = said.get("name", "")
        if tag == "option":
            if self._select and ("selected" in said or not form.fields[self._select]):
                form.fields[self._select] = said.get("value", "")
        elif name and said.get("type") == "file":
            form.files.add(name)
        elif name and (name not in form.fields or "checked" in said):
            form.fields[name] = said.get("value", "")
        self._select = name if tag == "select" else self._select

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""


def forms_of(html: str, address: str) -> list[Form]:
    """List the forms of a page that post something."""
    page = _Page(address)
    page.feed(html)
    return page.forms


def endpoint_of(app: Flask, address: str, method: str) -> str:
    """Name the view behind an address; nothing where there is none."""
    try:
        endpoint: str = app.url_map.bind("localhost").match(urlsplit(address).path, method=method)[0]
    except (HTTPException, RequestRedirect):
        return ""
    return endpoint


def forms_within_reach(
    app: Flask, client: FlaskClient, *starts: str, leave_out: Collection[str] = ()
) -> dict[str, list[Form]]:
    """Follow the links from here and give the forms found, by the view that takes them.

    :param leave_out: forms whose address holds one of these keys stay out
    """
    found: dict[str, dict[str, Form]] = defaultdict(dict)
    waiting, seen, opened = deque(starts), set(starts), defaultdict[str, int](int)
    while waiting:
        address = waiting.popleft()
        view = endpoint_of(app, address, "GET")
        opened[view] += 1
        if not view or view == "static" or opened[view] > 2 * PER_VIEW:
            continue
        answer = client.get(address, follow_redirects=True)
        assert answer.status_code < 500, address
        if answer.mimetype != "text/html":
            continue
        page = _Page(answer.request.path)
        page.feed(answer.text)
        for form in page.forms:
            if any(key in form.action for key in leave_out):
                continue
            taker = found[endpoint_of(app, form.action, "POST")]
            if form.action in taker or len(taker) < PER_VIEW:
                known = taker.setdefault(form.action, form)
                known.fields, known.files = form.fields | known.fields, form.files | known.files
        waiting.extend(link for link in page.links if link not in seen)
        seen.update(page.links)
    return {view: list(forms.values()) for view, forms in found.items() if view}
