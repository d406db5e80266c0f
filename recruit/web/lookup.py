"""Suggestions while somebody types the name of a condition or medicine.

The words come in the body, so that no log of addresses keeps them, and nothing is stored.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from recruit.web.guards import PUBLIC, allow
from screening.finding.directory import packaged_directory
from screening.finding.nameindex import LONGEST_QUERY
from screening.vocabulary import About

bp = Blueprint("lookup", __name__, url_prefix="/<any(en, es):language>")
_KINDS: Final = {"condition": About.CONDITION, "medicine": About.MEDICINE}


@bp.post("/lookup")
@allow(PUBLIC)
def suggest(language: str) -> ResponseReturnValue:
    """Give what the words may mean, best first, eight at most."""
    asked = request.get_json(silent=True)
    about = asked.get("about") if isinstance(asked, dict) else None
    words = asked.get("words") if isinstance(asked, dict) else None
    if not isinstance(about, str) or about not in _KINDS or not isinstance(words, str):
        return jsonify(found=[]), 422
    found = packaged_directory(_KINDS[about]).suggest(words[:LONGEST_QUERY], language)
    return jsonify(found=[{"meant": f"{one.entry.code.code}|{one.label}", "label": one.label} for one in found])
