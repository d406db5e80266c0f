"""The gate before every view: who may call it, and from where.

A view says with ``@allow`` who may call it. A route without a rule stops the application from starting,
so nothing is open by accident.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from flask import Flask, Response, g, redirect, request, url_for
from flask_login import current_user

from recruit import context
from recruit.accounts.models import Role
from recruit.errors import Forbidden, Refused

_F = TypeVar("_F", bound=Callable[..., object])
_MARK = "_allowed"
_FILES = "_takes_files"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Audience(Enum):
    """Who a view is for, apart from roles."""

    PUBLIC = "public"
    ANY_STAFF = "any staff"
    MACHINE = "machine"


PUBLIC, ANY_STAFF, MACHINE = Audience.PUBLIC, Audience.ANY_STAFF, Audience.MACHINE


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may call a view."""

    audience: Audience
    roles: frozenset[Role] = frozenset()

    @property
    def is_staff(self) -> bool:
        """Whether one must be signed in."""
        return self.audience is Audience.ANY_STAFF


def allow(*who: Audience | Role) -> Callable[[_F], _F]:
    """Say who may call a view: ``PUBLIC``, ``MACHINE``, ``ANY_STAFF``, or one or more roles."""
    roles = frozenset(w for w in who if isinstance(w, Role))
    audiences = [w for w in who if isinstance(w, Audience)]
    if len(audiences) + bool(roles) != 1:
        raise ValueError("say one audience or some roles")
    rule = Rule(audiences[0] if audiences else Audience.ANY_STAFF, roles)

    def mark(view: _F) -> _F:
        setattr(view, _MARK, rule)
        return view

    return mark


def takes_files(most: int) -> Callable[[_F], _F]:
    """Say that a view of staff takes files: so many times the body limit, and a little for the form."""

    def mark(view: _F) -> _F:
        setattr(view, _FILES, most)
        return view

    return mark


def files_of(app: Flask, endpoint: str) -> int:
    """Give how many files of the largest size an endpoint takes at once; most take none."""
    return 0 if endpoint == "static" else getattr(app.view_functions[endpoint], _FILES, 0)


def rule_of(app: Flask, endpoint: str) -> Rule | None:
    """Give the rule of an endpoint, or nothing where it has none."""
    if endpoint == "static":
        return Rule(Audience.PUBLIC)
    return getattr(app.view_functions[endpoint], _MARK, None)


def require_rules(app: Flask) -> None:
    """Refuse to start with a route that says nothing about who may call it.

    :raises RuntimeError: naming the routes
    """
    bare = sorted(r.endpoint for r in app.url_map.iter_rules() if rule_of(app, r.endpoint) is None)
    if bare:
        raise RuntimeError(f"these routes do not say who may call them: {', '.join(bare)}")


def install(app: Flask) -> None:
    """Put the gate before every request."""
    app.before_request(check)


def check() -> Response | None:
    """Let a request through, send it to sign in, or refuse it.

    :raises Forbidden: signed in, and without a role that opens this page
    :raises Refused: a public form posted from another site
    """
    if request.endpoint is None:
        return None
    from flask import current_app

    rule = rule_of(current_app, request.endpoint)
    if rule is None:
        raise Forbidden("This page is not open to anybody.")
    if rule.audience is Audience.PUBLIC and request.method not in SAFE:
        _require_same_origin()
    if not rule.is_staff:
        return None
    if not current_user.is_authenticated:
        return _to_sign_in()
    if rule.roles and not rule.roles & g.permits.roles:
        raise Forbidden("Your account does not open this page.")
    return None


def _to_sign_in() -> Response:
    target = request.full_path.rstrip("?") if request.method == "GET" else ""
    where = url_for("account.sign_in", next=target or None)
    return redirect(where, 303)  # type: ignore[return-value]


def _require_same_origin() -> None:
    """Refuse a public post that a page of another site sent; the browser says where it came from."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        raise Refused("This form was sent from another site. Please open our page and try again.")
    origin = request.headers.get("Origin")
    # behind a proxy that does not pass on the host, the address of this request is not the one people see
    ours = (request.host_url.rstrip("/"), context.settings().public_origin)
    if origin not in (None, "null") and origin.rstrip("/") not in ours:
        raise Refused("This form was sent from another site. Please open our page and try again.")
