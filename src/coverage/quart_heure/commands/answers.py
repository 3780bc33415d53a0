"""Who answers what a command asks: a person on a terminal, or what is known without one."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Sequence

import typer

from quart_heure.commands.speech import tell
from quart_heure.steering import harmless


@dataclasses.dataclass(frozen=True, kw_only=True)
class Desk:
    """Asks, where somebody can answer; else takes what is said to be taken then.

    Parameters
    ----------
    asks
        Whether somebody can answer.
    takes
        Whether what was found is agreed to without a question (``--yes``).
    """

    asks: bool
    takes: bool

    @classmethod
    def of_terminal(cls, *, yes: bool) -> Desk:
        """Return one that asks if stdin and stderr are a terminal, and nobody said yes to all."""
        return cls(asks=not yes and sys.stdin.isatty() and sys.stderr.isatty(), takes=yes)

    def ask(self, question: str, default: str = "") -> str:
        """Return an answer; the default where nobody can give one."""
        if not self.asks:
            return default
        answer: str = typer.prompt(
            question, default=harmless(default), show_default=bool(default), err=True
        )
        return answer.strip()

    def agrees(self, question: str, *, default: bool) -> bool:
        """Return whether somebody says yes; the default where nobody can."""
        while self.asks:
            answer = self.ask(f"{question} (yes, no)", "yes" if default else "no").lower()
            if answer in {"yes", "y", "oui", "o", "no", "n", "non"}:
                return answer[0] in "yo"
            tell(f"{answer!r} is neither yes nor no.")
        return default

    def until(self, question: str, default: str, read: Callable[[str], str]) -> str:
        """Ask until an answer is good; ``read`` says what is wrong with one, "" if nothing is."""
        while True:
            answer = self.ask(question, default)
            wrong = read(answer)
            if not wrong or not self.asks:
                return answer
            tell(wrong)

    def choose(self, question: str, options: Sequence[str], *, none: str = "") -> int:
        """Return which of some options is meant, the first where nobody can say; -1 for none.

        Parameters
        ----------
        question, options
            Shown with a number for each.
        none
            What it means that none is, "" where one must be.
        """
        if not self.asks:
            return 0
        for number, option in enumerate(options, start=1):
            tell(f"  {number}  {option}")
        if none:
            tell(f"  0  {none}")
        numbers = [str(n) for n in range(0 if none else 1, len(options) + 1)]
        answer = self.until(
            question,
            "1",
            lambda said: "" if said in numbers else f"Give a number up to {len(options)}.",
        )
        return int(answer) - 1
