"""A criterion that is still text, open in the rule editor."""

from __future__ import annotations

import pytest
from flask import Flask

from recruit.accounts.models import Role
from recruit.db import Database
from recruit.studies import versions
from screening.language.protocol import CriterionKind, read_protocol
from tests.browsing import signed_in
from tests.conftest import NOON
from tests.factories import AT, make_account, make_open_study
from tests.recruit.web.coordinator.editors import TEXT, Editor


@pytest.fixture
def editor(app: Flask, database: Database) -> Editor:
    """Give the editor of a criterion that is still text."""
    with database.transaction(actor="test") as session:
        made = make_open_study(session)
        draft = versions.revise_protocol(session, made.protocol.id, at=AT)
        versions.add_criterion(session, draft.id, kind=CriterionKind.INCLUSION, text=TEXT)
        criterion_id = read_protocol(draft.document).criteria[-1].id
        account = make_account(session, Role.COORDINATOR)
    return Editor(signed_in(app, account, at=NOON), database, draft.id, criterion_id)
