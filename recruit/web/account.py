"""Signing in and out, invitations, resets, and one's own account."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from recruit import context
from recruit.accounts import entry, passwords, queries, service, sessions
from recruit.accounts.entry import Client, Denied
from recruit.accounts.models import LinkPurpose
from recruit.accounts.passwords import Weakness
from recruit.accounts.policy import Permits
from recruit.accounts.queries import LinkOwner
from recruit.accounts.sessions import SignedIn
from recruit.errors import Invalid
from recruit.web import fields, identity, languages
from recruit.web.browsers import session_rows
from recruit.web.fields import Problem
from recruit.web.guards import ANY_STAFF, PUBLIC, allow
from recruit.web.navigation import NavigationItem

bp = Blueprint("account", __name__)
NAVIGATION: tuple[NavigationItem, ...] = ()

_LINK_ENDPOINTS = {LinkPurpose.INVITE: "account.invitation", LinkPurpose.RESET: "account.reset"}
_COOKIE_LASTS = timedelta(days=365)


@bp.app_context_processor
def places() -> dict[str, str]:
    """Offer the layouts the ways to one's own account, where somebody is signed in."""
    if identity.signed_in() is None:
        return {}
    return {
        "home_url": url_for("account.home"),
        "account_url": url_for("account.me"),
        "sign_out_url": url_for("account.sign_out"),
    }


@bp.get("/staff/sign-in")
@allow(PUBLIC)
def sign_in() -> ResponseReturnValue:
    """Ask for email and password."""
    target = request.args.get("next", "")
    signed_in = _already_in()
    if signed_in is not None:
        return redirect(safe_path(target) or first_page(signed_in.permits), 303)
    return _sign_in_page(target=target)


@bp.post("/staff/sign-in")
@allow(PUBLIC)
def enter() -> ResponseReturnValue:
    """Check email and password, start a session, and go on to where somebody wanted to go."""
    email, password = request.form.get("email", "").strip(), request.form.get("password", "")
    target = request.form.get("next", "")
    if not email or not password:
        missing = [] if email else [Problem("email", _("Enter your email address"))]
        missing += [] if password else [Problem("password", _("Enter your password"))]
        return _sign_in_page(missing, email=email, target=target), 422
    entered = entry.sign_in(
        context.database(),
        email=email,
        password=password,
        client=client(),
        at=context.now(),
        replaces=_already_in(),
    )
    if isinstance(entered, Denied):
        return _denied(entered, email=email, target=target)
    identity.remember(entered.token, entered.signed_in)
    return _with_preferences(
        redirect(safe_path(target) or first_page(entered.signed_in.permits), 303), entered.signed_in
    )


@bp.post("/staff/sign-out")
@allow(ANY_STAFF)
def sign_out() -> ResponseReturnValue:
    """End this browser's session; a copy of its cookie is dead too."""
    _leave("signed out")
    flash("signed_out")
    return redirect(url_for("account.sign_in"), 303)


@bp.get("/staff/invitation/<token>")
@allow(PUBLIC)
def invitation(token: str) -> ResponseReturnValue:
    """Ask an invited person for a password; looking at the page uses nothing up."""
    return _ask_password(LinkPurpose.INVITE, token)


@bp.post("/staff/invitation/<token>")
@allow(PUBLIC)
def accept_invitation(token: str) -> ResponseReturnValue:
    """Open an invited account with its first password."""
    return _take_password(LinkPurpose.INVITE, token)


@bp.get("/staff/reset/<token>")
@allow(PUBLIC)
def reset(token: str) -> ResponseReturnValue:
    """Ask for a new password; looking at the page uses nothing up."""
    return _ask_password(LinkPurpose.RESET, token)


@bp.post("/staff/reset/<token>")
@allow(PUBLIC)
def accept_reset(token: str) -> ResponseReturnValue:
    """Set a new password; whoever was signed in with the old one is out."""
    return _take_password(LinkPurpose.RESET, token)


@bp.get("/staff/")
@allow(ANY_STAFF)
def home() -> ResponseReturnValue:
    """Go to the first page that this account's roles open."""
    return redirect(first_page(_me().permits), 303)


@bp.get("/staff/me")
@allow(ANY_STAFF)
def me() -> ResponseReturnValue:
    """Show one's own account: preferences, password, and where one is signed in."""
    return _own_page()


