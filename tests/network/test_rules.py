"""The rules agree with every row of docs/walking_rules.md, and the document covers every rule."""

from __future__ import annotations

import re

import osmnx as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.project import ROOT
from quart_heure.network.graph import Flags
from quart_heure.network.rules import (
    DROPPED,
    KEPT,
    RULE_KEYS,
    NodeVerdict,
    Verdict,
    judge,
    judge_node,
)
from quart_heure.sources.osm.data import NODE_KEYS, WAY_KEYS

DOCUMENT = ROOT / "docs" / "walking_rules.md"
Case = tuple[dict[str, str], bool, str, frozenset[str], str]


def read_cases(*, nodes: bool) -> list[Case]:
    """Read the rows of the tables of ways, or of the one of nodes."""
    ways, gates = DOCUMENT.read_text(encoding="utf-8").split("## Gates and doors")
    cases = []
    for line in (gates if nodes else ways).splitlines():
        if line.startswith("| `"):
            cells = [cell.strip() for cell in line.split("|")[1:-1]]
            tags = dict(pair.split("=", 1) for pair in re.findall(r"`([^`]+)`", cells[0]))
            also = frozenset(word.strip() for word in cells[3].split(",") if word)
            cases.append((tags, cells[1] == "yes", cells[2], also, cells[4]))
    return cases


WAY_CASES, NODE_CASES = read_cases(nodes=False), read_cases(nodes=True)


def flag_names(flags: int) -> set[str]:
    return {name for name, bit in vars(Flags).items() if name.isupper() and flags & bit}


def words_of(verdict: Verdict) -> set[str]:
    words = flag_names(verdict.flags)
    words |= {word for word in ("steps", "bridge", "tunnel") if getattr(verdict, word)}
    if verdict.walkable:
        words |= {f"no {word}" for word in ("forward", "backward") if not getattr(verdict, word)}
    return words


def name_of(case: Case) -> str:
    return " ".join(f"{key}={value}" for key, value in case[0].items())


@pytest.mark.parametrize("case", WAY_CASES, ids=map(name_of, WAY_CASES))
def test_way(case: Case) -> None:
    tags, walked, reason, also, _ = case
    verdict = judge(tags)
    assert (verdict.walkable, verdict.reason, words_of(verdict)) == (walked, reason, also)


@pytest.mark.parametrize("case", NODE_CASES, ids=map(name_of, NODE_CASES))
def test_node(case: Case) -> None:
    tags, passed, reason, also, _ = case
    verdict = judge_node(tags)
    found = (verdict.passable, verdict.reason, flag_names(verdict.flags))
    assert found == (passed, reason, also)


def test_every_reason_and_key_has_a_case() -> None:
    assert {case[2] for case in WAY_CASES} == KEPT.keys() | DROPPED.keys()
    told = {key for tags, *_ in WAY_CASES for key in tags}
    assert told >= RULE_KEYS
    assert {key for tags, *_ in NODE_CASES for key in tags} >= NODE_KEYS


@pytest.mark.parametrize("case", WAY_CASES, ids=map(name_of, WAY_CASES))
def test_what_is_said_of_osmnx(case: Case) -> None:
    # Clauses of its filter: ["highway"] asks for a key, ["foot"!~"no"] refuses values.
    filters = ox._overpass._get_network_filter("walk")
    tags, walked, _, also, peers = case
    kept = all(
        (key in tags if not pattern else not re.search(pattern, tags.get(key, "")))
        for key, pattern in re.findall(r'\["([^"]+)"(?:!~"([^"]*)")?\]', filters)
    )
    one_way = bool(also & {"no forward", "no backward"})
    assert ("O" in peers.split()) == (kept != walked or (kept and one_way))


def test_no_case_is_told_twice() -> None:
    for cases in (WAY_CASES, NODE_CASES):
        names = [frozenset(tags.items()) for tags, *_ in cases]
        assert len(names) == len(set(names))


def test_reasons_say_whether_a_way_is_walked() -> None:
    assert not KEPT.keys() & DROPPED.keys()
    for tags, walked, reason, *_ in WAY_CASES:
        assert (reason in KEPT) == walked, tags


def test_sources_keep_the_tags_that_rules_read() -> None:
    assert RULE_KEYS <= WAY_KEYS


@pytest.mark.parametrize("value", ["YES", " yes ", "Yes"])
def test_values_are_read_however_they_are_written(value: str) -> None:
    assert judge({"highway": "cycleway", "foot": value}).reason == "foot_allowed"


TAGS = st.dictionaries(
    st.sampled_from(sorted(RULE_KEYS | NODE_KEYS)) | st.text(max_size=5),
    st.sampled_from(
        ["yes", "no", "private", "footway", "cycleway", "trunk", "steps", "gate", "separate", ""]
    )
    | st.text(max_size=8),
    max_size=8,
)


@given(TAGS)
def test_any_tags_get_a_verdict(tags: dict[str, str]) -> None:
    verdict = judge(tags)
    assert verdict.walkable == (verdict.reason in KEPT) != (verdict.reason in DROPPED)
    assert verdict.walkable == (verdict.forward or verdict.backward)
    assert verdict == judge(dict(reversed(tags.items())))
    assert isinstance(judge_node(tags), NodeVerdict)


@given(TAGS)
def test_tags_that_rules_do_not_read_change_nothing(tags: dict[str, str]) -> None:
    assert judge(tags | {"name": "Rue Neuve", "lit": "yes"}) == judge(tags)


@given(TAGS.filter(lambda tags: "foot" not in tags))
def test_an_explicit_foot_never_closes_a_street(tags: dict[str, str]) -> None:
    if judge(tags).walkable:
        assert judge(tags | {"foot": "yes"}).walkable
