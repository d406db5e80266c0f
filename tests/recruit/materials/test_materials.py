from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from recruit.db import Database
from recruit.errors import Conflict, Invalid, NotFound, NotPermitted, Refused
from recruit.keys import vault_of
from recruit.materials import approvals, documents, queries, service
from recruit.materials.approvals import Decision
from recruit.materials.models import (
    Determination,
    MaterialKind,
    MaterialState,
    MaterialVersion,
    StoredDocument,
)
from recruit.materials.states import MOVES, NEED_APPROVAL
from recruit.studies import editing, versions
from recruit.studies.models import Study
from screening.asking.questionnaire import Document
from screening.texts import Respondent
from tests.factories import make_open_study, make_site, make_study, make_study_site

NOON = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)
TODAY = NOON.date()
S = MaterialState


def _decision(**change: object) -> Decision:
    values: dict[str, object] = {
        "irb_name": "Central IRB",
        "submission_number": "SUB-1",
        "determination": Determination.APPROVED,
        "decided_on": TODAY,
        "valid_from": TODAY,
        "valid_until": TODAY + timedelta(days=30),
        **change,
    }
    return Decision(**values)  # type: ignore[arg-type]


def _submitted(session: Session, study: Study, body: str = "A health study.") -> MaterialVersion:
    material = service.create(session, study.id, MaterialKind.STUDY_PAGE, "Page", at=NOON)
    version = service.write(session, material.id, "en", body, subject="Heading", at=NOON)
    service.move(session, version.id, S.INTERNAL_REVIEW, at=NOON)
    return service.move(session, version.id, S.SUBMITTED, at=NOON)


def _approve(
    session: Session, study: Study, decision: Decision | None = None, sites: Sequence[object] = ()
) -> None:
    tokens = [one.token for one in service.coverable(session, study.id)]
    service.record_approval(
        session,
        study.id,
        decision or _decision(),
        tokens,
        at=NOON,
        study_site_ids=list(sites),  # type: ignore[arg-type]
    )


class TestWords:
    def test_keeps_exact_words_their_hash_and_their_fields(self, session: Session) -> None:
        study = make_study(session)
        material = service.create(session, study.id, MaterialKind.SMS, "Reminder", at=NOON)

        version = service.write(session, material.id, "en", "Hello {given_name}, \r\nsee {link}.", at=NOON)
        next_one = service.write(session, material.id, "en", "Hello.", at=NOON)
        spanish = service.write(session, material.id, "es", "Hola.", at=NOON)

        assert version.body == "Hello {given_name}, \nsee {link}."
        assert version.variables == ["given_name", "link"]
        assert version.sha256 == service.text_hash("", version.body)
        assert [row.number for row in (version, next_one, spanish)] == [1, 2, 1]

    @pytest.mark.parametrize(
        ("kind", "subject", "body", "field"),
        [
            (MaterialKind.SMS, "", " ", "body"),
            (MaterialKind.SMS, "", "a\x00", "body"),
            (MaterialKind.SMS, "", "x" * 20_001, "body"),
            (MaterialKind.EMAIL, "", "Hello", "subject"),
            (MaterialKind.EMAIL, "Two\nlines", "Hello", "subject"),
        ],
    )
    def test_names_the_field_that_is_wrong(
        self, session: Session, kind: MaterialKind, subject: str, body: str, field: str
    ) -> None:
        material = service.create(session, make_study(session).id, kind, "x", at=NOON)

        with pytest.raises(Invalid) as refused:
            service.write(session, material.id, "en", body, subject=subject, at=NOON)

        assert refused.value.field == field

    def test_what_was_submitted_does_not_change_not_even_in_sql(self, database: Database) -> None:
        with database.transaction(actor="test") as session:
            version = _submitted(session, make_study(session))
            with pytest.raises(Refused, match="does not change"):
                service.rewrite(session, version.id, "Other words")

        with pytest.raises(DBAPIError), database.transaction(actor="test") as session:
            session.execute(sa.update(MaterialVersion).values(body="Other words"))

    def test_refuses_a_change_made_on_an_older_copy(self, session: Session) -> None:
        material = service.create(session, make_study(session).id, MaterialKind.SMS, "x", at=NOON)
        version = service.write(session, material.id, "en", "One", at=NOON)
        seen = version.version
        service.rewrite(session, version.id, "Two", seen=seen)

        with pytest.raises(Conflict):
            service.rewrite(session, version.id, "Three", seen=seen)


