from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy.orm import Session

from recruit.errors import Conflict, Invalid, NotPermitted, Refused
from recruit.studies import activation, service
from recruit.studies.models import StudySiteStatus, StudyStatus
from recruit.studies.service import StudyDetails, Visits
from recruit.vocabulary import vocabulary_of
from tests.factories import make_open_study

NOON = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)
DETAILS = StudyDetails(
    title="A study of asthma",
    protocol_number="ABC-1",
    nickname="BREATHE",
    neutral_names={"en": "Harbor study", "es": "estudio Faro"},
    visits=Visits(number=6, first_minutes=120, duration="4 months", overnight=True, procedures="Blood"),
    icf_languages=("en", "es"),
    offer_sponsors=("Northwind",),
    budget_minor=125_050,
    recruit_from=date(2026, 1, 1),
)


class TestCreateStudy:
    def test_keeps_everything_and_begins_as_a_draft_with_a_neutral_address(self, session: Session) -> None:
        study = service.create_study(session, DETAILS, at=NOON, identifiers=[("Sponsor", "ABC-1")])

        assert service.details_of(study) == DETAILS
        assert (study.status, study.slug) == (StudyStatus.DRAFT, "harbor-study")

    def test_finds_another_address_for_the_same_name(self, session: Session) -> None:
        first = service.create_study(session, DETAILS, at=NOON)

        second = service.create_study(session, DETAILS, at=NOON)

        assert (first.slug, second.slug) == ("harbor-study", "harbor-study-2")

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"title": " "}, "title"),
            ({"protocol_number": "x" * 81}, "protocol_number"),
            ({"nickname": "a\x00b"}, "nickname"),
            ({"nickname": "a\ud800"}, "nickname"),
            ({"neutral_names": {"es": "x" * 81}}, "neutral_name_es"),
            ({"neutral_names": {"english": "Harbor study"}}, "neutral_names"),
            ({"planned_enrolment": 0}, "planned_enrolment"),
            ({"budget_minor": 10**12}, "budget_minor"),
            ({"recruit_until": date(2025, 1, 1)}, "recruit_until"),
            ({"rescreen_times": 2}, "rescreen_after_days"),
            ({"icf_languages": ("english",)}, "icf_languages"),
            ({"currency": "usd"}, "currency"),
            ({"visits": Visits(number=-1)}, "visits_number"),
            ({"screened_out_days": 0}, "screened_out_days"),
        ],
    )
    def test_names_the_field_that_is_wrong(
        self, session: Session, change: dict[str, object], field: str
    ) -> None:
        details = replace(DETAILS, **change)  # type: ignore[arg-type]

        with pytest.raises(Invalid) as refused:
            service.create_study(session, details, at=NOON)

        assert refused.value.field == field

    def test_refuses_a_registry_number_that_another_study_has(self, session: Session) -> None:
        number = [(service.CLINICALTRIALS_GOV, "NCT01234567")]
        service.create_study(session, DETAILS, at=NOON, identifiers=number)

        with pytest.raises(Refused, match="NCT01234567"):
            service.create_study(session, DETAILS, at=NOON, identifiers=number)

    @pytest.mark.parametrize(
        "value", ["", "NCT1", "nct01234567", "NCT\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667"]
    )
    def test_refuses_what_is_no_registry_number(self, session: Session, value: str) -> None:
        with pytest.raises(Invalid) as refused:
            service.create_study(session, DETAILS, at=NOON, identifiers=[(service.CLINICALTRIALS_GOV, value)])

        assert refused.value.field == "identifiers"


class TestSaveStudy:
    def test_refuses_a_change_made_on_an_older_copy(self, session: Session) -> None:
        study = service.create_study(session, DETAILS, at=NOON)
        seen = study.version
        service.save_study(session, study.id, replace(DETAILS, cro="One"), seen=seen)

        with pytest.raises(Conflict, match="in the meantime"):
            service.save_study(session, study.id, replace(DETAILS, cro="Two"), seen=seen)

        assert study.cro == "One"


