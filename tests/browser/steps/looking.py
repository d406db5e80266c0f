"""Look at each distinct page once: accessible, and no wider than its window."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Page

from tests.browser.conftest import require_accessible

_KEYS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=/)[A-Za-z0-9_-]{24,}")


@dataclass
class Looker:
    """Remembers what has been looked at, by address without keys and by what the caller calls the sight."""

    seen: set[tuple[str, str]] = field(default_factory=set)

    def look(self, page: Page, *, sight: str = "") -> None:
        """Check the page in front unless its like was checked before.

        :param sight: names a state of the page that deserves a look of its own, such as "with a mistake"
        """
        if self._is_new(page, sight):
            require_accessible(page)

    def look_through(self, page: Page, twin: Page) -> None:
        """Check a page of a window without scripts, in a twin of its size that has them, for axe is one."""
        if self._is_new(page, ""):
            body = page.content()
            twin.route(
                page.url, lambda route: route.fulfill(body=body, content_type="text/html; charset=utf-8")
            )
            twin.goto(page.url)
            require_accessible(twin)

    def _is_new(self, page: Page, sight: str) -> bool:
        width = (page.viewport_size or {"width": 0})["width"]
        path = _KEYS.sub("KEY", urlsplit(page.url).path)
        like = (f"{path} at {width}", sight)
        is_new = like not in self.seen
        self.seen.add(like)
        return is_new
