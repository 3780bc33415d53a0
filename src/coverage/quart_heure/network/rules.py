"""Walking rules: what OpenStreetMap's tags say to a pedestrian in France, with the reason.

`judge` answers for a way, `judge_node` for a gate on it. Both look at tags and at nothing else, so
that streets from a server and from a file are judged alike. The order is: what is no street at
all, then an explicit ``foot``, then ``access``, then the default of the highway class. Every case
is a row of ``docs/walking_rules.md``, which the tests read.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import tomllib
from collections.abc import Mapping
from importlib import resources

from quart_heure.network.arrays import Flags
from quart_heure.sources.osm.data import NODE_KEYS

__all__ = ["DROPPED", "KEPT", "judge", "judge_node"]

_WORDS = tomllib.loads(
    resources.files("quart_heure.network").joinpath("rules.toml").read_text(encoding="utf-8")
)

KEPT: Mapping[str, str] = _WORDS["kept"]
"""Reasons why a way is walked, in words."""

DROPPED: Mapping[str, str] = _WORDS["dropped"]
"""Reasons why a way is not walked, in words."""

RULE_KEYS = frozenset(
    {
        "abandoned",
        "access",
        "access:conditional",
        "bridge",
        "conveying",
        "demolished",
        "designation",
        "disused",
        "foot",
        "foot:backward",
        "foot:conditional",
        "foot:forward",
        "highway",
        "indoor",
        "motorroad",
        "oneway:foot",
        "opening_hours",
        "razed",
        "route",
        "sac_scale",
        "segregated",
        "service",
        "sidewalk",
        "sidewalk:both",
        "sidewalk:left",
        "sidewalk:right",
        "tunnel",
    }
)
"""Tags of ways that a verdict may depend on."""

TRUNK_KEYS = RULE_KEYS | {
    "bicycle",
    "expressway",
    "junction",
    "lit",
    "maxspeed",
    "maxspeed:type",
    "oneway",
    "source:maxspeed",
    "zone:maxspeed",
}
"""Tags that a verdict on a trunk road may depend on."""


def _words(group: str, name: str) -> frozenset[str]:
    return frozenset(_WORDS[group][name].split())


_ROADS, _SERVICE_WAYS = _words("highway", "road"), _words("highway", "service_way")
ROAD_RANK = 3
"""What `rank_of` says of a road."""

_TRUNKS = frozenset({"trunk", "trunk_link"})
_MAIN, _LESSER = _words("highway", "main"), _words("highway", "lesser")
_NOT_BUILT, _NOT_A_STREET = _words("highway", "not_built"), _words("highway", "not_a_street")
_CLASS_REASON: Mapping[str, str] = {
    **dict.fromkeys(_MAIN | _LESSER, "default"),
    "busway": "busway",
    "cycleway": "cycleway",
    "platform": "platform",
}
_FOOT_YES, _FOOT_NO = _words("access", "foot_yes"), _words("access", "foot_no")
_PRIVATE = _words("access", "private")
_CLOSED = _PRIVATE | _words("access", "forbidden")
_WALLS, _GATES = _words("barrier", "wall"), _words("barrier", "gate")

_YES = frozenset({"yes", "true", "1"})
_GONE_KEYS = ("abandoned", "demolished", "disused", "razed")
_SIDEWALK = frozenset({"both", "left", "right", "yes"})
_SIDEWALK_KEYS = ("sidewalk", "sidewalk:both", "sidewalk:left", "sidewalk:right")
_ONEWAY = frozenset({"yes", "true", "1", "-1", "reverse"})
_SPEED_KEYS = ("maxspeed", "maxspeed:type", "source:maxspeed", "zone:maxspeed")
_SPEED = re.compile(r"(\d+)(?: ?km/h)?")
_TOWN_SPEED = re.compile(r"(?:[a-z]{2}:)?(?:urban|living_street|zone:?[1-4]0|[1-4]0|50)")
_TOWN_KMH = 50
"""No more than this is driven in a built-up area (Code de la route, R413-3)."""
_DEMANDING = re.compile(r"(?:t[3-6]|.*demanding_mountain_hiking|.*alpine_hiking)")
"""Values of ``sac_scale`` from T3 on: hands are needed, and a sure foot."""
_GREENWAY = frozenset({"greenway", "voie_verte", "voie verte"})
OPEN_TUNNELS = frozenset({"", "no", "building_passage", "culvert", "avalanche_protector"})
"""Values of ``tunnel`` that are no tunnel to walk in."""


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say of a way.

    Parameters
    ----------
    walkable
        Whether it is walked at all.
    reason
        A key of `KEPT` or `DROPPED`.
    flags
        Bits of `quart_heure.network.graph.Flags`.
    forward, backward
        Whether it is walked in the direction of its nodes, and against it.
    steps, bridge, tunnel
        What it is. A passage through a building is not a tunnel.
    """

    walkable: bool
    reason: str
    flags: int = 0
    forward: bool = True
    backward: bool = True
    steps: bool = False
    bridge: bool = False
    tunnel: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class NodeVerdict:
    """What the rules say of a node: whether one can pass, and bits of `Flags` for the way there."""

    passable: bool
    reason: str
    flags: int = 0