@bp.post("/staff/me/preferences")
@allow(ANY_STAFF)
def save_preferences() -> ResponseReturnValue:
    """Store language, theme and whether single keys act."""
    try:
        language = _posted_language()
        with context.transaction(reason="account:preferences") as session:
            account = service.set_preferences(
                session,
                _me().account_id,
                language=language,
                theme=request.form.get("theme", ""),
                shortcuts=request.form.get("shortcuts") == "yes",
            )
    except Invalid as error:
        return _own_page(fields.problems(error)), 422
    flash("saved")
    response = redirect(url_for("account.me"), 303)
    _remember_theme(response, account.theme)
    _remember_shortcuts(response, on=account.shortcuts)
    return response


@bp.post("/staff/me/password")
@allow(ANY_STAFF)
def change_password() -> ResponseReturnValue:
    """Change one's own password; every other browser is signed out."""
    present, new = request.form.get("present", ""), request.form.get("password", "")
    problem = None if present else Problem("present", _("Enter your present password"))
    problem = problem or _password_problem(new, about=(_me().display_name,))
    if problem is not None:
        return _own_page([problem]), 422
    changed = entry.change_password(
        context.database(), _me().account_id, present=present, new=new, client=client(), at=context.now()
    )
    if changed is Denied.TOO_MANY:
        return _own_page([Problem("present", _too_many())]), 429
    if isinstance(changed, Denied):
        return _own_page([Problem("present", _("That is not your present password"))]), 422
    identity.remember(changed.token, changed.signed_in)
    flash("password_changed")
    return redirect(url_for("account.me"), 303)


@bp.post("/staff/me/sessions/<uuid:session_id>/end")
@allow(ANY_STAFF)
def end_own_session(session_id: UUID) -> ResponseReturnValue:
    """Sign one of one's own browsers out."""
    with context.transaction(reason="session:end") as session:
        service.end_session(
            session, _me().account_id, session_id, reason="ended by its owner", at=context.now()
        )
    if session_id == _me().session_id:
        identity.forget()
        return redirect(url_for("account.sign_in"), 303)
    flash("session_ended")
    return redirect(url_for("account.me"), 303)


@bp.post("/staff/me/sessions/end-others")
@allow(ANY_STAFF)
def end_other_sessions() -> ResponseReturnValue:
    """Sign every browser out but this one."""
    with context.transaction(reason="session:end_others") as session:
        service.end_sessions(
            session,
            _me().account_id,
            reason="ended by its owner",
            at=context.now(),
            except_for=_me().session_id,
        )
    flash("session_ended")
    return redirect(url_for("account.me"), 303)


def first_page(permits: Permits) -> str:
    """Give the address of the first page in the navigation that these grants open."""
    for item in sorted(context.application().navigation, key=lambda item: item.order):
        if item.roles & permits.roles:
            return url_for(item.endpoint)
    return url_for("account.me")


def safe_path(target: str) -> str:
    """Give a path of ours to go on to, or nothing where the text could lead anywhere else."""
    if len(target) > 2000 or not target.startswith("/") or not target.isprintable() or "\\" in target:
        return ""
    try:
        parts = urlsplit(target)
    except ValueError:
        return ""
    return "" if parts.scheme or parts.netloc or target.startswith("//") else target


def link_url(purpose: LinkPurpose, token: str) -> str:
    """Give the whole address of a one-time link, as people outside reach us."""
    path = current_app.url_map.bind("localhost").build(_LINK_ENDPOINTS[purpose], {"token": token})
    return f"{context.settings().public_url}{path}"


def client() -> Client:
    """Describe the browser of this request and how long it may stay signed in."""
    settings = context.settings()
    return Client(
        address=request.remote_addr or "",
        agent="".join(sign for sign in identity.agent() if sign.isprintable()),
        idle=timedelta(minutes=settings.session_idle_minutes),
        lasts=timedelta(hours=settings.session_hours),
        request_id=context.request_id(),
    )


def _me() -> SignedIn:
    signed_in = identity.signed_in()
    assert signed_in is not None  # noqa: S101 - the gate lets only staff reach these views
    return signed_in


def _already_in() -> SignedIn | None:
    """Look who is signed in, on a page that is open to everybody and so has not asked yet."""
    return identity.signed_in() if current_user.is_authenticated else None


def _posted_language() -> str:
    language = request.form.get("language", "")
    if language not in languages.LANGUAGES:
        raise Invalid(_("Select a language"), field="language")
    return language


def _sign_in_page(errors: list[Problem] | None = None, *, email: str = "", target: str = "") -> str:
    found = errors or []
    return render_template(
        "account/sign_in.html",
        errors=found,
        wrong=fields.wrong(found),
        email=email[:254],
        target=safe_path(target),
    )


