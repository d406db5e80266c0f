"""Studies, sites, criteria, questions, approvals and holds, for coordinators; auditors read along.

The pages live in ``recruit.web.coordinator``, a module for each subject; all hang on one blueprint.
"""

from __future__ import annotations

from recruit.web.coordinator import (
    approvals,
    changes,
    criteria,
    criterion,
    feasibility,
    holds,
    importing,
    items,
    listing,
    materials,
    numbers,
    part,
    questions,
    rule,
    settings,
    sites,
    study,
    study_sites,
)
from recruit.web.coordinator.blueprint import NAVIGATION, bp

__all__ = ["NAVIGATION", "PAGES", "bp"]

PAGES = (
    listing,
    importing,
    study,
    settings,
    criteria,
    criterion,
    rule,
    part,
    changes,
    feasibility,
    questions,
    numbers,
    items,
    materials,
    approvals,
    study_sites,
    sites,
    holds,
)
