"""Staff accounts, grants and sessions, for admins; the trail, for admins and auditors."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from recruit import context
from recruit.accounts import entry, queries, service
from recruit.accounts.entry import Entered
from recruit.accounts.models import Account, AccountStatus, LinkPurpose, Role
from recruit.accounts.policy import Permit
from recruit.db import found
from recruit.errors import Invalid, RecruitError, Refused
from recruit.web import fields, identity
from recruit.web.account import client, link_url
from recruit.web.browsers import session_rows
from recruit.web.guards import allow
from recruit.web.moments import civil, recent_moment
from recruit.web.navigation import NavigationItem

bp = Blueprint("admin", __name__, url_prefix="/staff/admin")
_GROUP = "Administration"
NAVIGATION: tuple[NavigationItem, ...] = (
    NavigationItem(_GROUP, "Staff", "admin.staff", frozenset({Role.ADMIN}), order=90),
    NavigationItem(_GROUP, "Signed in now", "admin.all_sessions", frozenset({Role.ADMIN}), order=91),
    NavigationItem(_GROUP, "Audit trail", "trail.entries", frozenset({Role.ADMIN, Role.AUDITOR}), order=92),
)
_MESSAGES = (_l("Administration"), _l("Staff"), _l("Signed in now"), _l("Audit trail"))
_LINK = "one_time_link"


@bp.get("/staff")
@allow(Role.ADMIN)
def staff() -> ResponseReturnValue:
    """List the staff in one status."""
    status = _status(request.args.get("status", ""))
    with context.reading() as session:
        members = queries.members(session, status=status)
        numbers = queries.numbers(session)
    return render_template(
        "admin/staff.html",
        members=members,
        status=status,
        numbers=numbers,
        when=recent_moment,
    )


@bp.get("/staff/invite")
@allow(Role.ADMIN)
def invite_form() -> ResponseReturnValue:
    """Ask whom to invite and what they may do."""
    return _invite_page()


@bp.post("/staff/invite")
@allow(Role.ADMIN)
def invite() -> ResponseReturnValue:
    """Make an account and show its one-time link once."""
    try:
        email, name = fields.line("email"), fields.line("name", longest=service.NAME_LENGTH)
        permits = tuple(_permit(role) for role in dict.fromkeys(request.form.getlist("role")))
        with context.transaction(reason="account:invite") as session:
            account, token = service.invite(session, email=email, name=name, permits=permits, at=context.now())
    except (Invalid, Refused) as error:
        return _invite_page(error), 422
    _show_once(account.id, LinkPurpose.INVITE, token)
    return redirect(url_for("admin.member", account_id=account.id), 303)


@bp.get("/staff/<uuid:account_id>")
@allow(Role.ADMIN)
def member(account_id: UUID) -> ResponseReturnValue:
    """Show one account: what it may do, where it is signed in, and its one-time link once."""
    return _member_page(account_id)


@bp.post("/staff/<uuid:account_id>/grants")
@allow(Role.ADMIN)
def give(account_id: UUID) -> ResponseReturnValue:
    """Let an account act in a role, everywhere or for one site or study."""
    try:
        permit = _permit(request.form.get("role", ""))
        with context.transaction(reason="grant:give") as session:
            service.give(session, account_id, permit, at=context.now())
            entered = _stay(session, account_id)
    except (Invalid, Refused) as error:
        return _member_page(account_id, error), 422
    return _back_to(account_id, "role_given", entered)


@bp.post("/staff/<uuid:account_id>/grants/<uuid:grant_id>/end")
@allow(Role.ADMIN)
def take(account_id: UUID, grant_id: UUID) -> ResponseReturnValue:
    """End a grant."""
    try:
        with context.transaction(reason="grant:end") as session:
            ended = service.take(session, account_id, grant_id, at=context.now())
            entered = _stay(session, account_id)
    except Refused as error:
        return _member_page(account_id, error), 422
    if entered is not None and ended.role is Role.ADMIN:
        identity.remember(entered.token, entered.signed_in)
        return redirect(url_for("account.home"), 303)
    return _back_to(account_id, "role_ended", entered)


@bp.post("/staff/<uuid:account_id>/link")
@allow(Role.ADMIN)
def renew_link(account_id: UUID) -> ResponseReturnValue:
    """Make a new one-time link: an invitation again, or a password reset."""
    try:
        with context.transaction(reason="account:link") as session:
            purpose, token = service.renew_link(session, account_id, at=context.now())
    except Refused as error:
        return _member_page(account_id, error), 422
    _show_once(account_id, purpose, token)
    return redirect(url_for("admin.member", account_id=account_id), 303)


@bp.post("/staff/<uuid:account_id>/deactivate")
@allow(Role.ADMIN)
def deactivate(account_id: UUID) -> ResponseReturnValue:
    """Close an account; its sessions end at once."""
    try:
        with context.transaction(reason="account:deactivate") as session:
            service.deactivate(session, account_id, at=context.now())
    except Refused as error:
        return _member_page(account_id, error), 422
    return _back_to(account_id, "deactivated")


@bp.post("/staff/<uuid:account_id>/reactivate")
@allow(Role.ADMIN)
def reactivate(account_id: UUID) -> ResponseReturnValue:
    """Invite somebody back with the roles they had."""
    try:
        with context.transaction(reason="account:reactivate") as session:
            token = service.reactivate(session, account_id, at=context.now())
    except Refused as error:
        return _member_page(account_id, error), 422
    _show_once(account_id, LinkPurpose.INVITE, token)
    return redirect(url_for("admin.member", account_id=account_id), 303)


@bp.post("/staff/<uuid:account_id>/sessions/<uuid:session_id>/end")
@allow(Role.ADMIN)
def end_session(account_id: UUID, session_id: UUID) -> ResponseReturnValue:
    """Sign one browser of an account out."""
    with context.transaction(reason="session:end") as session:
        service.end_session(session, account_id, session_id, reason="ended by an admin", at=context.now())
    if request.form.get("from") == "all":
        flash("session_ended")
        return redirect(url_for("admin.all_sessions"), 303)
    return _back_to(account_id, "session_ended")


@bp.post("/staff/<uuid:account_id>/sessions/end")
@allow(Role.ADMIN)
def end_sessions(account_id: UUID) -> ResponseReturnValue:
    """Sign an account out everywhere; one's own browser at hand stays."""
    mine = identity.signed_in()
    keep = mine.session_id if mine is not None and mine.account_id == account_id else None
    with context.transaction(reason="session:end_all") as session:
        found(session, Account, account_id)
        service.end_sessions(session, account_id, reason="ended by an admin", at=context.now(), except_for=keep)
    return _back_to(account_id, "session_ended")


