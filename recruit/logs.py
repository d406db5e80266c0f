"""Structured logs on standard error: constant text, values in fields, nothing personal.

Fields whose name says that they hold a person's data are replaced before anything is written, as are
secrets; the request id ties a line to its request and to the audit trail.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

_HIDDEN = frozenset(
    {"address", "answer", "answers", "birth", "body", "code", "email", "family", "given", "name", "note"}
    | {"password", "phone", "postcode", "secret", "text", "token", "value"}
)
_MASK = "[hidden]"


def configure(level: str) -> None:
    """Set up logging once for the process."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


def redact(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> Mapping[str, Any]:  # noqa: ANN401 - structlog's
    """Mask fields that hold a person's data or a secret."""
    for key in fields:
        if key.lower() in _HIDDEN:
            fields[key] = _MASK
    return fields


def logger(room: str) -> structlog.typing.FilteringBoundLogger:
    """Give the logger of a module."""
    bound: structlog.typing.FilteringBoundLogger = structlog.get_logger(room=room)
    return bound
