"""The funnel as the marketer reads it: a share only where people come to a step by the one before."""

from __future__ import annotations

from flask import Flask

from campaigns.reports.funnel import Funnel, FunnelRow, Stage
from campaigns.web.pages import Step, shown_funnel
from recruit.ids import new_id


def row(*, linked: bool, **counts: int) -> FunnelRow:
    """Make one source with some people at some stages."""
    all_counts = {stage: counts.get(stage.value, 0) for stage in Stage}
    return FunnelRow(new_id() if linked else None, "Clinic", "poster", all_counts, {})


def steps_of(app: Flask, *rows: FunnelRow) -> dict[str, Step]:
    """Show a funnel in English and give its steps by name."""
    total = FunnelRow(None, "", "", {stage: sum(one.counts[stage] for one in rows) for stage in Stage}, {})
    with app.test_request_context("/en/"):
        return {step.label: step for step in shown_funnel(Funnel(rows, total)).steps}


def test_whoever_started_without_a_link_is_no_share_of_the_clicks(app: Flask) -> None:
    steps = steps_of(app, row(linked=True, clicked=10, started=4), row(linked=False, started=6))

    assert steps["Started"] == Step("Started", 10, "6 of these came without a link.", 0.4)


def test_more_people_than_on_the_step_before_are_explained(app: Flask) -> None:
    steps = steps_of(app, row(linked=True, clicked=10, started=9, completed=8, may_fit=4, contact_left=6))

    assert steps["May fit"].share == 0.5
    assert (steps["Contact left"].share, steps["Contact left"].value) == (None, 6)
    assert steps["Contact left"].note.startswith("People who left a way to reach them")
