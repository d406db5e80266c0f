from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from recruit.db import Database
from recruit.errors import Conflict, Incomplete, Invalid, NotFound, Refused
from recruit.studies import editing, publishing, queries, versions
from recruit.studies.models import ProtocolVersion, QuestionnaireVersion, VersionStatus
from screening.asking.questionnaire import Document
from screening.errors import NotationError
from screening.language.criteria import SiteOnly
from screening.language.protocol import Criterion, CriterionKind, Protocol, read_protocol
from tests.factories import AT, approve_everything, make_open_study, make_protocol, make_study

NOON = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)


class TestProtocolVersions:
    @pytest.mark.parametrize("column", ["document", "sha256", "number", "published_at"])
    def test_a_published_version_never_changes_not_even_in_sql(self, database: Database, column: str) -> None:
        with database.transaction(actor="test") as session:
            made = make_open_study(session)
        values: dict[str, object] = {
            "document": {"language": 1},
            "sha256": "x",
            "number": 9,
            "published_at": None,
        }

        with pytest.raises(DBAPIError), database.transaction(actor="test") as session:
            session.execute(
                sa.update(ProtocolVersion)
                .where(ProtocolVersion.id == made.protocol.id)
                .values({column: values[column]})
            )

    def test_refuses_to_edit_a_published_version(self, session: Session) -> None:
        made = make_open_study(session)

        with pytest.raises(Refused, match="never changes"):
            versions.save_criterion(session, made.protocol.id, "c1", {"text": "Another"})

    def test_an_amendment_keeps_lineages_and_leaves_the_old_version_in_force(self, session: Session) -> None:
        made = make_open_study(session)

        draft = versions.revise_protocol(session, made.protocol.id, at=NOON)

        old, new = read_protocol(made.protocol.document), read_protocol(draft.document)
        assert [one.lineage for one in new.criteria] == [one.lineage for one in old.criteria]
        assert queries.open_sites(session, made.study, at=NOON)[0].in_force.protocol.id == made.protocol.id

    def test_refuses_a_change_made_on_an_older_copy(self, session: Session) -> None:
        made = make_open_study(session)
        draft = versions.revise_protocol(session, made.protocol.id, at=NOON)
        seen = draft.version
        versions.save_criterion(session, draft.id, "c1", {"number": "1a"}, seen=seen)
        session.flush()

        with pytest.raises(Conflict):
            versions.save_criterion(session, draft.id, "c1", {"number": "1b"}, seen=seen)

    def test_adds_confirms_and_removes_criteria_of_a_draft(self, session: Session) -> None:
        study = make_study(session)
        draft = versions.draft_protocol(session, study.id, Protocol(), at=NOON)

        versions.add_criterion(session, draft.id, kind=CriterionKind.EXCLUSION, text=" Stroke ", number="4")
        added = read_protocol(draft.document).criteria[0]
        assert publishing.still_text(read_protocol(draft.document)) == (added,)
        versions.save_criterion(session, draft.id, added.id, {"rule": SiteOnly(text=added.text)})
        assert publishing.still_text(read_protocol(draft.document)) == ()
        versions.remove_criterion(session, draft.id, added.id)

        assert read_protocol(draft.document).criteria == ()
        assert draft.sha256 == Protocol().digest

    def test_lifts_the_children_of_a_removed_criterion(self, session: Session) -> None:
        study = make_study(session)
        texts = Protocol(
            criteria=(
                Criterion(id="a", kind=CriterionKind.INCLUSION, text="All of"),
                Criterion(id="b", parent="a", kind=CriterionKind.INCLUSION, text="This"),
            )
        )
        draft = versions.draft_protocol(session, study.id, texts, at=NOON)

        versions.remove_criterion(session, draft.id, "a")

        assert [(one.id, one.parent) for one in read_protocol(draft.document).criteria] == [("b", None)]

    def test_refuses_changes_that_do_not_go_together(self, session: Session) -> None:
        made = make_open_study(session)
        draft = versions.revise_protocol(session, made.protocol.id, at=NOON)

        with pytest.raises(Invalid, match="cohort"):
            versions.save_criterion(session, draft.id, "c1", {"cohorts": ("nobody",)})

    def test_publishes_nothing_without_criteria(self, session: Session) -> None:
        draft = versions.draft_protocol(session, make_study(session).id, Protocol(), at=NOON)

        with pytest.raises(Incomplete) as refused:
            versions.publish_protocol(session, draft.id, at=NOON)

        assert [str(gap) for gap in refused.value.missing] == ["The protocol has no criteria."]

    def test_says_where_a_rule_slips_and_what_may_have_been_meant(self, session: Session) -> None:
        study = make_study(session)

        with pytest.raises(NotationError) as slip:
            versions.read_rule(session, study.id, "age between 18 and 75 years\nand pregnent is yes")

        assert (slip.value.line, slip.value.column, slip.value.suggestion) == (2, 5, "pregnant")

    def test_finds_no_criterion_that_is_not_there(self, session: Session) -> None:
        made = make_open_study(session)
        draft = versions.revise_protocol(session, made.protocol.id, at=NOON)

        with pytest.raises(NotFound):
            versions.save_criterion(session, draft.id, "nobody", {"text": "x"})


