"""A real browser against the whole application, on the test's own database.

Skips with a reason where no browser is installed, unless ``RECRUIT_REQUIRE_BROWSER=1`` asks for one.
Use ``server`` for the address, ``open_page`` for pages that are watched, and ``require_accessible`` on each.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from weakref import WeakSet

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright
from playwright.sync_api import Error as BrowserError
from werkzeug.serving import make_server

SYSTEM_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
)
PHONE = {"width": 320, "height": 640}
DESKTOP = {"width": 1280, "height": 900}
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]},
    "rules": {"target-size": {"enabled": True}},
    "resultTypes": ["violations"],  # only of these every node is told and brought over
}
AXE = Axe()


WITHOUT_SCRIPTS: WeakSet[BrowserContext] = WeakSet()
"""Windows in which axe, a script itself, would wait for ever."""


def browser_path() -> str:
    """Find an installed browser: the one named by RECRUIT_TEST_BROWSER, the system's, or Playwright's own."""
    named = os.environ.get("RECRUIT_TEST_BROWSER", "")
    if named:
        return named
    return next((path for name in SYSTEM_BROWSERS if (path := shutil.which(name))), "")


expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Give one browser for all tests."""
    path = browser_path()
    with sync_playwright() as playwright:
        if not path and not Path(playwright.chromium.executable_path).exists():
            if os.environ.get("RECRUIT_REQUIRE_BROWSER") == "1":
                pytest.fail("RECRUIT_REQUIRE_BROWSER=1, and no browser is installed")
            pytest.skip("no browser is installed: `playwright install chromium` gets one")
        browser = playwright.chromium.launch(executable_path=path or None, args=list(ARGUMENTS))
        yield browser
        browser.close()


@dataclass
class Watched:
    """What a browser did that nobody should have to see."""

    address: str
    console: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Note every message, every request to another server, and every answer of 500 or more."""
        page.on("console", self._message)
        page.on("pageerror", lambda error: self.console.append(str(error)))
        page.on("request", self._request)
        page.on("response", lambda r: self.failed.append(r.url) if r.status >= 500 else None)

    def _message(self, message: ConsoleMessage) -> None:
        expected = "the server responded with a status of 4"  # 422 and its like: the page says what is wrong
        if expected not in message.text:
            self.console.append(message.text)

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.address, "data:", "about:", "blob:")):
            self.foreign.append(request.url)

    def require_quiet(self) -> None:
        """Fail where there was anything."""
        assert self.console == []
        assert self.foreign == []
        assert self.failed == []


@pytest.fixture
def server(app: Flask) -> Iterator[str]:
    """Serve the test's application in a thread and give its address."""
    serving = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{serving.server_port}"
    serving.shutdown()
    thread.join(timeout=5)
    serving.server_close()


@pytest.fixture
def watched(server: str) -> Iterator[Watched]:
    """Give the record of what the browser did; when the test ends it must be empty."""
    record = Watched(server)
    yield record
    record.require_quiet()


@pytest.fixture
def open_page(browser: Browser, server: str, watched: Watched) -> Iterator[Callable[..., Page]]:
    """Give a function that opens a fresh window: ``open_page("/en/", width=320, scripts=False)``."""
    contexts = []

    def open_(
        path: str = "/en/",
        *,
        size: dict[str, int] | None = None,
        scripts: bool = True,
        cookies: dict[str, str] | None = None,
        locale: str = "en-US",
        agent: str | None = None,
    ) -> Page:
        width, height = (size or DESKTOP)["width"], (size or DESKTOP)["height"]
        context = browser.new_context(
            viewport={"width": width, "height": height},
            java_script_enabled=scripts,
            locale=locale,
            user_agent=agent,
            base_url=server,
            reduced_motion="reduce",
        )
        context.set_default_timeout(30_000)
        if not scripts:
            WITHOUT_SCRIPTS.add(context)
        if cookies:
            context.add_cookies([{"name": n, "value": v, "url": server} for n, v in cookies.items()])
        contexts.append(context)
        page = context.new_page()
        watched.watch(page)
        page.goto(path)
        return page

    yield open_
    for context in contexts:
        try:
            context.close()
        except BrowserError:
            continue


def require_accessible(page: Page) -> None:
    """Fail where axe finds a fault of WCAG 2.2 AA, or where the page scrolls sideways."""
    assert page.context not in WITHOUT_SCRIPTS, "axe is a script: look at this page in a window that has them"
    found = AXE.run(page, options=RULES)
    faults = [
        f"{fault['id']}: {node['html'][:160]}"
        for fault in found.response["violations"]
        for node in fault["nodes"]
    ]
    assert faults == [], f"{page.url}\n" + "\n".join(faults)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{page.url} is too wide"