class TestStates:
    def test_moves_only_as_the_table_permits(self, session: Session) -> None:
        study = make_study(session)
        version = _submitted(session, study)
        _approve(session, study)

        moved = set()
        for state, target in product(S, S):
            session.execute(sa.update(MaterialVersion).values(state=state))
            session.expire(version)
            try:
                service.move(session, version.id, target, at=NOON)
            except NotPermitted:
                continue
            moved.add((state, target))

        assert moved == {(state, target) for state in S for target in MOVES[state]}

    @pytest.mark.parametrize("target", sorted(NEED_APPROVAL))
    def test_needs_an_approval_of_the_exact_words(self, session: Session, target: MaterialState) -> None:
        version = _submitted(session, make_study(session))
        version.state = S.SUPERSEDED if target is S.IN_USE else S.SUBMITTED
        session.flush()

        with pytest.raises(Refused, match="approval"):
            service.move(session, version.id, target, at=NOON)

    def test_using_one_supersedes_the_one_before_in_the_same_language(self, session: Session) -> None:
        study = make_study(session)
        first = _submitted(session, study)
        _approve(session, study)
        service.move(session, first.id, S.IN_USE, at=NOON)
        second = service.write(session, first.material_id, "en", "Better words.", at=NOON)
        for state in (S.INTERNAL_REVIEW, S.SUBMITTED):
            service.move(session, second.id, state, at=NOON)
        _approve(session, study, _decision(submission_number="SUB-2"))

        service.move(session, second.id, S.IN_USE, at=NOON)

        assert (first.state, second.state) == (S.SUPERSEDED, S.IN_USE)
        found = queries.in_use(session, study.id, MaterialKind.STUDY_PAGE, "en", on=TODAY)
        assert found is not None
        assert found.id == second.id

    def test_expires_with_its_approval_and_comes_back_with_a_new_one(self, session: Session) -> None:
        study = make_study(session)
        version = _submitted(session, study)
        _approve(session, study)
        service.move(session, version.id, S.IN_USE, at=NOON)
        later = NOON + timedelta(days=31)

        assert service.expire_due(session, at=NOON) == 0
        assert service.expire_due(session, at=later) == 1
        expired = version.state
        tokens = [one.token for one in service.coverable(session, study.id)]
        renewed = _decision(
            submission_number="SUB-2", valid_until=None, valid_from=later.date(), decided_on=later.date()
        )
        service.record_approval(session, study.id, renewed, tokens, at=later)

        assert expired is S.EXPIRED
        assert version.state.value == "approved"