class TestQuestionnaireVersions:
    def test_names_what_keeps_a_draft_from_being_published(self, session: Session) -> None:
        made = make_open_study(session)
        document = editing.without_item(Document.model_validate(made.questionnaire.document), "pregnant")
        draft = versions.draft_questionnaire(session, made.study.id, document, at=NOON)

        with pytest.raises(Incomplete) as refused:
            versions.publish_questionnaire(session, draft.id, at=NOON)

        assert [str(gap) for gap in refused.value.missing] == [
            "The protocol needs pregnant, which a participant knows, but no question asks it."
        ]

    def test_names_a_language_that_is_missing(self, session: Session) -> None:
        made = make_open_study(session)
        document = editing.with_languages(
            Document.model_validate(made.questionnaire.document), ("en", "es", "vi")
        )
        draft = versions.draft_questionnaire(session, made.study.id, document, at=NOON)

        gaps = [str(gap) for gap in versions.questionnaire_gaps(session, draft)]

        assert "birth: text is missing in vi (about: self)." in gaps

    def test_a_published_version_never_changes_not_even_in_sql(self, database: Database) -> None:
        with database.transaction(actor="test") as session:
            made = make_open_study(session)

        with pytest.raises(DBAPIError), database.transaction(actor="test") as session:
            session.execute(
                sa.update(QuestionnaireVersion)
                .where(QuestionnaireVersion.id == made.questionnaire.id)
                .values(document={})
            )


class TestPutInForce:
    def test_needs_published_versions_of_this_study(self, session: Session) -> None:
        made, other = make_open_study(session), make_open_study(session)
        draft = versions.revise_protocol(session, made.protocol.id, at=NOON)

        for protocol_id, said in ((draft.id, "published"), (other.protocol.id, "another study")):
            with pytest.raises(Refused, match=said):
                versions.put_in_force(
                    session,
                    made.study_site.id,
                    protocol_version_id=protocol_id,
                    questionnaire_version_id=made.questionnaire.id,
                    effective_from=date(2026, 12, 1),
                    at=NOON,
                )

    def test_needs_an_approval_of_the_criteria_and_of_every_language_on_that_day(
        self, session: Session
    ) -> None:
        made = make_open_study(session)
        newer = make_protocol(session, made.study, [("inclusion", "Adults", "age >= 18 years")], at=NOON)

        def put(effective_from: date, protocol: ProtocolVersion) -> None:
            versions.put_in_force(
                session,
                made.study_site.id,
                protocol_version_id=protocol.id,
                questionnaire_version_id=made.questionnaire.id,
                effective_from=effective_from,
                at=NOON,
            )

        with pytest.raises(Refused, match="protocol version"):
            put(date(2026, 12, 1), newer)
        with pytest.raises(Refused, match="protocol version"):
            put(date(2028, 1, 1), made.protocol)
        approve_everything(session, made.study, at=NOON)
        put(date(2026, 12, 1), newer)

        now = queries.in_force(session, made.study_site.id, on=date(2026, 11, 30))
        then = queries.in_force(session, made.study_site.id, on=date(2026, 12, 1))
        assert now is not None
        assert then is not None
        assert (now.protocol.id, then.protocol.id) == (made.protocol.id, newer.id)

    def test_never_rewrites_a_day_that_people_were_assessed_on(self, session: Session) -> None:
        made = make_open_study(session)

        with pytest.raises(Refused, match="later day"):
            versions.put_in_force(
                session,
                made.study_site.id,
                protocol_version_id=made.protocol.id,
                questionnaire_version_id=made.questionnaire.id,
                effective_from=AT.date(),
                at=AT + timedelta(days=3),
            )

    def test_nothing_is_in_force_before_the_first_day(self, session: Session) -> None:
        made = make_open_study(session)

        assert queries.in_force(session, made.study_site.id, on=AT.date() - timedelta(days=1)) is None
        assert made.protocol.status is VersionStatus.PUBLISHED