@bp.get("/sessions")
@allow(Role.ADMIN)
def all_sessions() -> ResponseReturnValue:
    """List who is signed in now, and where."""
    with context.reading() as session:
        browsers = queries.browsers(session, idle=_idle(), at=context.now())
        names = queries.names(session, {browser.account_id for browser in browsers})
    return render_template("admin/sessions.html", sessions=session_rows(browsers, own=_own(), names=names))


def _idle() -> timedelta:
    return timedelta(minutes=context.settings().session_idle_minutes)


def _own() -> UUID:
    signed_in = identity.signed_in()
    assert signed_in is not None  # noqa: S101 - the gate lets only staff reach these views
    return signed_in.session_id


def _status(text: str) -> AccountStatus:
    return AccountStatus(text) if text in list(AccountStatus) else AccountStatus.ACTIVE


def _permit(text: str) -> Permit:
    """Read a role with the site and study beside it; those who work everywhere have none."""
    if text not in list(Role):
        raise Invalid("Select a role.", field="role")
    role = Role(text)
    if role in service.EVERYWHERE:
        return Permit(role, None, None)
    return Permit(role, fields.key("site_id"), fields.key("study_id"))


def _stay(session: Session, account_id: UUID) -> Entered | None:
    """Open a new session for the admin who changed their own roles and so ended their sessions."""
    if account_id != identity.account_id():
        return None
    return entry.reopen(session, found(session, Account, account_id), client=client(), at=context.now())


def _show_once(account_id: UUID, purpose: LinkPurpose, token: str) -> None:
    """Keep a link in this browser's cookie until the next page shows it; nowhere else is it readable."""
    cookie[_LINK] = {"account": str(account_id), "purpose": purpose.value, "token": token}


def _link_to_show(account_id: UUID) -> str | None:
    kept = cookie.pop(_LINK, None)
    if not kept or kept["account"] != str(account_id):
        return None
    return link_url(LinkPurpose(kept["purpose"]), kept["token"])


def _back_to(account_id: UUID, notice: str, entered: Entered | None = None) -> ResponseReturnValue:
    if entered is not None:
        identity.remember(entered.token, entered.signed_in)
    flash(notice)
    return redirect(url_for("admin.member", account_id=account_id), 303)


def _invite_page(error: RecruitError | None = None) -> str:
    with context.reading() as session:
        places = queries.places(session)
    problems = fields.problems(error) if error else []
    return render_template(
        "admin/invite.html",
        places=places,
        posted=request.form,
        chosen=request.form.getlist("role"),
        errors=problems,
        wrong=fields.wrong(problems),
    )


def _member_page(account_id: UUID, error: RecruitError | None = None) -> str:
    with context.reading() as session:
        shown = queries.member(session, account_id)
        held = queries.held(session, account_id)
        until = queries.link_until(session, account_id, at=context.now())
        browsers = queries.browsers(session, idle=_idle(), at=context.now(), account_id=account_id)
        places = queries.places(session)
    problems = fields.problems(error) if error else []
    return render_template(
        "admin/member.html",
        member=shown,
        is_me=account_id == identity.account_id(),
        held=held,
        link=_link_to_show(account_id),
        link_until=recent_moment(until) if until else None,
        sessions=session_rows(browsers, own=_own()),
        places=places,
        when=recent_moment,
        day=civil,
        posted=request.form,
        errors=problems,
        wrong=fields.wrong(problems),
    )
