"""The smallest number of people that a count, or the difference of two, may tell about."""

from typing import Final

FLOOR: Final = 11
