"""Words that a participant reads, by language and by whom the questions are about."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    RootModel,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    StringConstraints,
    field_validator,
    model_serializer,
)

from screening.exact import Plain

Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z][A-Za-z]{1,3})?$")]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class Respondent(StrEnum):
    """Whom the questions are about: the person answering, their child, or somebody they care for."""

    SELF = "self"
    CHILD = "child"
    CARED_FOR = "cared_for"


class Part(BaseModel):
    """Any part of a document: immutable, and a field it does not know is refused.

    Empty fields that are empty by default are not written, so a field that is
    added one day leaves the hashes of all older documents as they are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    def __deepcopy__(self, memo: dict[int, object] | None = None) -> Self:
        return self  # nothing in it ever changes

    @model_serializer(mode="wrap")
    def _lean(self, write: SerializerFunctionWrapHandler) -> dict[str, object]:
        written: dict[str, object] = write(self)
        for name, field in type(self).model_fields.items():
            default = field.get_default(call_default_factory=True, validated_data={})
            if _is_empty(getattr(self, name)) and _is_empty(default):
                written.pop(name, None)
        return written


def _is_empty(value: object) -> bool:
    """Tell whether a field says nothing; a number 0 says something."""
    return value is None or value is False or (isinstance(value, tuple | Mapping) and not value)


Wording = Annotated[Mapping[Respondent, Plain], AfterValidator(MappingProxyType)]


class Text(RootModel[Annotated[Mapping[Language, Wording], AfterValidator(MappingProxyType)]]):
    """One text in every language, with its own wording per respondent where that differs.

    A plain string stands for the wording that everybody gets.
    """

    model_config = ConfigDict(frozen=True)

    def __deepcopy__(self, memo: dict[int, object] | None = None) -> Self:
        return self  # nothing in it ever changes

    @field_validator("root", mode="before")
    @classmethod
    def _widen(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        return {
            language: {Respondent.SELF: said} if isinstance(said, str) else said
            for language, said in value.items()
        }

    @model_serializer(mode="plain")
    def _plain(self, info: SerializationInfo) -> dict[str, dict[str, str]]:
        only = info.context.get("language") if info.context else None
        return {
            language: {respondent.value: words for respondent, words in sorted(wording.items())}
            for language, wording in sorted(self.root.items())
            if only is None or language == only
        }

    def say(self, language: str, respondent: Respondent = Respondent.SELF) -> str:
        """Give the words in a language; a preview of an untranslated text falls back to English."""
        wording = self.root.get(language) or self.root.get("en") or next(iter(self.root.values()), {})
        return wording.get(respondent) or wording.get(Respondent.SELF) or next(iter(wording.values()), "")

    def has(self, language: str, respondent: Respondent = Respondent.SELF) -> bool:
        """Tell whether there are own words for this language and respondent."""
        return bool(self.root.get(language, {}).get(respondent, "").strip())

    def wordings(self) -> Iterator[tuple[str, Respondent, str]]:
        """Go through every wording as (language, respondent, words)."""
        for language, wording in self.root.items():
            for respondent, words in wording.items():
                yield language, respondent, words


YES: Final = Text.model_validate({"en": "Yes", "es": "Sí"})
NO: Final = Text.model_validate({"en": "No", "es": "No"})
DONT_KNOW: Final = Text.model_validate({"en": "I don't know", "es": "No lo sé"})
PREFER_NOT: Final = Text.model_validate({"en": "I prefer not to say", "es": "Prefiero no contestar"})
