"""The tables that the application judges with."""

from __future__ import annotations

from recruit.vocabulary import terms
from screening.facts import Code
from screening.terms import ATC


def test_the_terms_know_what_combinations_contain() -> None:
    janumet = Code(ATC, "A10BD07")

    assert terms().components(janumet).sure == (Code(ATC, "A10BA02"), Code(ATC, "A10BH01"))
