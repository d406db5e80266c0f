"""The way of a material from draft to use: a table of permitted moves; pure."""

from __future__ import annotations

from recruit.materials.models import MaterialState

S = MaterialState

MOVES: dict[MaterialState, frozenset[MaterialState]] = {
    S.DRAFT: frozenset({S.INTERNAL_REVIEW, S.WITHDRAWN}),
    S.INTERNAL_REVIEW: frozenset({S.SPONSOR_REVIEW, S.SUBMITTED, S.CHANGES_REQUIRED, S.WITHDRAWN}),
    S.SPONSOR_REVIEW: frozenset({S.SUBMITTED, S.CHANGES_REQUIRED, S.WITHDRAWN}),
    S.SUBMITTED: frozenset({S.APPROVED, S.CHANGES_REQUIRED, S.WITHDRAWN}),
    S.CHANGES_REQUIRED: frozenset({S.INTERNAL_REVIEW, S.WITHDRAWN}),
    S.APPROVED: frozenset({S.IN_USE, S.EXPIRED, S.WITHDRAWN}),
    S.IN_USE: frozenset({S.SUPERSEDED, S.EXPIRED, S.WITHDRAWN}),
    S.SUPERSEDED: frozenset({S.IN_USE, S.EXPIRED, S.WITHDRAWN}),
    S.EXPIRED: frozenset({S.APPROVED, S.WITHDRAWN}),
    S.WITHDRAWN: frozenset(),
}

EDITABLE = frozenset({S.DRAFT, S.INTERNAL_REVIEW, S.CHANGES_REQUIRED})
"""States in which the words can still change; afterwards a new version is written."""

COVERABLE = frozenset({S.SUBMITTED, S.APPROVED, S.IN_USE, S.SUPERSEDED, S.EXPIRED})
"""States in which a board's decision can be about a version."""

NEED_APPROVAL = frozenset({S.APPROVED, S.IN_USE})
"""States that a live approval of the exact bytes has to stand behind."""