class TestSetStatus:
    def test_closes_only_when_no_site_can_still_call(self, session: Session) -> None:
        made = make_open_study(session)

        with pytest.raises(Refused, match="every site"):
            service.set_status(session, made.study.id, StudyStatus.CLOSED, at=NOON)
        activation.set_status(session, made.study_site.id, StudySiteStatus.PAUSED, at=NOON)
        closed = service.set_status(session, made.study.id, StudyStatus.CLOSED, at=NOON)

        assert closed.status is StudyStatus.CLOSED

    def test_takes_a_closure_back_to_where_the_study_stood(self, session: Session) -> None:
        never_open = service.create_study(session, DETAILS, at=NOON)
        service.set_status(session, never_open.id, StudyStatus.CLOSED, at=NOON)

        back = service.set_status(session, never_open.id, StudyStatus.OPEN, at=NOON)

        assert back.status is StudyStatus.DRAFT

    def test_opens_no_draft_by_hand(self, session: Session) -> None:
        study = service.create_study(session, DETAILS, at=NOON)

        with pytest.raises(NotPermitted):
            service.set_status(session, study.id, StudyStatus.OPEN, at=NOON)


class TestCohorts:
    def test_changes_the_cohort_with_the_same_code(self, session: Session) -> None:
        study = service.create_study(session, DETAILS, at=NOON)
        first = service.save_cohort(session, study.id, "A", name="Adults", cap=20)

        again = service.save_cohort(session, study.id, "A", name="Adults", cap=30, is_open=False)

        assert (again.id, again.cap, again.is_open) == (first.id, 30, False)

    @pytest.mark.parametrize(
        ("code", "name", "cap"), [("", "A", 1), ("a b", "A", 1), ("A", "", 1), ("A", "A", 0)]
    )
    def test_refuses_what_makes_no_cohort(self, session: Session, code: str, name: str, cap: int) -> None:
        study = service.create_study(session, DETAILS, at=NOON)

        with pytest.raises(Invalid):
            service.save_cohort(session, study.id, code, name=name, cap=cap)


FLAG: dict[str, object] = {
    "kind": "flag",
    "label": {"en": "Owns a cat", "es": "Tiene un gato"},
    "question": {"en": "Do you own a cat?", "es": "¿Tiene un gato?"},
    "told_by": ["participant"],
}


class TestFactKeys:
    def test_adds_a_fact_to_this_study_alone(self, session: Session) -> None:
        study = service.create_study(session, DETAILS, at=NOON)
        other = service.create_study(session, DETAILS, at=NOON)

        service.add_fact_key(session, study.id, FLAG, name="owns-cat", at=NOON)

        assert "study.owns-cat" in vocabulary_of(session, study.id)
        assert "study.owns-cat" not in vocabulary_of(session, other.id)

    @pytest.mark.parametrize(
        ("name", "document"),
        [
            ("Owns Cat", FLAG),
            ("x", {**FLAG, "kind": "magic"}),
            ("x", {**FLAG, "unit": "kg"}),
            ("x", {**FLAG, "told_by": []}),
            ("x", {**FLAG, "label": {"es": "Gato"}}),
            ("x", {"kind": "choice", "label": {"en": "x"}, "told_by": ["participant"], "choices": []}),
        ],
    )
    def test_refuses_a_description_that_contradicts_itself(
        self, session: Session, name: str, document: dict[str, object]
    ) -> None:
        study = service.create_study(session, DETAILS, at=NOON)

        with pytest.raises(Invalid) as refused:
            service.add_fact_key(session, study.id, document, name=name, at=NOON)

        assert refused.value.field == "name"

    def test_never_changes_a_fact_that_stands(self, session: Session) -> None:
        study = service.create_study(session, DETAILS, at=NOON)
        service.add_fact_key(session, study.id, FLAG, name="cat", at=NOON)

        with pytest.raises(Invalid, match="already"):
            service.add_fact_key(session, study.id, FLAG, name="cat", at=NOON)
