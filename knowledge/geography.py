"""Where Dutch municipalities lie, to say which desk is nearest and how far it is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from knowledge.models import Contact
from knowledge.origins import Origins
from knowledge.problems import Problem

Point = tuple[Annotated[float, Field(ge=-90, le=90)], Annotated[float, Field(ge=-180, le=180)]]  # lat, lon in degrees
Centres = dict[str, Point]

EARTH_RADIUS_KM = 6371.0
_FILE = "data/places.yml"


class _Municipality(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    lat: float
    lon: float
    towns: tuple[str, ...] = ()


def load_centres(data_dir: Path, origins: Origins) -> Centres:
    """Read `places.yml`: the centre of each municipality, also for the towns in it; nothing without the file."""
    path = data_dir / "places.yml"
    if not path.exists():
        return {}
    try:
        rows = (yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER) or {}).get("municipalities") or []
        municipalities = TypeAdapter(list[_Municipality]).validate_python(rows)
    except (ValidationError, yaml.YAMLError, AttributeError) as error:
        mend = "give each municipality a name, lat and lon"
        origins.problems.append(Problem(_FILE, 1, f"the places cannot be read ({type(error).__name__})", mend))
        return {}
    towns = {town: (item.lat, item.lon) for item in municipalities for town in item.towns}
    return towns | {item.name: (item.lat, item.lon) for item in municipalities}


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def distance_km(start: Point, end: Point) -> float:
    """Return the great-circle distance in kilometres.

    Source: Sinnott, Virtues of the Haversine, Sky and Telescope 68 (1984).
    """
    lat1, lon1, lat2, lon2 = map(math.radians, (*start, *end))
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(half))


def nearest_contact(
    contacts: Iterable[Contact], kind: str, place: str, centres: Mapping[str, Point]
) -> tuple[Contact, float | None] | None:
    """Return the contact of a kind for a municipality, with the distance in kilometres where it is known.

    One that serves the municipality goes before a nearer one: people are sent back from a desk that is not theirs.
    """
    found = []
    for contact in contacts:
        if contact.kind != kind or contact.place is None:
            continue
        start, end = centres.get(place), centres.get(contact.place)
        distance = distance_km(start, end) if start and end else None
        found.append((place not in contact.municipalities, math.inf if distance is None else distance, contact))
    if not found:
        return None
    is_other, distance, contact = min(found, key=lambda item: item[:2])
    if distance == math.inf:
        return None if is_other else (contact, None)
    return contact, distance
