"""Audience: whom each service admits, for one kind of person.

A wrong *yes* sends somebody to a closed door: what the sources do not say is *perhaps*, never yes.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from quart_heure.analysis.states import NO, PERHAPS, YES, combine_states
from quart_heure.errors import StudyFileError
from quart_heure.hints import nearest_hint
from quart_heure.sources.texts import fold

__all__ = ["Person", "admission", "combined_person", "get_person"]

FILTERS = ("audience", "referral", "animals", "step_free")
"""What a person may be asked or ask for, in the order in which a refusal is told."""

FILTER_COLUMNS = ("filter", "category", "kept", "perhaps", "left_out")

Sex = Literal["", "woman", "man"]
"""Of a person, ``""`` where it is not said."""

_SEXES = ("woman", "man")

_COLUMNS_TOLD = {
    "referral": ("access", "walk_in", "referral"),
    "animals": ("animals", "yes", "no"),
    "step_free": ("wheelchair", "yes", "no"),
}
"""Where a filter is told, and the words for yes and for no: any other is unknown."""


_GROUPS: Mapping[str, tuple[str, bool, bool]] = {
    "everyone": ("", False, False),
    "women": ("woman", False, False),
    "men": ("man", False, False),
    "families": ("", False, True),
    "mothers": ("woman", False, True),
    "young_people": ("", True, False),
    "young_women": ("woman", True, False),
    "young_men": ("man", True, False),
}
"""What a group asks of a person: sex, being young, having children."""

_BARS: Mapping[str, tuple[str, bool, bool]] = {
    "no_women": ("woman", False, False),
    "no_men": ("man", False, False),
    "no_children": ("", False, True),
    "no_young_people": ("", True, False),
}
"""Who is not admitted, though of a group that is."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who looks for a service.

    Parameters
    ----------
    name
        Identifier, as written in a study file.
    sex
        ``woman``, ``man``, or ``""`` where it is not said.
    young
        Between 16 and 25 or so, as places for young people have it.
    with_child
        With children.
    with_dog
        With a dog that must be admitted.
    without_referral
        With no card, ticket or letter of a social worker.
    wheelchair
        Needs a place that is entered without steps.

    Raises
    ------
    StudyFileError
        If the sex is none of these.
    """

    name: str
    sex: Sex = ""
    young: bool = False
    with_child: bool = False
    with_dog: bool = False
    without_referral: bool = False
    wheelchair: bool = False

    def __post_init__(self) -> None:
        """Refuse a word that would filter nothing."""
        if self.sex not in ("", *_SEXES):
            msg = f"Person {self.name!r}: sex is {self.sex!r}."
            raise StudyFileError(msg, hint=f"Give {' or '.join(_SEXES)}, or leave it out.")

    @property
    def asks(self) -> tuple[str, ...]:
        """The filters that this person needs, of `FILTERS`."""
        needed = {
            "audience": bool(self.sex) or self.young or self.with_child,
            "referral": self.without_referral,
            "animals": self.with_dog,
            "step_free": self.wheelchair,
        }
        return tuple(name for name in FILTERS if needed[name])


PERSONS: Mapping[str, Person] = {
    person.name: person
    for person in (
        Person(name="woman", sex="woman"),
        Person(name="woman_with_child", sex="woman", with_child=True),
        Person(name="man", sex="man"),
        Person(name="man_with_child", sex="man", with_child=True),
        Person(name="family", with_child=True),
        Person(name="young", young=True),
        Person(name="with_dog", with_dog=True),
        Person(name="without_referral", without_referral=True),
        Person(name="wheelchair", wheelchair=True),
    )
}
"""Persons by name; `combined_person` puts several together."""


@dataclasses.dataclass(frozen=True, eq=False)
class Admission:
    """Whether each service admits a person.

    Parameters
    ----------
    state
        `NO`, `PERHAPS` or `YES` of `quart_heure.analysis.states`, all filters together; shape (n,).
    reason
        Why not: ``""`` unless the state is `NO`; shape (n,).
    by_filter
        The state by each filter that the person asks for.
    """

    state: NDArray[np.int8]
    reason: NDArray[np.object_]
    by_filter: Mapping[str, NDArray[np.int8]]


_FRENCH = {
    "femme": "woman",
    "femme_avec_enfant": "woman_with_child",
    "homme": "man",
    "homme_avec_enfant": "man_with_child",
    "famille": "family",
    "jeune": "young",
    "avec_chien": "with_dog",
    "avec_un_chien": "with_dog",
    "sans_orientation": "without_referral",
    "fauteuil": "wheelchair",
    "en_fauteuil_roulant": "wheelchair",
}


def get_person(name: str, own: Collection[Person] = ()) -> Person:
    """Return the person of that name: one of ``own``, else of `PERSONS`, in either language.

    Hyphens and blanks may stand for underscores.

    Examples
    --------
    >>> get_person("femme").name, get_person("Femme avec enfants").name
    ('woman', 'woman_with_child')

    Raises
    ------
    StudyFileError
        If there is none; the message suggests the nearest.
    """
    known = {**PERSONS, **{person.name: person for person in own}}
    plain = re.sub(r"[-\s]+", "_", name.strip())
    small = fold(plain)
    for key in (name, plain, small, _FRENCH.get(small, ""), _FRENCH.get(small.rstrip("s"), "")):
        if key in known:
            return known[key]
    msg = f"There is no person {name!r}."
    otherwise = f"Known: {', '.join(known)}."
    near = nearest_hint(small, [*known, *_FRENCH], otherwise)
    raise StudyFileError(msg, hint=near)


def combined_person(persons: Sequence[Person]) -> Person:
    """Put persons together: a woman, with a dog.

    Examples
    --------
    >>> both = combined_person([get_person("woman"), get_person("with-dog")])
    >>> both.name, both.asks
    ('woman+with_dog', ('audience', 'animals'))

    Raises
    ------
    StudyFileError
        If one is a woman and another a man.
    """
    once = list(dict.fromkeys(persons))
    sexes: set[Sex] = {person.sex for person in once if person.sex}
    if len(sexes) > 1:
        msg = f"Nobody is {' and '.join(person.name for person in once)} at once."
        raise StudyFileError(msg, hint="Run the analysis once for each.")
    flags = ("young", "with_child", "with_dog", "without_referral", "wheelchair")
    return Person(
        name="+".join(person.name for person in once),
        sex=next(iter(sexes), ""),
        **{flag: any(getattr(person, flag) for person in once) for flag in flags},
    )


def admission(services: pd.DataFrame, person: Person | None) -> Admission:
    """Tell which services admit a person.

    Parameters
    ----------
    services
        Columns admits, access, animals and wheelchair; one that is missing is unknown.
    person
        Nobody in particular is admitted everywhere.

    Notes
    -----
    *Audience*: a place for everyone admits everyone. Else one of the groups the person is of must
    be named: women, men, young people, families and mothers (with children). A place for women
    that says nothing of children is *perhaps* for a woman with children. Where the sex is not said,
    a place for women or for men alone is *perhaps*, as is anybody where ``unknown`` stands beside
    the groups. Whom a word such as ``no_children`` bars is refused. *Referral*: ``access`` is
    ``referral``. *Animals* and *step-free*: as said; ``limited`` is *perhaps*.
    """
    n = len(services)
    found: dict[str, NDArray[np.int8]] = {}
    if person is not None:
        for name in person.asks:
            found[name] = (
                _audience(services, person)
                if name == "audience"
                else _told(services, *_COLUMNS_TOLD[name])
            )
    state = combine_states(np.full(n, YES, dtype=np.int8), *found.values())
    reason = np.full(n, "", dtype=object)
    for name in reversed(found):
        reason[found[name] == NO] = f"not for this person ({name})"
    return Admission(state, reason, found)


def filter_table(
    admitted: Admission, categories: pd.Series[str], eligible: NDArray[np.bool_]
) -> pd.DataFrame:
    """Count, per filter and category, the services that are kept, perhaps kept and left out.

    Parameters
    ----------
    admitted
        Of each service.
    categories
        Of each service.
    eligible
        Services that count for somebody: the others are in no row; shape (n,).

    Returns
    -------
    pandas.DataFrame
        Columns `FILTER_COLUMNS`; the filter ``all`` is all of them together. Empty where nothing
        is asked.
    """
    states = {**admitted.by_filter, "all": admitted.state} if admitted.by_filter else {}
    category = categories.to_numpy(dtype=object)
    rows = [
        (name, one, *(int(np.count_nonzero(here & (state == s))) for s in (YES, PERHAPS, NO)))
        for name, state in states.items()
        for one in dict.fromkeys(category)
        for here in [eligible & (category == one)]
    ]
    return pd.DataFrame(rows, columns=list(FILTER_COLUMNS))


def leave_out_refused(
    services: pd.DataFrame, person: Person | None
) -> tuple[pd.DataFrame, NDArray[np.int8]]:
    """Leave out the services that do not admit a person, mark those that perhaps do; count both.

    Parameters
    ----------
    services
        Changed in place: columns counted and left_out_reason, and perhaps, which is added.

    Returns
    -------
    filters, admitted
        As `filter_table` counts them, and the state of each service.
    """
    admitted = admission(services, person)
    eligible = services["counted"].to_numpy(copy=True)
    refused = eligible & (admitted.state == NO)
    services.loc[refused, "counted"] = False
    services.loc[refused, "left_out_reason"] = admitted.reason[refused].astype(str)
    services["perhaps"] = eligible & (admitted.state == PERHAPS)
    return filter_table(admitted, services["category"], eligible), admitted.state


def _audience(services: pd.DataFrame, person: Person) -> NDArray[np.int8]:
    told = _words(services, "admits")
    states = {word: _one_audience(word, person) for word in set(told)}
    return np.array([states[word] for word in told], dtype=np.int8)


def _one_audience(admits: str, person: Person) -> int:
    """Return the state of one place: the best of the groups it names, less whom it bars."""
    named = {word.strip() for word in admits.split(";")} - {""}
    groups = named & _GROUPS.keys()
    # Where others may be admitted, too, or nobody is named, nobody is refused for that.
    open_ended = "unknown" in named or not groups
    best = max([_in_group(person, group) for group in groups], default=NO)
    barred = min([_not_barred(person, bar) for bar in named & _BARS.keys()], default=YES)
    return min(max(best, PERHAPS) if open_ended else best, barred)


def _in_group(person: Person, group: str) -> int:
    """Tell whether a person is of a group: perhaps, where the sex or children are not said."""
    if group == "everyone":
        return YES
    sex, young, with_child = _GROUPS[group]
    if (young and not person.young) or (with_child and not person.with_child):
        return NO
    if sex and person.sex not in ("", sex):
        return NO
    return PERHAPS if (sex and not person.sex) or (person.with_child and not with_child) else YES


def _not_barred(person: Person, bar: str) -> int:
    sex, young, with_child = _BARS[bar]
    if (young and person.young) or (with_child and person.with_child):
        return NO
    if not sex:
        return YES
    return PERHAPS if not person.sex else NO if person.sex == sex else YES


def _told(services: pd.DataFrame, column: str, yes: str, no: str) -> NDArray[np.int8]:
    states = {yes: YES, no: NO}
    told = [states.get(word, PERHAPS) for word in _words(services, column)]
    return np.array(told, dtype=np.int8)


def _words(services: pd.DataFrame, column: str) -> list[str]:
    if column not in services:
        return [""] * len(services)
    return [str(word).strip() for word in services[column]]
