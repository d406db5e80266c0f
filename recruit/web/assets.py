"""Static files with their content's fingerprint in the address, cached for a year."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, current_app, request, url_for


def install(app: Flask) -> None:
    """Offer ``static_url()`` to templates and let browsers keep fingerprinted files."""
    app.jinja_env.globals["static_url"] = static_url

    @app.after_request
    def cache(response: Response) -> Response:
        if request.endpoint == "static" and response.status_code == 304:
            response.close()  # nobody reads a file that the browser has already
        if request.endpoint == "static" and "v" in request.args and response.status_code == 200:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def static_url(path: str) -> str:
    """Give the address of a static file, different for every content."""
    return url_for("static", filename=path, v=_fingerprint(str(current_app.static_folder), path))


@lru_cache(maxsize=256)
def _fingerprint(folder: str, path: str) -> str:
    return hashlib.sha256((Path(folder) / path).read_bytes()).hexdigest()[:12]
