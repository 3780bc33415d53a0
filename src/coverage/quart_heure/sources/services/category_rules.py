"""Categories of rows: by what a column says, by the whole file, or by a rule on the name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from quart_heure.categories import Category
from quart_heure.errors import CategoryError, StudyFileError
from quart_heure.sources.texts import fold, on_distinct

_LONGEST_NAME = 200

Rule = tuple[str, re.Pattern[str]]
"""A category, and what its places are called."""


def category_words(catalogue: Mapping[str, Category]) -> dict[str, str]:
    """Return every word for a category, without case, accents and signs, with the category's id.

    Ids come first, then labels, then what portals say: a word of two categories is the first's.
    """
    words: dict[str, str] = {}
    for read in (
        lambda category: (category.id,),
        lambda category: (category.fr, category.en),
        lambda category: category.portal,
    ):
        for category in catalogue.values():
            for word in read(category):
                words.setdefault(_plain(word), category.id)
    words.pop("", None)
    return words


def read_categories(texts: Sequence[str], catalogue: Mapping[str, Category]) -> list[str]:
    """Return the category that each text of a column means, "" if none."""
    words = category_words(catalogue)
    return on_distinct(
        texts, lambda text: text if text in catalogue else words.get(_plain(text), "")
    )


def compile_rules(
    rules: Mapping[str, str | Sequence[str]], catalogue: Mapping[str, Category], *, where: str
) -> tuple[Rule, ...]:
    """Make rules of what a study writes: a regular expression, or a list of words, per category.

    Case and accents do not count; a word of a list is found as a whole word.

    Raises
    ------
    CategoryError
        If a rule is for a category that does not exist.
    StudyFileError
        If an expression cannot be read.
    """
    compiled = []
    for category, rule in rules.items():
        if category not in catalogue:
            msg = f"{where}: there is a rule for a category {category!r} that does not exist."
            raise CategoryError(msg, hint=f"Categories are {', '.join(catalogue)}.")
        if isinstance(rule, str):
            pattern = _without_accents(rule)
        else:
            pattern = "|".join(rf"(?<!\w){re.escape(fold(word))}(?!\w)" for word in rule) or "(?!)"
        try:
            compiled.append((category, re.compile(pattern, re.IGNORECASE)))
        except (re.error, RecursionError, OverflowError) as error:
            msg = f"{where}: the rule of {category!r} is no regular expression ({error})."
            raise StudyFileError(msg, hint="Or give a list of words in brackets.") from error
    return tuple(compiled)


def first_rule(names: Sequence[str], rules: Sequence[Rule]) -> list[str]:
    """Return the category of the first rule that each name fits, "" if none does."""

    def read(name: str) -> str:
        plain = fold(name[:_LONGEST_NAME])
        return next((category for category, pattern in rules if pattern.search(plain)), "")

    return on_distinct(names, read)


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", fold(text[:_LONGEST_NAME]))


def _without_accents(pattern: str) -> str:
    # Not `fold`: small letters would turn \S into \s.
    apart = unicodedata.normalize("NFKD", pattern)
    return "".join(sign for sign in apart if not unicodedata.combining(sign))
