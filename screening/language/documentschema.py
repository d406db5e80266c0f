"""The published JSON Schema of a protocol document, for other software that writes or reads one.

It says what a document looks like. That a range is possible, that anchors and
parents exist, or that a rule is not too deep, `screening.language.protocol` checks.
"""

from __future__ import annotations

from typing import Any, Final

from screening.language.criteria import LANGUAGE
from screening.language.protocol import Protocol

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_EXTENSIBLE: Final = ("Criterion", "Protocol")


def protocol_schema() -> dict[str, Any]:
    """Write the schema of the language that this engine writes, in the 2020-12 dialect."""
    schema = Protocol.model_json_schema(mode="validation")
    parts: dict[str, dict[str, Any]] = schema.pop("$defs")
    for name, part in (*parts.items(), ("Protocol", schema)):
        if name in _EXTENSIBLE:
            part["additionalProperties"] = False
            part["patternProperties"] = {"^x-": True}
        if "op" in part.get("properties", {}):
            part["required"] = ["op", *part.get("required", ())]
    schema["required"] = ["language", *schema.get("required", ())]
    return {
        "$schema": _DIALECT,
        "title": f"Trial Recruit protocol document, language {LANGUAGE}",
        **{name: value for name, value in schema.items() if name != "title"},
        "$defs": dict(sorted(parts.items())),
    }
