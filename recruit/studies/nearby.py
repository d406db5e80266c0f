"""How far a site is from where somebody lives; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt

from recruit.addresses import find_place
from recruit.studies.models import Site
from recruit.studies.queries import OpenSite

EARTH_MILES = 3958.8


@dataclass(frozen=True, slots=True)
class Near:
    """An open site, and how many miles it is away, one at least; nothing where either place is unknown."""

    place: OpenSite
    miles: int | None


def nearest(places: Sequence[OpenSite], postcode: str) -> list[Near]:
    """Order sites by their distance from a postcode; without a known one they keep their order."""
    home = find_place(postcode) if postcode else None
    if home is None:
        return [Near(place, None) for place in places]
    here = (home.latitude, home.longitude)
    found = [Near(place, _miles(here, position(place.site))) for place in places]
    return sorted(found, key=lambda near: (near.miles is None, near.miles or 0))


def distance(site: Site, postcode: str) -> int | None:
    """Give the miles between a site and a postcode; unknown where either place is."""
    home = find_place(postcode) if postcode else None
    return _miles((home.latitude, home.longitude), position(site)) if home is not None else None


def position(site: Site) -> tuple[float, float] | None:
    """Give a site's latitude and longitude: its own, or its postcode's."""
    if site.latitude is not None and site.longitude is not None:
        return site.latitude, site.longitude
    place = find_place(site.postcode)
    return (place.latitude, place.longitude) if place else None


def _miles(here: tuple[float, float], there: tuple[float, float] | None) -> int | None:
    if there is None:
        return None
    (lat1, lon1), (lat2, lon2) = [(radians(lat), radians(lon)) for lat, lon in (here, there)]
    chord = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return max(1, round(2 * EARTH_MILES * asin(sqrt(chord))))
