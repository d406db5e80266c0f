"""Every refusal the product can give, as a tree: a stable code for machines, a sentence for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from screening.saying import Saying

Values = Mapping[str, object]
NO_VALUES: Values = MappingProxyType({})


class RecruitError(Exception):
    """Base of everything we raise on purpose.

    ``sentence`` is what a catalog translates; ``values`` fill its ``%(name)s``, and never hold what somebody
    told us in confidence. ``message`` is the whole in English.
    """

    code = "error"

    def __init__(self, sentence: str, *, field: str | None = None, values: Values = NO_VALUES) -> None:
        self.sentence, self.values, self.field = sentence, values, field
        self.message = self.said(str)
        super().__init__(self.message)

    def said(self, translate: Callable[[str], str]) -> str:
        """Give the sentence in the language that ``translate`` turns into."""
        return Saying(self.sentence, self.values).said(translate)


class Invalid(RecruitError):
    """What was sent cannot be read; ``field`` names the part that is wrong."""

    code = "invalid"

    @classmethod
    def of(cls, saying: Saying, *, field: str | None = None) -> Invalid:
        """Refuse with a sentence that the core has made."""
        return cls(saying.sentence, field=field, values=saying.values)

    def at(self, field: str | None) -> Invalid:
        """Say the same of another field, such as the one of a form."""
        return Invalid(self.sentence, field=field, values=self.values)


class Refused(RecruitError):
    """The request is well formed and a rule of the domain says no."""

    code = "refused"


class Conflict(RecruitError):
    """Somebody else changed the thing in the meantime, or the same key came with another body."""

    code = "conflict"


class NotFound(RecruitError):
    """There is no such thing, or it is not yours: the two are never told apart."""

    code = "not_found"


class Forbidden(RecruitError):
    """The account's grants do not allow this."""

    code = "forbidden"


class Incomplete(Refused):
    """Something is missing before a step can be taken; every missing item is named."""

    code = "incomplete"

    def __init__(self, sentence: str, *, missing: tuple[Saying, ...]) -> None:
        super().__init__(sentence)
        self.missing = missing


class NotPermitted(Refused):
    """A state does not allow this move."""

    code = "not_permitted"


class Unreadable(RecruitError):
    """A sealed value cannot be opened: wrong key, erased key or altered bytes."""

    code = "unreadable"


class BadSettings(RecruitError):
    """The configuration is missing something or is unsafe; the application does not start."""

    code = "bad_settings"


class Unavailable(RecruitError):
    """The database or a provider cannot be reached or is full; trying again later may work."""

    code = "unavailable"


HTTP_STATUS: dict[type[RecruitError], int] = {
    Invalid: 422,
    Refused: 422,
    Incomplete: 422,
    NotPermitted: 409,
    Conflict: 409,
    NotFound: 404,
    Forbidden: 403,
    Unreadable: 410,
    Unavailable: 503,
}


def http_status(error: RecruitError) -> int:
    """Map an error to its HTTP status; an unmapped kind is our own fault and answers 500."""
    for kind in type(error).__mro__:
        if kind in HTTP_STATUS:
            return HTTP_STATUS[kind]
    return 500
