"""What can go wrong in the core: one tree, every leaf with a stable code."""

from __future__ import annotations

from screening.saying import Saying


class ScreeningError(Exception):
    """Anything the pure core refuses; `code` is for machines, the message for people."""

    code = "screening"


class InvalidFact(ScreeningError, ValueError):
    """A stored or posted fact value that cannot be read."""

    code = "invalid_fact"


class InvalidUnit(ScreeningError, ValueError):
    """A unit that is unknown, or that cannot be turned into the one asked for."""

    code = "invalid_unit"


class InvalidVocabulary(ScreeningError, ValueError):
    """A vocabulary file that contradicts itself or leaves something out."""

    code = "invalid_vocabulary"


class UnknownKey(ScreeningError, KeyError):
    """A key that the vocabulary does not hold; `suggestion` is the nearest one, if any is near."""

    code = "unknown_key"

    def __init__(self, key: str, *, suggestion: str | None = None) -> None:
        self.key = key
        self.suggestion = suggestion
        super().__init__(key)

    def __str__(self) -> str:
        hint = f"; did you mean {self.suggestion}?" if self.suggestion else ""
        return f"The vocabulary has no key {self.key!r}{hint}"


class InvalidCriteria(ScreeningError, ValueError):
    """A criteria document that cannot be read; `where` is the path into it, such as `criteria.3.rule`.

    `saying` is what a catalog translates, and `message` the same in English.
    """

    code = "invalid_criteria"

    def __init__(self, saying: Saying | str, *, where: str = "") -> None:
        self.where = where
        self.saying = saying if isinstance(saying, Saying) else Saying(saying)
        self.message = str(self.saying)
        super().__init__(f"{where}: {self.message}" if where else self.message)


class NotationError(ScreeningError, ValueError):
    """A slip in the written notation, with its place counted from 1 and what may have been meant.

    `saying` is what a catalog translates, and `message` the same in English.
    """

    code = "notation"

    def __init__(self, line: int, column: int, saying: Saying, suggestion: str | None = None) -> None:
        self.line = line
        self.column = column
        self.saying = saying
        self.message = str(saying)
        self.suggestion = suggestion
        hint = f" Did you mean {suggestion}?" if suggestion else ""
        super().__init__(f"Line {line}, column {column}: {self.message}{hint}")


class InvalidSnapshot(ScreeningError, ValueError):
    """A folder that holds no snapshot of columns, or one that this engine cannot use."""

    code = "invalid_snapshot"


class NotInTables(ScreeningError, ValueError):
    """A protocol that the tables of a pool cannot judge exactly, such as tables made before a key changed."""

    code = "not_in_tables"
