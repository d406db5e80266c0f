from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from recruit.errors import Conflict, Invalid, Refused
from recruit.studies import places, queries
from recruit.studies.calendar import Span
from recruit.studies.models import SitePersonRole
from recruit.studies.places import SiteDetails, StudySiteDetails
from tests.factories import make_site, make_study

NOON = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)
PI = SitePersonRole.PRINCIPAL_INVESTIGATOR


class TestSites:
    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"name": ""}, "name"),
            ({"zone": "Mars/Olympus"}, "zone"),
            ({"zone": "../etc/passwd"}, "zone"),
            ({"country": "usa"}, "country"),
            ({"languages": ("<b>",)}, "languages"),
            ({"latitude": 91.0}, "latitude"),
            ({"latitude": float("nan")}, "latitude"),
            ({"postcode": "1" * 13}, "postcode"),
        ],
    )
    def test_names_the_field_that_is_wrong(
        self, session: Session, change: dict[str, object], field: str
    ) -> None:
        details = replace(SiteDetails(name="Harbor", zone="America/New_York"), **change)  # type: ignore[arg-type]

        with pytest.raises(Invalid) as refused:
            places.create_site(session, details, at=NOON)

        assert refused.value.field == field

    def test_replaces_hours_with_a_break_and_closed_days(self, session: Session) -> None:
        site = make_site(session)

        places.set_hours(session, site.id, [Span(0, time(13), time(17)), Span(0, time(8), time(12))])
        places.set_closed_days(session, site.id, {date(2026, 12, 25): "Christmas"})

        hours, closed = queries.hours_of(session, site.id)
        assert [(row.weekday, row.opens, row.closes) for row in hours] == [
            (0, time(8), time(12)),
            (0, time(13), time(17)),
        ]
        assert closed == {date(2026, 12, 25)}

    @pytest.mark.parametrize(
        "spans",
        [
            [Span(0, time(9), time(9))],
            [Span(0, time(9), time(8))],
            [Span(0, time(9), time(13)), Span(0, time(12), time(17))],
        ],
    )
    def test_refuses_hours_that_contradict_themselves(self, session: Session, spans: list[Span]) -> None:
        site = make_site(session)

        with pytest.raises(Invalid):
            places.set_hours(session, site.id, spans)


class TestStudySites:
    def test_puts_a_site_into_a_study_once(self, session: Session) -> None:
        study, site = make_study(session), make_site(session)
        places.add_site(session, study.id, site.id, at=NOON)

        with pytest.raises(Refused, match="already"):
            places.add_site(session, study.id, site.id, at=NOON)

    @pytest.mark.parametrize(
        ("details", "field"),
        [
            (StudySiteDetails(weekly_calls=-1), "weekly_calls"),
            (StudySiteDetails(weekly_visits=10**7), "weekly_visits"),
            (StudySiteDetails(target=0), "target"),
            (StudySiteDetails(reimbursed_screen_fail_ratio=Decimal("NaN")), "reimbursed_screen_fail_ratio"),
            (StudySiteDetails(approval_expires_on=date(2026, 1, 1)), "approval_expires_on"),
            (
                StudySiteDetails(approved_on=date(2026, 2, 1), approval_expires_on=date(2026, 1, 1)),
                "approval_expires_on",
            ),
            (StudySiteDetails(study_phone="1" * 33), "study_phone"),
        ],
    )
    def test_names_the_field_that_is_wrong(
        self, session: Session, details: StudySiteDetails, field: str
    ) -> None:
        study_site = places.add_site(session, make_study(session).id, make_site(session).id, at=NOON)

        with pytest.raises(Invalid) as refused:
            places.save_study_site(session, study_site.id, details)

        assert refused.value.field == field

    def test_refuses_a_change_made_on_an_older_copy(self, session: Session) -> None:
        study_site = places.add_site(session, make_study(session).id, make_site(session).id, at=NOON)
        seen = study_site.version
        places.save_study_site(session, study_site.id, StudySiteDetails(target=5), seen=seen)

        with pytest.raises(Conflict):
            places.save_study_site(session, study_site.id, StudySiteDetails(target=6), seen=seen)

        assert study_site.target == 5


class TestPeople:
    def test_has_one_principal_investigator_at_a_time(self, session: Session) -> None:
        study_site = places.add_site(session, make_study(session).id, make_site(session).id, at=NOON)
        first = places.add_person(session, study_site.id, PI, "Dr. Okafor", from_day=date(2026, 1, 5))

        with pytest.raises(Refused, match="principal investigator"):
            places.add_person(session, study_site.id, PI, "Dr. Reyes")
        places.end_person(session, first.id, on=date(2026, 11, 18))
        second = places.add_person(session, study_site.id, PI, "Dr. Reyes", tasks=("consent", "eligibility"))

        assert second.tasks == ["eligibility", "consent"]

    def test_refuses_a_task_that_is_not_in_the_list(self, session: Session) -> None:
        study_site = places.add_site(session, make_study(session).id, make_site(session).id, at=NOON)

        with pytest.raises(Invalid) as refused:
            places.add_person(session, study_site.id, PI, "Dr. Okafor", tasks=("coffee",))

        assert refused.value.field == "tasks"

    def test_ends_nobody_before_they_began(self, session: Session) -> None:
        study_site = places.add_site(session, make_study(session).id, make_site(session).id, at=NOON)
        person = places.add_person(session, study_site.id, PI, "Dr. Okafor", from_day=date(2026, 5, 1))

        with pytest.raises(Invalid):
            places.end_person(session, person.id, on=date(2026, 4, 30))
