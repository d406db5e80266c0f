"""The administrator's steps: invite with roles and places, look into the trail, end sessions."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.steps.pressing import card, fill, follow, press, require_said, tick
from tests.browser.steps.staff import Look, Member, accept


def invite(
    admin: Member, name: str, role: str, page: Page, *, look: Look, site: str = "", study: str = ""
) -> Member:
    """Invite somebody, for one site or study where named, and let them open their account."""
    screen = admin.page
    screen.goto("/staff/admin/staff")
    look(screen)
    follow(screen, "Invite somebody")
    look(screen)
    email = f"{name.split()[0].lower()}@example.org"
    fill(screen, {"name": name, "email": email})
    tick(screen, "role", role)
    for field, place in (("site_id", site), ("study_id", study)):
        if place:
            screen.locator(f"[name={field}]").select_option(label=place)
    press(screen, "Make the link")
    look(screen)
    link = screen.locator("textarea[name=link]").input_value()
    return accept(Member(name, email, page), link, look=look)


def end_sessions(admin: Member, member: Member, *, look: Look) -> None:
    """Sign somebody out of every browser; the page they have open leads them to the sign-in."""
    screen = admin.page
    screen.goto("/staff/admin/sessions")
    look(screen)
    follow(screen, member.name)
    look(screen)
    press(card(screen, "Signed in now"), "Sign out everywhere")
    expect(card(screen, "Signed in now")).to_contain_text("Nowhere.")

    member.page.reload()

    expect(member.page.locator("h1")).to_have_text("Sign in")


def read_trail(admin: Member, *, table: str, look: Look) -> None:
    """See that what happened to a table's rows is in the trail."""
    screen = admin.page
    screen.goto(f"/staff/admin/trail?table={table}")
    look(screen)
    expect(screen.locator("main table tbody tr").first).to_be_visible()


def refuse(member: Member, address: str, *, status: int) -> None:
    """See that a page is kept from somebody: 404 where it is another's, 403 where the role is missing."""
    answer = member.page.goto(address)
    assert answer is not None
    assert answer.status == status
    require_said(member.page, {403: "Not open to you", 404: "Page not found"}[status])
