"""The tables of a pool as Polars frames, from which all peers are loaded; it is in the `bench` extra."""

from pathlib import Path
from typing import Any, Final

from screening.sql.tables import Table

MISSING: Final = "the bench extra is not installed"


def frame_of(table: Table) -> Any:  # noqa: ANN401 - the library may not be there, with its types
    """Give a table with each column in its narrowest type."""
    import polars

    types = {"SMALLINT": polars.Int16, "INTEGER": polars.Int32, "BIGINT": polars.Int64}
    columns = []
    for column in table.columns:
        values = polars.Series(column.name, column.values).cast(types[column.type], strict=False)
        if column.known is not None:
            known = polars.Series(column.known)
            values = values.zip_with(known, polars.Series([None], dtype=values.dtype))
        columns.append(values)
    return polars.DataFrame(columns)


def write_rows(table: Table, path: Path) -> None:
    """Write a table's rows as comma-separated values, without a heading; NULL is nothing between commas."""
    frame_of(table).write_csv(path, include_header=False)
