"""Make the pictures of ``docs/img`` from a running demonstration: ``python -m tests.browser.screenshots``.

Start ``python3 run.py`` first. Nothing but the pictures changes: the questionnaire that is begun is deleted.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import click
from playwright.sync_api import Browser, Page, sync_playwright

from campaigns.demo import PASSWORD
from tests.browser.conftest import ARGUMENTS, browser_path

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "img"
LARGEST = 250_000
PHONE, DESK = (360, 740), (1280, 900)
SHOWN = "condition_heart"
FITTING: dict[str, dict[str, str] | str] = {
    "birth": {"answer-month": "5", "answer-year": "1985"},
    "sex": "female",
    "height": {"answer-ft": "5", "answer-in": "6"},
    "weight": {"answer-lb": "150"},
    "condition_migraine": "yes",
    "condition_migraine_began": {"answer-month": "3", "answer-year": "2019"},
    "migraine_days": {"answer": "8"},
    "study_preventives_failed": {"answer": "1"},
    "has_smartphone": "yes",
}
WRONG = ("Sorry, something went wrong", "Page not found", "Sign in")
SIGNATURE = b"\x89PNG\r\n\x1a\n"


class Camera:
    """Takes pictures of pages and keeps them small."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.browser, self.address = browser, address

    def window(self, size: tuple[int, int]) -> Page:
        """Open a fresh window of this size."""
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            base_url=self.address,
            reduced_motion="reduce",
            locale="en-US",
            device_scale_factor=2 if size == PHONE else 1,
        )
        return context.new_page()

    def signed_in(self, who: str) -> Page:
        """Open a window in which an account of the demonstration is signed in."""
        page = self.window(DESK)
        page.goto("/staff/sign-in")
        page.fill("#email", f"{who}@example.org")
        page.fill("#password", PASSWORD)
        page.locator("main form button.button:not([data-password-toggle])").last.click()
        page.wait_for_url(lambda url: "sign-in" not in url)
        return page

    def take(self, page: Page, name: str) -> None:
        """Keep what the window shows.

        :raises click.ClickException: it shows an error
        """
        width = (page.viewport_size or {"width": 0})["width"]
        file = FOLDER / f"{name}-{width}.png"
        if page.locator("main h1").first.inner_text() in WRONG:
            raise click.ClickException(f"{page.url} is an error page.")
        page.screenshot(path=file)
        shrink(file)
        click.echo(f"{file.name}  {file.stat().st_size // 1000} kB")


def shrink(file: Path) -> None:
    """Compress a picture as far as it goes without losing a point of it.

    :raises click.ClickException: it is still too large for a page of documentation
    """
    data = file.read_bytes()
    chunks, at = [], len(SIGNATURE)
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += length + 12
    points = zlib.compress(zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT")), 9)
    head = [chunk for chunk in chunks if chunk[0] == b"IHDR"]
    small = SIGNATURE + b"".join(_chunk(*one) for one in (*head, (b"IDAT", points), (b"IEND", b"")))
    if len(small) > LARGEST:
        raise click.ClickException(f"{file.name} is larger than {LARGEST} bytes.")
    file.write_bytes(small)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def participant(camera: Camera) -> None:
    """Show a study, a question and a result, on a phone."""
    page = camera.window(PHONE)
    page.goto("/en/")
    page.locator("main a[href*='/studies/']").filter(
        has_text=re.compile("migraine", re.IGNORECASE)
    ).first.click()
    camera.take(page, "study")
    page.locator(".hero button").click()
    page.check("[name=who][value=self]")
    go_on(page)
    while page.locator("[name=item]").count():
        item = page.locator("[name=item]").input_value()
        if item == SHOWN:
            camera.take(page, "question")
        answer(page, item)
        go_on(page)
    go_on(page)
    camera.take(page, "result")
    page.locator("form.stop button").click()


def answer(page: Page, item: str) -> None:
    """Answer a question of the migraine study so that it may fit: no to whatever is not in the table."""
    given = FITTING.get(item, "")
    if isinstance(given, dict):
        for name, value in given.items():
            page.fill(f"[name={name}]", value)
        return
    for option in (given, "none_of_these", "never", "no"):
        box = page.locator(f"[name=answer][value={option}]") if option else None
        if box is not None and box.count():
            box.check()
            return
    page.check("[name=instead][value=unknown]")


def go_on(page: Page) -> None:
    """Press the page's main button and wait for the next page."""
    with page.expect_navigation():
        page.locator("main form .actions button.button:not(.secondary)").first.click()


def recruiter(camera: Camera) -> None:
    """Show the queue, a person and a referral."""
    page = camera.signed_in("recruiter")
    page.goto("/staff/desk/")
    camera.take(page, "desk-queue")
    page.locator("main table tbody th a").first.click()
    page.wait_for_url(re.compile("/staff/desk/matches/"))
    camera.take(page, "desk-person")
    page.goto("/staff/desk/referrals")
    soon = page.locator("main table tbody tr").filter(has_text="Visit booked")
    while not soon.count():
        go_older(page)
    soon.first.locator("th a").click()
    page.wait_for_url(re.compile("/staff/desk/referrals/"))
    camera.take(page, "desk-referral")


def go_older(page: Page) -> None:
    """Turn to the next page of a list."""
    with page.expect_navigation():
        page.locator("a[rel=next]").click()


def coordinator(camera: Camera) -> None:
    """Show a study in which something is missing, and a criterion that has become a rule."""
    page = camera.signed_in("coordinator")
    page.goto("/staff/studies")
    unfinished = page.locator("main table tbody tr").filter(has_text="In preparation")
    unfinished.first.locator("th a").click()
    page.wait_for_load_state()
    camera.take(page, "study-overview")
    page.goto("/staff/studies?q=MAPLE")
    page.locator("main table tbody th a").first.click()
    page.wait_for_load_state()
    page.get_by_role("navigation", name="Study").get_by_role("link", name="Criteria").click()
    page.wait_for_load_state()
    camera.take(page, "study-criteria")


def marketer(camera: Camera) -> None:
    """Show the funnel."""
    page = camera.signed_in("marketer")
    page.goto("/staff/marketing")
    camera.take(page, "marketing-funnel")


def admin(camera: Camera) -> None:
    """Show the trail."""
    page = camera.signed_in("admin")
    page.goto("/staff/admin/trail")
    camera.take(page, "admin-trail")


ALBUM: tuple[Callable[[Camera], None], ...] = (participant, recruiter, coordinator, marketer, admin)


@click.command()
@click.option("--address", default="http://127.0.0.1:8000", show_default=True)
@click.option("--only", multiple=True, type=click.Choice([part.__name__ for part in ALBUM]))
def main(address: str, only: tuple[str, ...]) -> None:
    """Make the pictures of the documentation from a demonstration that runs."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path() or None, args=list(ARGUMENTS))
        for part in ALBUM:
            if not only or part.__name__ in only:
                part(Camera(browser, address))
        browser.close()


if __name__ == "__main__":
    main()
