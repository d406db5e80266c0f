"""Headers on every answer, limits on every request."""

from __future__ import annotations

from flask import Flask, Response, request
from flask_login import current_user

from recruit.settings import Settings
from recruit.web.guards import Audience, files_of, rule_of

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), interest-cohort=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_FORM_AROUND_FILES = 1024 * 1024
_HSTS = "max-age=31536000; includeSubDomains"


def install(app: Flask, settings: Settings) -> None:
    """Set limits before and headers after every request."""
    # over https Flask-WTF would ask for a Referer, which our own Referrer-Policy keeps browsers from sending
    app.config["WTF_CSRF_SSL_STRICT"] = False

    @app.before_request
    def limit_body() -> None:
        endpoint = request.endpoint
        rule = rule_of(app, endpoint) if endpoint else None
        signed_in = rule is not None and rule.is_staff and current_user.is_authenticated
        limit = settings.staff_body_limit if signed_in else settings.public_body_limit
        files = files_of(app, endpoint) if endpoint and signed_in else 0
        request.max_content_length = files * limit + _FORM_AROUND_FILES if files else limit
        request.max_form_memory_size = limit
        request.max_form_parts = 2000 if signed_in else 300

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if settings.secure:
            response.headers["Strict-Transport-Security"] = _HSTS
        if request.endpoint != "static":
            response.headers.setdefault("Cache-Control", "no-store")
        return response


def is_public(app: Flask) -> bool:
    """Say whether this request is for a page that anybody can open."""
    rule = rule_of(app, request.endpoint) if request.endpoint else None
    return rule is None or rule.audience is Audience.PUBLIC


def is_machine(app: Flask) -> bool:
    """Say whether this request comes from a provider, which signs it instead."""
    rule = rule_of(app, request.endpoint) if request.endpoint else None
    return rule is not None and rule.audience is Audience.MACHINE