def judge(tags: Mapping[str, str]) -> Verdict:
    """Judge a way by its tags.

    Examples
    --------
    >>> judge({"highway": "cycleway", "foot": "yes"}).walkable
    True
    >>> judge({"highway": "trunk", "name": "Boulevard périphérique"}).reason
    'trunk'
    """
    keys = TRUNK_KEYS if "trunk" in tags.get("highway", "").lower() else RULE_KEYS
    return _judge(frozenset([item for item in tags.items() if item[0] in keys]))


def judge_node(tags: Mapping[str, str]) -> NodeVerdict:
    """Judge a node on a way by its tags: gates, doors, lifts.

    Examples
    --------
    >>> judge_node({"barrier": "gate", "locked": "yes"}).passable
    False
    >>> judge_node({"barrier": "bollard"}).passable
    True
    """
    return _judge_node(frozenset([item for item in tags.items() if item[0] in NODE_KEYS]))


def rank_of(highway: str, verdict: Verdict) -> int:
    """Return how public a street is by its class: 3 roads, 2 service ways and tracks, 1 paths.

    What is in a tunnel or a class that is not known is 1.
    """
    if highway in _ROADS and not verdict.tunnel:
        return ROAD_RANK
    return 2 if highway in _SERVICE_WAYS else 1


@functools.lru_cache(maxsize=65_536)
def _judge(items: frozenset[tuple[str, str]]) -> Verdict:
    tags = {key: value.strip().lower() for key, value in items}
    highway = tags.get("highway", "").partition(";")[0]
    forward, backward = _directions(tags)
    reason = _no_street(tags, highway) or _said(tags) or _class_default(tags, highway)
    # Closed in both directions is a ban written in another way.
    if reason in KEPT and not (forward or backward):
        reason = "foot_forbidden"
    walkable = reason in KEPT
    return Verdict(
        walkable=walkable,
        reason=reason,
        flags=_flags(tags) if walkable else 0,
        forward=walkable and forward,
        backward=walkable and backward,
        steps=highway == "steps",
        bridge=tags.get("bridge", "no") != "no",
        tunnel=_in_tunnel(tags),
    )


def _no_street(tags: Mapping[str, str], highway: str) -> str:
    """Return why a way is no street that anyone could walk, ``""`` if it may be one."""
    reason = ""
    if not highway:
        reason = "ferry" if tags.get("route") == "ferry" else "no_highway"
    elif highway in _NOT_BUILT or any(tags.get(key) in _YES for key in _GONE_KEYS):
        reason = "not_built"
    elif highway in _NOT_A_STREET:
        reason = "not_a_street"
    elif highway in {"motorway", "motorway_link"}:
        # Code de la route, R421-2: nobody walks on a motorway. A foot tag there is an error.
        reason = "motorway"
    return reason


def _said(tags: Mapping[str, str]) -> str:
    """Return what ``foot``, then ``access`` decide, ``""`` if they leave it to the class."""
    foot, access = tags.get("foot", ""), tags.get("access", "")
    reason = ""
    if foot in _FOOT_YES:
        reason = "foot_allowed"
    elif foot in _FOOT_NO:
        reason = "conditional" if _opens(tags, "foot:conditional") else "foot_forbidden"
    elif access in _CLOSED and _opens(tags, "access:conditional", "foot:conditional"):
        reason = "conditional"
    elif access in _CLOSED:
        reason = "access_private" if access in _PRIVATE else "access_forbidden"
    return reason


def _class_default(tags: Mapping[str, str], highway: str) -> str:
    """Return the reason of a street about which neither ``foot`` nor ``access`` decides."""
    tunnel, inside = _in_tunnel(tags), tags.get("indoor") in _YES
    service = tags.get("service", "")
    sidewalk = any(tags.get(key) in _SIDEWALK for key in _SIDEWALK_KEYS)
    shared = "segregated" in tags or tags.get("designation") in _GREENWAY
    indoors = tunnel or inside or highway in {"corridor", "elevator"}
    # The first that holds decides.
    exceptions = (
        ("motorroad", tags.get("motorroad") in _YES),
        ("sidewalk", sidewalk and highway in _MAIN | {"busway", "cycleway"}),
        ("shared_cycleway", shared and highway == "cycleway"),
        ("main_street", highway in _TRUNKS and not tunnel and _is_main_street(tags)),
        ("trunk", highway in _TRUNKS),
        ("car_tunnel", tunnel and highway in _MAIN),
        ("drive_through", service in {"drive-through", "drive_through"}),
        ("underground_parking", service == "parking_aisle" and (tunnel or inside)),
        ("customers_only", tags.get("access") == "customers" and indoors),
    )
    default = _CLASS_REASON.get(highway, "class_unknown")
    return next((reason for reason, holds in exceptions if holds), default)


