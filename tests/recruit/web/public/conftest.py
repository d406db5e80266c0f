"""An open study and somebody who comes across it."""

from __future__ import annotations

import pytest
from flask import Flask

from recruit import context
from recruit.contact.notices import CodeNeeded
from recruit.db import Database
from tests.factories import OpenStudy
from tests.recruit.web.public.visitor import Visitor, open_study


@pytest.fixture
def study(database: Database) -> OpenStudy:
    """Give an open study that allows the registry."""
    return open_study(database, registry_allowed=True)


@pytest.fixture
def ana(app: Flask, study: OpenStudy) -> Visitor:
    """Give somebody who reads English."""
    return Visitor(app.test_client(), study.study.slug)


@pytest.fixture
def luz(app: Flask, study: OpenStudy) -> Visitor:
    """Give somebody who reads Spanish."""
    return Visitor(app.test_client(), study.study.slug, language="es")


@pytest.fixture
def codes(app: Flask) -> list[str]:
    """Collect the codes that are sent to prove an address, newest last."""
    sent: list[str] = []
    context.of(app).database.subscribe(CodeNeeded, lambda _session, notice: sent.append(notice.code))
    return sent
