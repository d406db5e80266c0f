"""What the pages of this package need beside what ``recruit.context`` gives them."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app

from campaigns.providers.base import Carriers
from campaigns.wording import Wording

EXTENSION = "campaigns"


@dataclass(frozen=True, slots=True)
class Campaigning:
    """The parts of this package in one running application."""

    wording: Wording
    carriers: Carriers


def campaigning() -> Campaigning:
    """Give the parts that serve this request."""
    parts: Campaigning = current_app.extensions[EXTENSION]
    return parts


def wording() -> Wording:
    """Give the service texts."""
    return campaigning().wording
