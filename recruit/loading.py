"""How an application is loaded: without a search for garbage, of which loading makes none."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Look for no garbage while the block runs, and never again among what it made.

    Modules, mapped tables and forms live as long as the process; looking through them again and again while
    there are more and more of them is a sixth of a start. Freezing them also keeps their pages shared between
    the workers of a server that loads before it forks.
    """
    usual = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if usual:
            gc.enable()