class TestApprovals:
    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"irb_name": " "}, "submission_number"),
            ({"submission_number": ""}, "submission_number"),
            ({"valid_until": TODAY - timedelta(days=1)}, "valid_until"),
            ({"determination": Determination.NOT_REQUIRED}, "basis"),
        ],
    )
    def test_names_the_field_that_is_wrong(
        self, session: Session, change: dict[str, object], field: str
    ) -> None:
        study = make_study(session)
        _submitted(session, study)

        with pytest.raises(Invalid) as refused:
            _approve(session, study, _decision(**change))

        assert refused.value.field == field

    def test_covers_something(self, session: Session) -> None:
        with pytest.raises(Invalid) as refused:
            service.record_approval(session, make_study(session).id, _decision(), [], at=NOON)

        assert refused.value.field == "covered"

    def test_is_shown_only_while_live_and_only_where_it_counts(self, session: Session) -> None:
        study = make_study(session)
        here, there = (make_study_site(session, study, make_site(session)) for _ in range(2))
        version = _submitted(session, study)
        _approve(session, study, sites=[here.id])
        service.move(session, version.id, S.IN_USE, at=NOON)

        def shown(on: date, place: object = here.id) -> bool:
            return queries.is_approved(session, version, on=on, study_site_id=place)  # type: ignore[arg-type]

        assert shown(TODAY)
        assert shown(TODAY + timedelta(days=30))
        assert not shown(TODAY - timedelta(days=1))
        assert not shown(TODAY + timedelta(days=31))
        assert not shown(TODAY, there.id)
        assert not shown(TODAY, None)
        for approval in queries.approvals_of(session, study.id):
            approvals.withdraw(session, approval.id, at=NOON)
        session.flush()
        assert not shown(TODAY)

    def test_a_page_shown_before_a_change_approves_nothing(self, session: Session) -> None:
        made = make_open_study(session)
        draft = versions.draft_questionnaire(
            session, made.study.id, Document.model_validate(made.questionnaire.document), at=NOON
        )
        tokens = [one.token for one in service.coverable(session, made.study.id)]
        words = {"title": {"en": {Respondent.SELF: "Another title"}, "es": {Respondent.SELF: "Otro"}}}
        document = editing.with_page_words(Document.model_validate(draft.document), words)
        versions.save_questionnaire(session, draft.id, document)
        session.flush()

        with pytest.raises(Conflict, match="changed"):
            service.record_approval(session, made.study.id, _decision(), tokens, at=NOON)

    def test_is_limited_to_sites_of_its_own_study(self, session: Session) -> None:
        study, other = make_study(session), make_study(session)
        foreign = make_study_site(session, other, make_site(session))
        _submitted(session, study)

        with pytest.raises(NotFound):
            _approve(session, study, sites=[foreign.id])


class TestAlarms:
    @pytest.mark.parametrize(
        ("days", "within"),
        [(-1, 7), (0, 7), (7, 7), (8, 30), (30, 30), (31, 60), (60, 60), (61, None)],
    )
    def test_sounds_at_60_30_and_7_days(self, days: int, within: int | None) -> None:
        alarm = queries.alarm(TODAY + timedelta(days=days), on=TODAY)

        assert (alarm.within if alarm else None) == within
        assert alarm is None or alarm.is_over == (days < 0)

    def test_never_sounds_where_there_is_no_end(self) -> None:
        assert queries.alarm(None, on=TODAY) is None


class TestDocuments:
    PDF = b"%PDF-1.7\nstamped"

    def test_is_sealed_and_opens_again(self, session: Session) -> None:
        stored = documents.store(session, "C:\\letters\\stamp.pdf", self.PDF, at=NOON)

        document, data = documents.load(session, stored.id)

        assert data == self.PDF
        assert (document.filename, document.media_type) == ("stamp.pdf", "application/pdf")
        sealed = session.scalar(sa.select(StoredDocument.sealed).where(StoredDocument.id == stored.id))
        assert sealed is not None
        assert self.PDF not in sealed

    def test_is_gone_with_its_key(self, session: Session) -> None:
        stored = documents.store(session, "stamp.pdf", self.PDF, at=NOON)

        vault_of(session).destroy_key(stored.id)

        with pytest.raises(Exception, match="erased"):
            documents.load(session, stored.id)

    @pytest.mark.parametrize(
        ("name", "data"),
        [
            ("a.pdf", b""),
            ("a.pdf", b"MZ\x90\x00"),
            ("a.exe", b"%PDF-1.7"),
            ("a.html", b"<script>alert(1)</script>"),
            ("a.pdf", b"%PDF-" + b"x" * (20 * 1024 * 1024)),
        ],
    )
    def test_refuses_what_is_no_document(self, session: Session, name: str, data: bytes) -> None:
        with pytest.raises(Invalid) as refused:
            documents.store(session, name, data, at=NOON)

        assert refused.value.field == "document"

    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ("../../etc/passwd", "passwd"),
            ('a"b\r\nc.pdf', "abc.pdf"),
            ("a\x00\ud800.pdf", "a.pdf"),
            ("", "document"),
            ("...", "document"),
            ("x" * 300 + ".pdf", "x" * 190 + ".pdf"),
        ],
    )
    def test_keeps_a_name_that_harms_nobody(self, given: str, kept: str) -> None:
        assert documents.safe_name(given) == kept
