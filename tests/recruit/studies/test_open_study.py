from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from recruit.studies import activation, queries
from recruit.studies.models import StudyStatus
from screening.asking.questionnaire import Document
from tests.factories import make_open_study

NOON = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)


class TestMakeOpenStudy:
    def test_takes_people_at_its_site_in_both_languages(self, session: Session) -> None:
        made = make_open_study(session)

        places = queries.open_sites(session, made.study, at=NOON)

        assert [place.site.id for place in places] == [made.site.id]
        assert places[0].languages == ("en", "es")
        assert made.study.status is StudyStatus.OPEN
        assert activation.missing(session, made.study_site, at=NOON) == ()

    def test_asks_what_its_criteria_read_easy_questions_first(self, session: Session) -> None:
        made = make_open_study(session)

        document = Document.model_validate(made.questionnaire.document)

        assert [item.id for item in document.items] == [
            "birth",
            "height",
            "weight",
            "condition_diabetes",
            "condition_heart",
            "condition_heart_heart_attack_last",
            "pregnant",
        ]
