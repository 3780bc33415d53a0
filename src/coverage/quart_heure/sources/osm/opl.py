"""OPL, osmium's text of one object per line (https://osmcode.org/opl-file-format/), parsed."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from quart_heure.sources.osm.data import WAY_KEYS, is_area_relation
from quart_heure.sources.osm.elements import OsmArea, area_of
from quart_heure.sources.osm.grounds import (
    KEPT_KEYS,
    Ground,
    ground_of_way,
    is_ground_relation,
)

_ESCAPED = re.compile(r"%([0-9a-fA-F]{1,6})%")
_PLACED = re.compile(rb"n(-?\d+)x(-?[\d.]+)y(-?[\d.]+)")


def parse_way(line: bytes) -> tuple[int, bytes, Mapping[str, str]]:
    """Return id, references and tags of ``w12 Thighway=path,foot=no Nn1,n2``."""
    osm_id, tags, refs = line.split(b" ")
    return int(osm_id[1:]), refs[1:], parse_tags(tags[1:], WAY_KEYS)


def parse_area(line: bytes) -> list[OsmArea]:
    """Return the area of ``r12 Ttype=multipolygon,highway=path Mw1@outer,w2@inner``, if any."""
    osm_id, text, members = line.split(b" ")
    tags = parse_tags(text[1:], WAY_KEYS)
    if not is_area_relation(tags):
        return []
    return [area_of(int(osm_id[1:]), tags, _member_ways(members[1:]))]


def parse_ground_way(line: bytes) -> Ground | None:
    """Return the ground that a way is, None if it is none."""
    osm_id, text, refs = line.split(b" ")
    return ground_of_way(int(osm_id[1:]), parse_tags(text[1:], KEPT_KEYS), parse_refs(refs[1:]))


def parse_ground_relation(line: bytes) -> OsmArea | None:
    """Return the multipolygon of such ground that a relation is, None if it is none."""
    osm_id, text, members = line.split(b" ")
    tags = parse_tags(text[1:], KEPT_KEYS)
    if not is_ground_relation(tags):
        return None
    return area_of(int(osm_id[1:]), tags, _member_ways(members[1:]))


def parse_refs(text: bytes) -> tuple[int, ...]:
    """Return the node ids of ``n1,n2``."""
    return tuple(int(ref[1:]) for ref in text.split(b",") if ref)


def _member_ways(text: bytes) -> Iterator[tuple[int, str]]:
    for member in text.split(b","):
        reference, _, role = member.partition(b"@")
        if reference.startswith(b"w"):
            yield int(reference[1:]), _unescape(role.decode())


def parse_places(line: bytes) -> Iterator[tuple[int, tuple[float, float]]]:
    """Give the nodes of ``w12 Thighway=path Nn1x2.3y48.8,n2xy`` whose place the way tells."""
    for osm_id, lon, lat in _PLACED.findall(line.rpartition(b" N")[2]):
        yield int(osm_id), (float(lon), float(lat))


# Of a city's streets three in four have the very tags of another; so have pairs of a key and value.
@functools.lru_cache(maxsize=16_384)
def parse_tags(text: bytes, keys: frozenset[str]) -> Mapping[str, str]:
    """Return those tags of ``highway=path,foot=no`` that are among some keys."""
    pairs = map(_parse_pair, text.split(b",")) if text else ()
    return MappingProxyType(dict([pair for pair in pairs if pair[0] in keys]))


@functools.lru_cache(maxsize=16_384)
def _parse_pair(text: bytes) -> tuple[str, str]:
    key, _, value = text.decode().partition("=")
    return _unescape(key), _unescape(value)


def _unescape(text: str) -> str:
    if "%" not in text:
        return text
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
