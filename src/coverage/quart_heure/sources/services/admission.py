"""Whom a text admits: groups, less those that it takes back, and *unknown* for whom it leaves open.

Words of the schema come in their order: groups that are admitted, ``no_…`` for those that are not
though one might think so, and ``unknown`` where others may be admitted, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from quart_heure.sources.services.sentences import DENIED, SAID, UNCLEAR, Sentence, Signed

ADMITS = (
    *("everyone", "women", "men", "families", "mothers"),
    *("young_people", "young_women", "young_men"),
    *("no_women", "no_men", "no_children", "no_young_people"),
)
"""Whom a service admits: one or several of these by ``;``, ``unknown`` where others may be."""

_PEOPLE = ("group", "children", "others", "some", "age", "childless", "need", "alone", "priority")
_ADULTS = ("women", "men")
_YOUNG = {
    **{"everyone": ("young_people",), "persons": ("young_people",), "mixed": ("young_people",)},
    **{"women": ("young_women",), "men": ("young_men",), "adults": ("young_people",)},
    **{name: (name,) for name in ("young_people", "young_women", "young_men")},
}
"""Groups of an age of young people."""
_OF_YOUTH = frozenset({"young_people", "young_women", "young_men"})
_WITH_CHILD = {
    **dict.fromkeys(("everyone", "persons", "mixed", "adults", "families"), ("families",)),
    **{"women": ("mothers",), "mothers": ("mothers",), "women_or_mothers": ("mothers",)},
}
"""Groups of those with children."""
_CHILDREN = frozenset({"children", "with_adult", "minors", "lone_minors"})
_PLAIN = {
    **{"mixed": _ADULTS, "adults": _ADULTS, "women_or_mothers": ("women", "mothers")},
    **{"persons": ("unknown",)},
}
_BARS = {
    **dict.fromkeys(("women", "women_or_mothers"), ("no_women",)),
    **{"men": ("no_men",), "families": ("no_children",), "mothers": ("no_mothers",)},
    **{"young_people": ("no_young_people",), "children": ("no_children",)},
    **{"minors": ("minors",), "lone_minors": ()},
}
"""What a group that is denied takes back; of any other it cannot be said."""

_YOUNGEST, _OLDEST, _OF_AGE = (12, 18), (21, 30), (16, 18)
"""Years between which an age of young people begins, ends, and a limit of age means adults."""


def admission_of(sentence: Sentence) -> str:
    """Return whom a sentence admits, by ``;`` in the order of the schema, "" if it names nobody."""
    if not sentence.of("group", "children", "others", "age", "some"):
        open_to_all = [s for s in sentence.of("walk_in") if "inconditionnel" in s.mark.words]
        alone = not sentence.of("conditional", "part_time", "need", "priority", "childless")
        if open_to_all and alone and all(s.sign == SAID for s in open_to_all):
            return "everyone"
        return ""
    admitted = _Admitted(sentence)
    return ";".join(admitted.words()) or "unknown"


def in_order(words: Iterable[str]) -> list[str]:
    """Return words of the schema in its order, ``unknown`` last."""
    found = set(words)
    return [word for word in (*ADMITS, "unknown") if word in found]


class _Admitted:
    """Gathers the groups of a sentence, statement by statement and part by part."""

    def __init__(self, sentence: Sentence) -> None:
        self._groups: set[str] = set()
        self._bars: set[str] = set()
        self._sexes: set[str] = set()
        """Sexes of all that is named, also of what has no word."""
        self._unclear = False
        self._others_after = False
        # "Sans condition le jour": that time is not of whom it admits.
        elsewhere = {
            (s.statement, s.part)
            for s in sentence.of("referral", "walk_in", "animals", "wheelchair")
        }
        people = [
            s
            for s in sentence.marks
            if s.mark.kind in (*_PEOPLE, "only")
            or (s.mark.kind == "part_time" and (s.statement, s.part) not in elsewhere)
        ]
        self._only = any(s.mark.kind == "only" for s in people)
        self._kinds = {
            s.mark.value for s in people if s.mark.kind in {"group", "others"} and s.sign == SAID
        }
        statements = sorted({s.statement for s in people})
        last: list[Signed] = []
        for statement in statements:
            here = [s for s in people if s.statement == statement]
            plain = False
            for part in sorted({s.part for s in here}):
                marks = [s for s in here if s.part == part]
                heads = [s for s in marks if s.mark.kind in {"group", "others", "children"}]
                if not heads and last:
                    # "Femmes (18-25 ans)", "Femmes, enceintes": of those named before.
                    self._restrict_last(last, marks)
                else:
                    aged = any(s.mark.kind == "age" for s in marks)
                    if aged and plain and not any(s.mark.value in _OF_YOUTH for s in heads):
                        self._unclear = True  # "Femmes, hommes de 18 à 25 ans": are the women, too?
                    plain = plain or (bool(heads) and not aged)
                    self._part(marks)
                    last = marks if heads else last
        self._conditions(sentence)

    def words(self) -> Sequence[str]:
        """Return the words of the schema."""
        groups, bars = self._without_barred()
        if self._unclear or "no_mothers" in bars or groups & {bar[3:] for bar in bars}:
            return ["unknown"]
        if {"young_women", "young_men"} <= groups:
            groups.add("young_people")
        if "young_people" in groups:
            groups -= {"young_women", "young_men"}
        if "everyone" in groups:
            groups = {"unknown"} if "unknown" in groups else {"everyone"}
        groups = groups or {"unknown"}
        if groups == {"unknown"} and len(self._sexes) == 1 and not bars:
            bars = {"no_men"} if self._sexes == {"women"} else {"no_women"}
        return in_order(groups | bars)

    def _without_barred(self) -> tuple[set[str], set[str]]:
        """Return the groups without those that are taken back, and the bars that still say so."""
        groups, bars = set(self._groups), set(self._bars)
        everyone = "everyone" in groups
        if self._others_after and not everyone:
            groups.add("unknown")  # "priorité aux femmes"
        if "minors" in bars:
            bars = bars - {"minors"} | {"no_children"}
            groups = groups - {"everyone"} | (set(_ADULTS) if everyone else set())
        if "lone_men" in bars:
            bars.discard("lone_men")
            rest = {"women", "families", "young_women"} if everyone else set()
            groups = groups - {"everyone"} | rest
        if "no_mothers" in bars and groups <= {"women", "young_women"}:
            bars = bars - {"no_mothers"} | {"no_children"}
        if groups & {"families", "mothers"}:
            bars.discard("no_children")
        # A place for women says by that alone that it is none for men.
        if groups and groups <= {"women", "mothers", "young_women"}:
            bars.discard("no_men")
        if groups and groups <= {"men", "young_men"}:
            bars.discard("no_women")
        return groups, bars

    # --- parts -----------------------------------------------------------------------------------

    def _part(self, marks: Sequence[Signed]) -> None:
        heads = [s for s in marks if s.mark.kind in {"group", "others", "children"}]
        if any(s.sign == UNCLEAR for s in heads):
            self._unclear = True
            return
        said = [s for s in heads if s.sign == SAID]
        for signed in heads:
            if signed.sign == DENIED:
                self._deny(signed, marks)
        if not said:
            # "18-25 ans", "sans abri": people of whom only that is said.
            ages = [s for s in marks if s.mark.kind == "age"]
            if ages and not heads:
                self._groups |= self._aged("persons", ages)
            elif not heads and any(s.mark.kind in {"some", "part_time"} for s in marks):
                self._groups.add("unknown")
            return
        names = [s.mark.value for s in said]
        self._groups |= self._restricted(names, marks, said)

    def _restricted(
        self, names: Sequence[str], marks: Sequence[Signed], said: Sequence[Signed]
    ) -> set[str]:
        """Return the groups of a part, by what stands beside them."""
        self._sexes |= {
            sex
            for at, name in enumerate(names)
            if not (name == "others" and at and not said[at].joined)
            for sex in _sex(name)
        }
        kinds = {s.mark.kind for s in marks}
        some = {s.mark.value for s in marks if s.mark.kind == "some"}
        if "part_time" in kinds or "some" in some:
            if "part_time" in kinds:
                self._sexes |= set(_ADULTS)  # at other times, others
            return {"unknown"}
        heads, groups = self._heads(names, marks)
        grown = "adults" in names
        for at, name in enumerate(heads):
            beside = heads[at - 1] if at and not said[at].joined else ""
            if grown and name == "everyone":
                groups |= set(_ADULTS)
            elif name == "men" and _shared(said, at):
                groups.add("unknown")  # "hommes et femmes avec enfants": are the men alone, too?
            elif "women" in some and name in {"women", "mothers", "women_or_mothers"}:
                groups.add("unknown")
            elif name in {"others", "pregnant", "young_people"} and beside:
                # "Femmes réfugiées", "femmes jeunes": those of them who are.
                groups.discard(beside)
                young = name == "young_people"
                groups |= set(_YOUNG.get(beside, ("unknown",)) if young else ("unknown",))
            else:
                groups |= self._one(name, heads, marks, last=at == len(heads) - 1)
        self._others_after |= "priority" in kinds
        if not groups and "women" in some:
            groups.add("unknown")
        if heads == ["families"] and any(s.told for s in said):
            # "On a card; families admitted": families, too.
            groups |= self._families_too()
        return groups

    def _heads(
        self, names: Sequence[str], marks: Sequence[Signed]
    ) -> tuple[Sequence[str], set[str]]:
        """Return the names that stand for themselves, and who is meant by *persons*, *adults*."""
        heads = [name for name in names if name not in {"adults", "persons"}]
        if heads:
            return heads, set()
        if "adults" in names:
            if any(s.mark.kind == "only" for s in marks):
                self._bars.add("no_children")
            return [], set(_ADULTS)
        alone = any(s.mark.kind == "alone" for s in marks)
        return ([], set(_ADULTS)) if alone else (["persons"], set())

    def _one(
        self, name: str, heads: Sequence[str], marks: Sequence[Signed], *, last: bool
    ) -> set[str]:
        """Return the groups that one name stands for."""
        ages = [s for s in marks if s.mark.kind == "age"]
        childless = [s.mark.value for s in marks if s.mark.kind == "childless"]
        if name in _CHILDREN:
            return self._with_children(name, heads)
        if name in {"others", "pregnant"}:
            return {"unknown"}
        if ages:
            return self._aged(name, ages)
        if childless:
            return _childless(name, childless[0], last=last)
        return set(_PLAIN.get(name, (name,)))

    def _families_too(self) -> set[str]:
        if self._only or self._kinds != {"families"}:
            return set()
        return {"everyone"}

    def _with_children(self, name: str, heads: Sequence[str]) -> set[str]:
        """Return who comes with children: of women alone, mothers."""
        others = {*heads, *self._groups} - {name, "unknown"}
        if name in {"minors", "lone_minors"}:
            return {"unknown"}
        if "everyone" in others:
            return set()
        if others and others <= {"women", "mothers", "women_or_mothers", "young_women"}:
            return {"mothers"}
        if {"women", "men"} <= others or "families" in others:
            return {"families"}
        return {"families"} if name == "with_adult" and not others else {"unknown"}

    def _aged(self, name: str, ages: Sequence[Signed]) -> set[str]:
        groups: set[str] = set()
        for signed in ages:
            mark = signed.mark
            if mark.value == "range" and (
                _YOUNGEST[0] <= mark.low <= _YOUNGEST[1] and _OLDEST[0] <= mark.high <= _OLDEST[1]
            ):
                groups |= set(_YOUNG.get(name, ("unknown",)))
            elif mark.value == "from" and _OF_AGE[0] <= mark.low <= _OF_AGE[1]:
                groups |= set(_PLAIN.get(name, (name,))) - {"unknown"}
                if name in {"everyone", "persons"}:
                    groups = groups - {"everyone", "persons"} | set(_ADULTS)
            elif mark.value == "to" and name.startswith("young") and mark.high <= _OLDEST[1]:
                groups |= set(_YOUNG[name])
            else:
                return {"unknown"}
        return groups

    def _deny(self, signed: Signed, marks: Sequence[Signed]) -> None:
        name = signed.mark.value
        after = marks[next(at for at, s in enumerate(marks) if s is signed) + 1 :]
        lone = bool(after) and after[0].mark.kind == "alone"
        if name == "men" and lone:
            self._bars.add("lone_men")
        elif name in _BARS and not lone:
            self._bars |= set(_BARS[name])
            if name == "adults":
                self._unclear = True
        elif name == "couples" or signed.mark.kind == "others":
            self._groups.add("unknown")
        else:
            self._unclear = True
        if any(s.mark.kind in {"some", "age", "part_time", "childless"} for s in after):
            self._unclear = True

    def _restrict_last(self, last: Sequence[Signed], marks: Sequence[Signed]) -> None:
        """Restrict those named before by what follows in brackets or after a comma."""
        kinds = {s.mark.kind for s in marks}
        if not kinds & {"age", "some", "childless", "part_time", "priority"}:
            return
        said = [s for s in last if s.mark.kind == "group" and s.sign == SAID]
        names = [s.mark.value for s in said]
        for name in names:
            self._groups -= {name, *_PLAIN.get(name, ())}
        self._groups |= self._restricted(names, [*last, *marks], said) if names else {"unknown"}

    def _conditions(self, sentence: Sentence) -> None:
        if any(s.excepted and s.mark.kind not in _PEOPLE for s in sentence.marks):
            animals = all(s.mark.kind == "animals" for s in sentence.marks if s.excepted)
            self._unclear = self._unclear or not animals
        if sentence.of("status", "until") and any(
            s.mark.value != "open" or s.sign != SAID for s in sentence.of("status", "until")
        ):
            self._unclear = True


def _sex(name: str) -> tuple[str, ...]:
    if name in {"women", "mothers", "women_or_mothers", "young_women", "pregnant"}:
        return ("women",)
    if name in {"children", "with_adult"}:
        return ()
    return ("men",) if name in {"men", "young_men"} else _ADULTS


def _childless(name: str, which: str, *, last: bool) -> set[str]:
    """Return a group with children, or with and without."""
    plain = set(_PLAIN.get(name, (name,)))
    with_child = set(_WITH_CHILD.get(name, ("unknown",)))
    if which == "any":
        return plain | with_child
    # "Hommes et femmes avec enfants": nobody knows whether that is of the men.
    return with_child if last else with_child | {"unknown"}


def _shared(said: Sequence[Signed], at: int) -> bool:
    """Tell whether the next name is joined to this one and comes with children."""
    following = said[at + 1 : at + 2]
    return any(s.joined and s.mark.value == "mothers" and "avec" in s.mark.words for s in following)
