"""Texts of opening hours for comparison with other evaluators: generated, and of real shapes."""

from __future__ import annotations

import datetime as dt
import random

DATES = (
    *("2026-06-15", "2026-06-16", "2026-06-17", "2026-06-18", "2026-06-19", "2026-06-20"),
    *("2026-06-21", "2026-06-22", "2026-07-13", "2026-07-14", "2026-07-15", "2026-08-15"),
    *("2026-08-16", "2026-11-01", "2026-12-24", "2026-12-25", "2026-12-26", "2027-01-01"),
    *("2027-01-02", "2027-03-29", "2026-10-21", "2026-02-10"),
)
TIMES = ("01:30", "10:10", "15:05", "22:20")
MOMENTS = tuple(f"{date}T{time}" for date in DATES for time in TIMES)
"""Ordinary weeks, holidays on weekdays and at week-ends, summer, the turn of the year."""


def moments() -> list[dt.datetime]:
    return [dt.datetime.fromisoformat(text) for text in MOMENTS]


_WEEK = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class _Writer:
    """Writes texts at random that are in the syntax."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def _one(self, *choices: str) -> str:
        return self._random.choice(choices)

    def _comma(self) -> str:
        return self._one(",", ",", ", ")

    def days(self) -> str:
        first, last = self._random.sample(_WEEK, 2)
        return self._one(
            f"{first}-{last}", "Mo-Fr", "Mo-Sa", "Sa-Su", first, "Mo-Su",
            f"{first}{self._comma()}{last}",
            self._comma().join(self._random.sample(_WEEK, 3)),
            f"Mo-We{self._comma()}Fr", f"Tu-Th{self._comma()}Sa",
        )  # fmt: skip

    def clock(self, least: int = 6, most: int = 23) -> str:
        return f"{self._random.randint(least, most):02}:{self._one('00', '00', '15', '30', '45')}"

    def day_times(self) -> str:
        opens, pause = self._random.randint(6, 11), self._random.randint(12, 13)
        again, close = self._random.randint(14, 16), self._random.randint(17, 23)
        return self._one(
            f"{opens:02}:00-{close:02}:00", f"{opens:02}:30-{pause}:30",
            f"{opens:02}:00-{pause}:00{self._comma()}{again}:00-{close}:30",
            f"{again}:00-{close}:00",
        )  # fmt: skip

    def night_times(self) -> str:
        return f"{self.clock(17, 22)}-{self.clock(0, 9)}"

    def sun_times(self) -> str:
        return self._one(
            "sunrise-sunset", "dawn-dusk", "08:00-sunset", "sunrise-20:00", "sunset-02:00",
            "(sunrise+01:00)-(sunset-01:30)", "10:00-dusk", "dusk-dawn", "sunset-sunrise",
            "07:00-(sunset+01:00)",
        )  # fmt: skip

    def date(self) -> str:
        return f"{self._one(*_MONTHS)} {self._random.randint(1, 28):02}"

    def dates(self) -> str:
        first, last = self._random.sample(_MONTHS, 2)
        return self._one(
            f"{first}-{last}", first, self.date(), f"{self.date()}-{self.date()}",
            f"{first}{self._comma()}{last}", "Dec 24-Jan 02", "Jul 14", "Jul-Aug",
            f"Dec 25{self._comma()}Jan 01", f"{first} 01-15", "Jun 15-Sep 15", "Nov-Mar",
            "Jan 01,May 01,Jul 14,Aug 15,Dec 25", "easter", "easter -2 days", "easter +1 day",
            "2026 Jun 01-2026 Aug 31", "2026 Dec 20-2027 Jan 03", "2027",
        )  # fmt: skip

    def holidays(self) -> str:
        return self._one("PH", "PH", "PH", "PH +1 day", "PH -1 day")

    def off(self) -> str:
        return self._one("off", "off", "closed")

    def rule(self) -> str:
        kind = self._random.randint(0, 24)
        days, times = self.days(), self.day_times()
        return {
            0: f"{days} {times}", 1: f"{days} {times}", 2: f"{days} {times}",
            3: f"{days} {self.night_times()}", 4: f"{days} {self.night_times()}",
            5: f"{days} {self.off()}", 6: f"{self.holidays()} {self.off()}",
            7: f"PH {days} {self._one(self.off(), times)}",
            8: f"{self._one('PH', 'Su')}{self._comma()}{days} {self._one(self.off(), times)}",
            9: f"{days}{self._comma()}PH {self._one(self.off(), times)}",
            10: f"{self.dates()} {self.off()}", 11: f"{self.dates()} {days} {times}",
            12: f"{self.dates()}: {days} {times}",
            13: f"{self.dates()} {days} {self.night_times()}",
            14: f"week {self._random.randint(1, 26):02}-{self._random.randint(27, 53)}"
                f"{self._one('', '/2', '/3')} {days} {times}",
            15: f"{days} {self.sun_times()}", 16: f"{self.dates()} {self.sun_times()}",
            17: f"{self._one(*_WEEK)}[{self._one('1', '2', '-1', '1,3', '2-4')}] {times}",
            18: f'{days} {times} "{self._one("sur rendez-vous", "accueil au 2e", "x; y")}"',
            19: f"{days} {times} unknown", 20: f"PH {times}", 21: f"{days} {self.clock(8, 21)}+",
            22: f"SH {self._one(self.off(), f'{days} {times}')}",
            23: f"{days} {self.clock(12, 13)}-{self.clock(14, 15)} {self.off()}",
            24: self._one(times, days, f"{days} open"),
        }[kind]  # fmt: skip

    def text(self) -> str:
        first = self._one(
            f"{self.days()} {self.day_times()}", f"{self.days()} {self.night_times()}", "24/7",
            self.day_times(), self.night_times(), self.rule(), self.rule(), self.sun_times(),
        )  # fmt: skip
        rules = [first]
        joints = ("; ", "; ", "; ", ";", *(() if first == "24/7" else (", ",)))
        rules += [self._one(*joints) + self.rule() for _ in range(self._random.randint(0, 3))]
        end = self._one(*[""] * 8, ";", ' || "sur rendez-vous"', " || unknown", " || off")
        return "".join(rules) + end


def generated(n: int, seed: int) -> list[str]:
    """Return that many different texts, always the same for a seed."""
    writer = _Writer(seed)
    found: dict[str, None] = {}
    while len(found) < n:
        found[writer.text()] = None
    return list(found)


def clusters() -> list[list[int]]:
    """Return the positions of the moments, those of one month together."""
    months = [text[:7] for text in MOMENTS]
    return [[k for k, one in enumerate(months) if one == month] for month in sorted(set(months))]
