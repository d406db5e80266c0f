"""What keeps a draft of the criteria from being published: every reason at once, each a value."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from recruit.errors import Incomplete
from recruit.studies import activation, editing, publishing, versions
from recruit.studies.models import ProtocolVersion, Study, StudySiteStatus, VersionStatus
from recruit.studies.publishing import ReasonCode
from recruit.vocabulary import terms, vocabulary_of
from screening.asking.questionnaire import Document
from screening.language.notation import parse
from tests.factories import OpenStudy, approve_everything, make_open_study, make_study, publish_criteria

NOON = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)
TODAY = NOON.date()
RULES = (
    ("inclusion", "Adults", "age >= 18 years"),
    ("exclusion", "Vapes", "vaping is yes"),
    ("inclusion", "A kidney that works", "egfr >= 60 mL/min/{1.73_m2}"),
)


def drafted(session: Session, study: Study, *rules: str, cohorts: str = "") -> ProtocolVersion:
    """Draft criteria, numbered in their order."""
    lines = (
        f'{kind} c{place} number "{place}" text "as written" {rest}'
        for place, (kind, _, rest) in enumerate((rule.partition(" ") for rule in rules), start=1)
    )
    text = "\n".join(["language 1", cohorts, *lines])
    protocol = parse(text, vocabulary=vocabulary_of(session, study.id), terms=terms())
    return versions.draft_protocol(session, study.id, protocol, at=NOON)


def reasons(session: Session, draft: ProtocolVersion) -> list[tuple[ReasonCode, tuple[str, ...], str]]:
    """List reasons as code, criteria and sentence."""
    found = publishing.reasons_against(session, draft, on=TODAY)
    return [(one.code, one.criteria, str(one.saying())) for one in found]


@pytest.fixture
def opened(session: Session) -> OpenStudy:
    return make_open_study(session, rules=RULES)


class TestQuestions:
    def test_are_drafted_before_the_first_criteria_are_published(self, session: Session) -> None:
        draft = drafted(
            session, make_study(session), "include rule age >= 18 years", "exclude rule vaping is yes"
        )

        assert reasons(session, draft) == [
            (
                ReasonCode.NO_QUESTION,
                (),
                "No questionnaire exists yet, and participants know 2 of the facts that are needed.",
            )
        ]
        assert publish_criteria(session, draft).status is VersionStatus.PUBLISHED

    def test_are_asked_for_each_fact_that_participants_know(self, session: Session, opened: OpenStudy) -> None:
        draft = drafted(
            session,
            opened.study,
            "include rule age >= 18 years",
            "exclude rule pregnant is yes",
            "exclude rule bmi > 40 kg/m2 or pregnant is yes",
            "include rule qtc < 450 ms",
        )

        found = reasons(session, draft)

        assert [(code, criteria) for code, criteria, _ in found] == [
            (ReasonCode.NO_QUESTION, ("c2", "c3")),
            (ReasonCode.NO_QUESTION, ("c3",)),
            (ReasonCode.NO_QUESTION, ("c3",)),
        ]
        assert "No question asks for “Pregnant”" in found[0][2]
        assert "(criteria: 2, 3)" in found[0][2]

    def test_of_what_a_laboratory_has_to_complete_are_nobody_s(
        self, session: Session, opened: OpenStudy
    ) -> None:
        draft = drafted(session, opened.study, "include rule creatinine_clearance >= 60 mL/min")

        assert reasons(session, draft) == []

    def test_have_words_in_every_language_in_use(self, session: Session, opened: OpenStudy) -> None:
        document = editing.with_languages(Document.model_validate(opened.questionnaire.document), ("en", "vi"))
        versions.draft_questionnaire(session, opened.study.id, document, at=NOON)
        draft = drafted(session, opened.study, "exclude rule vaping is yes")

        [(code, criteria, said)] = reasons(session, draft)

        assert (code, criteria) == (ReasonCode.NOT_IN_LANGUAGE, ("c1",))
        assert said.endswith("has no words in vi.")

    def test_name_a_fact_in_the_readers_language(self, session: Session, opened: OpenStudy) -> None:
        draft = drafted(session, opened.study, "exclude rule pregnant is yes")

        [reason] = publishing.reasons_against(session, draft, on=TODAY)

        assert reason.fact is not None
        assert str(reason.saying("es").values["fact"]) == reason.fact.text("label", "es")
        assert reason.saying("es").values["fact"] != reason.saying("en").values["fact"]


class TestProofs:
    @pytest.mark.parametrize(
        ("rules", "code", "criteria", "said"),
        [
            (
                ("include rule age >= 18 years", "include rule age < 216 months"),
                ReasonCode.CONTRADICTION,
                ("c1", "c2"),
                "Criteria 1, 2 exclude one another: nobody can pass all of them.",
            ),
            (
                ("include rule age >= 18 years", "include rule vaping is yes and vaping is no"),
                ReasonCode.NOBODY,
                ("c2",),
                "Criterion 2 lets nobody pass: what it asks for cannot be.",
            ),
        ],
    )
    def test_keep_criteria_from_being_published(
        self,
        session: Session,
        opened: OpenStudy,
        rules: tuple[str, ...],
        code: ReasonCode,
        criteria: tuple[str, ...],
        said: str,
    ) -> None:
        draft = drafted(session, opened.study, *rules)

        assert reasons(session, draft) == [(code, criteria, said)]
        with pytest.raises(Incomplete) as refused:
            versions.publish_protocol(session, draft.id, at=NOON)
        assert [str(one) for one in refused.value.missing] == [said]
        assert draft.status is VersionStatus.DRAFT

    def test_of_one_cohort_refuse_too_and_name_it(self, session: Session, opened: OpenStudy) -> None:
        draft = drafted(
            session,
            opened.study,
            "include rule vaping is no",
            "include cohorts A rule vaping is yes",
            "include cohorts B rule age >= 18 years",
            cohorts='cohort A "Smokers"\ncohort B "All"',
        )

        [(code, criteria, said)] = reasons(session, draft)

        assert (code, criteria) == (ReasonCode.CONTRADICTION, ("c1", "c2"))
        assert said.startswith("Cohort A: ")

    def test_stand_beside_what_is_not_asked(self, session: Session, opened: OpenStudy) -> None:
        draft = drafted(session, opened.study, "include rule pregnant is yes", "exclude rule pregnant is yes")

        codes = [code for code, _, _ in reasons(session, draft)]

        assert codes == [ReasonCode.CONTRADICTION, ReasonCode.NO_QUESTION]

    def test_wait_for_rules_that_can_be_read(self, session: Session, opened: OpenStudy) -> None:
        draft = drafted(session, opened.study, "include rule any of ()", "include rule age < 0 years")

        assert [code for code, _, _ in reasons(session, draft)] == [ReasonCode.RULE]


class TestReadiness:
    def test_warns_of_criteria_that_everybody_passes(self, session: Session, opened: OpenStudy) -> None:
        draft = drafted(session, opened.study, "include rule vaping is yes or vaping is no")

        ready = publishing.readiness(session, draft, on=TODAY)

        assert ready.reasons == ()
        assert [(one.code, one.criteria) for one in ready.warnings] == [(ReasonCode.EVERYBODY, ("c1",))]

    def test_warns_where_no_made_up_person_passes_and_never_refuses_for_it(
        self, session: Session, opened: OpenStudy
    ) -> None:
        draft = drafted(
            session,
            opened.study,
            "include rule egfr >= 60 mL/min/{1.73_m2} decided by laboratory",
            "include rule egfr < 60 mL/min/{1.73_m2}",
        )

        ready = publishing.readiness(session, draft, on=TODAY)

        assert [(one.code, one.criteria) for one in ready.warnings] == [
            (ReasonCode.NOBODY_FOUND, ()),
            (ReasonCode.HARDLY_ANYBODY, ("c1", "c2")),
        ]
        assert str(ready.warnings[0].saying()) == "None of 10,000 made-up people passes."
        assert versions.publish_protocol(session, draft.id, at=NOON).status is VersionStatus.PUBLISHED

    def test_lists_what_is_still_text_and_publishes_it(self, session: Session, opened: OpenStudy) -> None:
        draft = drafted(
            session,
            opened.study,
            "include",
            'include rule vaping is no and text("Adequate organ function")',
            'include rule site("Adequate veins")',
        )

        ready = publishing.readiness(session, draft, on=TODAY)

        assert ready.reasons == ()
        assert [one.id for one in ready.still_text] == ["c1", "c2"]
        assert versions.publish_protocol(session, draft.id, at=NOON).status is VersionStatus.PUBLISHED


class TestActivation:
    def test_needs_an_approved_question_for_each_fact_that_participants_know(
        self, session: Session, opened: OpenStudy
    ) -> None:
        newer = publish_criteria(
            session,
            drafted(session, opened.study, "include rule age >= 18 years", "exclude rule pregnant is yes"),
            at=NOON,
        )
        approve_everything(session, opened.study, at=NOON)
        versions.put_in_force(
            session,
            opened.study_site.id,
            protocol_version_id=newer.id,
            questionnaire_version_id=opened.questionnaire.id,
            effective_from=TODAY,
            at=NOON,
        )
        activation.set_status(session, opened.study_site.id, StudySiteStatus.PAUSED, at=NOON)

        with pytest.raises(Incomplete) as refused:
            activation.set_status(session, opened.study_site.id, StudySiteStatus.ACTIVATED, at=NOON)

        assert [str(one) for one in refused.value.missing] == [
            "The questionnaire in force has no question for pregnant, which participants know."
        ]