def _is_main_street(tags: Mapping[str, str]) -> bool:
    """Tell whether a trunk road is the street of a village or a town, and no expressway there.

    Two things are asked: that nothing speaks of a road for fast traffic alone, and that it is
    driven at 50 km/h at most, or, where no speed is told, that it is lit. The ring road of Paris is
    lit and driven at 50 km/h: its two carriageways, each one way, tell it apart.
    """
    carriageway = tags.get("oneway") in _ONEWAY and tags.get("junction") != "roundabout"
    no_pavement = any(tags.get(key) in {"no", "none"} for key in _SIDEWALK_KEYS)
    elsewhere = any(tags.get(key) == "separate" for key in _SIDEWALK_KEYS)
    if carriageway or no_pavement or elsewhere or tags.get("expressway") in _YES:
        return False
    if tags.get("bicycle") == "no":
        return False  # what cycles may not use is no street
    speeds = [tags[key] for key in _SPEED_KEYS if tags.get(key)]
    if not speeds:
        return tags.get("lit") in _YES
    if speed := _SPEED.fullmatch(tags.get("maxspeed", "")):
        return int(speed[1]) <= _TOWN_KMH
    return any(_TOWN_SPEED.fullmatch(speed) for speed in speeds)


def _flags(tags: Mapping[str, str]) -> int:
    flags = 0
    if any(_DEMANDING.fullmatch(word.strip()) for word in tags.get("sac_scale", "").split(";")):
        flags |= Flags.DEMANDING
    if _has_times(tags):
        flags |= Flags.CLOSED_AT_TIMES
    if tags.get("foot") in _FOOT_YES and tags.get("access") in _CLOSED:
        flags |= Flags.PRIVATE_WITH_FOOT
    separate = any(tags.get(key) == "separate" for key in _SIDEWALK_KEYS)
    if separate or tags.get("foot") == "use_sidepath":
        flags |= Flags.SEPARATE_SIDEWALK
    return flags


def _in_tunnel(tags: Mapping[str, str]) -> bool:
    return tags.get("tunnel", "") not in OPEN_TUNNELS


def _has_times(tags: Mapping[str, str]) -> bool:
    """Tell whether people on foot are let in at some times and not at others."""
    if "access:conditional" in tags or "foot:conditional" in tags:
        return True
    return tags.get("opening_hours", "24/7") != "24/7"


def _opens(tags: Mapping[str, str], *keys: str) -> bool:
    """Tell whether a condition lets people in at some time, as ``yes @ (08:00-19:00)`` does."""
    rules = ";".join(re.sub(r"\([^)]*\)", "", tags.get(key, "")) for key in keys).split(";")
    return any(rule.partition("@")[0].strip() in _FOOT_YES for rule in rules)


def _directions(tags: Mapping[str, str]) -> tuple[bool, bool]:
    """Return (forward, backward) from what concerns people on foot; ``oneway`` is for vehicles."""
    forward = tags.get("foot:forward") not in _FOOT_NO
    backward = tags.get("foot:backward") not in _FOOT_NO
    oneway, escalator = tags.get("oneway:foot", ""), tags.get("conveying", "")
    if oneway in _YES or escalator == "forward":
        backward = False
    elif oneway in {"-1", "reverse"} or escalator == "backward":
        forward = False
    return forward, backward


@functools.lru_cache(maxsize=4096)
def _judge_node(items: frozenset[tuple[str, str]]) -> NodeVerdict:
    tags = {key: value.strip().lower() for key, value in items}
    barrier, foot = tags.get("barrier", ""), tags.get("foot", "")
    door = not barrier and (
        "door" in tags or "entrance" in tags or tags.get("highway") == "elevator"
    )
    flags = Flags.GATE if barrier in _GATES else 0
    if (door or flags) and _has_times(tags):
        flags |= Flags.CLOSED_AT_TIMES
    if foot in _FOOT_YES:
        return NodeVerdict(passable=True, reason="foot_allowed", flags=flags)
    # Bollards, lift gates and blocks stop vehicles, and their access tags speak to vehicles.
    closes = door or barrier in _GATES
    shut = foot in _FOOT_NO or tags.get("access") in _CLOSED or tags.get("locked") in _YES
    if barrier in _WALLS:
        reason = "wall"
    elif barrier and foot in _FOOT_NO:
        reason = "foot_forbidden"
    elif closes and shut and not flags & Flags.CLOSED_AT_TIMES:
        reason = "locked"
    else:
        return NodeVerdict(passable=True, reason="default", flags=flags)
    return NodeVerdict(passable=False, reason=reason)