def _denied(denied: Denied, *, email: str, target: str) -> ResponseReturnValue:
    """Answer alike whether the account exists, is closed, or has another password."""
    if denied is Denied.TOO_MANY:
        return _sign_in_page([Problem("email", _too_many())], email=email, target=target), 429
    text = _("Email address and password do not match")
    return _sign_in_page([Problem("password", text)], email=email, target=target), 422


def _too_many() -> str:
    return str(_("There were too many tries. Wait 5 minutes, then try again"))


def _ask_password(purpose: LinkPurpose, token: str, problem: Problem | None = None) -> ResponseReturnValue:
    owner = _owner(purpose, token)
    if owner is None:
        return render_template("account/link_gone.html"), 404
    found = [problem] if problem else []
    page = render_template(
        "account/choose_password.html",
        owner=owner,
        is_invitation=purpose is LinkPurpose.INVITE,
        shortest=passwords.SHORTEST,
        errors=found,
        wrong=fields.wrong(found),
    )
    return page, 422 if found else 200


def _take_password(purpose: LinkPurpose, token: str) -> ResponseReturnValue:
    owner, password = _owner(purpose, token), request.form.get("password", "")
    if owner is None:
        return render_template("account/link_gone.html"), 404
    problem = _password_problem(password, about=(owner.name, owner.email))
    if problem is not None:
        return _ask_password(purpose, token, problem)
    stored = passwords.hash_password(password)
    reason = "account:accept" if purpose is LinkPurpose.INVITE else "account:reset"
    with context.transaction(reason=reason, by=f"account:{owner.account_id}") as session:
        service.accept(session, token, purpose=purpose, password_hash=stored, at=context.now())
    _leave("another account opened")
    flash("password_set")
    return redirect(url_for("account.sign_in"), 303)


def _owner(purpose: LinkPurpose, token: str) -> LinkOwner | None:
    with context.reading() as session:
        return queries.link_owner(session, token, purpose=purpose, at=context.now())


def _password_problem(password: str, *, about: tuple[str, ...]) -> Problem | None:
    words = {
        Weakness.SHORT: _("Use at least %(number)s characters", number=passwords.SHORTEST),
        Weakness.LONG: _("Use at most %(number)s characters", number=passwords.LONGEST),
        Weakness.GUESSABLE: _(
            "This is easy to guess: it is made of common words, names, dates or patterns. "
            "Add words that nobody would expect together"
        ),
    }
    found = passwords.weakness(password, about=(*about, context.settings().operator_name))
    return None if found is None else Problem("password", words[found])


def _own_page(errors: list[Problem] | None = None) -> str:
    mine, found = _me(), errors or []
    with context.reading() as session:
        member = queries.member(session, mine.account_id)
        held = queries.held(session, mine.account_id)
        browsers = queries.browsers(session, idle=client().idle, at=context.now(), account_id=mine.account_id)
    return render_template(
        "account/me.html",
        member=member,
        held=held,
        preferences=mine,
        all_languages=languages.LANGUAGES,
        sessions=session_rows(browsers, own=mine.session_id),
        shortest=passwords.SHORTEST,
        errors=found,
        wrong=fields.wrong(found),
    )


def _leave(reason: str) -> None:
    """End this browser's session, if it has one, and forget its cookie."""
    signed_in = _already_in()
    if signed_in is not None:
        with context.transaction(reason="account:sign_out") as session:
            sessions.end(session, signed_in.session_id, reason=reason, at=context.now())
    identity.forget()
    for name in ("account_id", "signed_in"):
        g.pop(name, None)


def _with_preferences(response: Response, signed_in: SignedIn) -> Response:
    """Bring the account's own look to this browser; "as the system" keeps what the browser has."""
    if signed_in.theme != "auto":
        _remember_theme(response, signed_in.theme)
    _remember_shortcuts(response, on=signed_in.shortcuts)
    return response


def _remember_theme(response: Response, theme: str) -> None:
    if theme == "auto":
        response.delete_cookie("theme", path="/", samesite="Lax", secure=context.settings().secure)
    else:
        _remember(response, "theme", theme)


def _remember_shortcuts(response: Response, *, on: bool) -> None:
    _remember(response, "shortcuts", "on" if on else "off")


def _remember(response: Response, name: str, value: str) -> None:
    """Set a cookie that pages' scripts change too, so it is not hidden from them."""
    response.set_cookie(
        name, value, max_age=_COOKIE_LASTS, path="/", samesite="Lax", secure=context.settings().secure
    )
