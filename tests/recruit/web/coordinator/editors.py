"""The rule editor of one criterion, in the browser of a coordinator."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from recruit.db import Database
from recruit.studies import versions
from recruit.studies.models import ProtocolVersion
from screening.language.criteria import Node
from screening.language.notation import parse_rule, write_rule
from screening.language.protocol import read_protocol

TEXT = "Adults who can take part"


@dataclass
class Editor:
    """One criterion of a draft that is still text, in the browser of a coordinator."""

    browser: FlaskClient
    database: Database
    version_id: UUID
    criterion_id: str

    @property
    def url(self) -> str:
        """The editor's page."""
        return f"/staff/protocol-versions/{self.version_id}/criteria/{self.criterion_id}/rule"

    def rule(self, tree: str = "rule") -> Node | None:
        """Give the rule as it is stored."""
        with self.database.reading() as session:
            row = session.get_one(ProtocolVersion, self.version_id)
            found = next(c for c in read_protocol(row.document).criteria if c.id == self.criterion_id)
        return found.unless if tree == "unless" else found.rule

    def notation(self, tree: str = "rule") -> str:
        """Give the rule in the notation."""
        rule = self.rule(tree)
        return "" if rule is None else write_rule(rule)

    def seen(self) -> str:
        """Give the version that the page was made from."""
        found = re.search(r'name="seen" value="(\d+)"', self.browser.get(self.url).text)
        assert found is not None
        return found[1]

    def say(
        self,
        fact: str,
        fields: Mapping[str, object] | None = None,
        *,
        at: str = "",
        how: str = "put",
        tree: str = "rule",
        **more: object,
    ) -> TestResponse:
        """Send the form of a part."""
        place = {"tree": tree, "at": at, "how": how, "fact": fact}
        return self.browser.post(f"{self.url}/part", data={**place, **(fields or {}), **more})

    def step(self, name: str, at: str = "", **fields: object) -> TestResponse:
        """Press one of the buttons of a part."""
        return self.browser.post(self.url, data={"step": name, "at": at, "tree": "rule", **fields})

    def write(self, notation: str) -> None:
        """Store a rule, as if it had been built before."""
        with self.database.transaction(actor="test") as session:
            rule = parse_rule(notation) if notation else None
            versions.save_criterion(session, self.version_id, self.criterion_id, {"rule": rule})
