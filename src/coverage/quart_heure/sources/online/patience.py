"""Servers that are busy, slow or away: what an answer is worth, and whose turn it is."""

from __future__ import annotations

import datetime
import email.utils
import json
import re
import urllib.parse
from collections.abc import Callable, Sequence

import requests

from quart_heure.errors import TryLaterError

_HINT = "Run the same command later: what was answered is kept. Or name another --mirror."
_SMALLER = " If it fails again, take a smaller area, or a file of OpenStreetMap data."
_WORDS = {
    400: "did not understand the question",
    401: "wants to know who we are",
    403: "refuses us",
    404: "has nothing at that address",
    429: "too many requests",
    502: "away behind its gateway",
    503: "not in service",
    504: "too busy",
}


class Refusal(Exception):  # noqa: N818 - it is caught within the sources and never shown as such
    """One server did not answer, or not well.

    Parameters
    ----------
    why
        What it did instead.
    retry_after_s
        Seconds after which it asks to be asked again.
    too_large
        Whether a smaller request may succeed.
    status
        The HTTP status, 0 where it is not what was wrong.
    """

    def __init__(
        self,
        why: str,
        *,
        retry_after_s: float = 0.0,
        too_large: bool = False,
        status: int = 0,
    ) -> None:
        super().__init__(why)
        self.why = why
        self.retry_after_s = retry_after_s
        self.too_large = too_large
        self.status = status


class Turns:
    """Servers in order, none before the time it asked for, with pauses that grow.

    Parameters
    ----------
    servers
        Addresses.
    what
        What is asked for, for messages.
    pauses_s
        Pauses after rounds without an answer.
    longest_wait_s
        No wait is longer.
    wait
        Waits some seconds.
    say
        Told of every refusal and every wait.
    hint
        What to do when no patience is left.
    """

    def __init__(
        self,
        servers: Sequence[str],
        *,
        what: str,
        pauses_s: Sequence[float],
        longest_wait_s: float,
        wait: Callable[[float], None],
        say: Callable[[str], None],
        hint: str = "",
    ) -> None:
        self._what = what
        self._hint = hint
        self._pauses_s = pauses_s
        self._longest_wait_s = longest_wait_s
        self._wait = wait
        self._say = say
        self._queue = list(servers)
        # Counted in seconds of waiting, which time that passes otherwise only adds to.
        self._waited_s = 0.0
        self._ready_s = dict.fromkeys(servers, 0.0)
        self._rounds = 0
        self._refusals: dict[str, Refusal] = {}

    def next(self) -> str:
        """Return the server whose turn it is, after a pause if all had theirs.

        Raises
        ------
        TryLaterError
            If no patience is left.
        """
        if not self._queue:
            self._pause()
            self._queue = [s for s, ready in self._ready_s.items() if ready <= self._waited_s]
        return self._queue.pop(0)

    def refused(self, server: str, refusal: Refusal, *, at_once: bool = False) -> None:
        """Note that a server did not answer; it may be asked again at once."""
        self._say(f"{self._what}: {host_of(server)}: {refusal.why}")
        self._refusals[server] = refusal
        self._ready_s[server] = self._waited_s + refusal.retry_after_s
        if at_once:
            self._queue.insert(0, server)

    def begin_again(self) -> None:
        """Start with short pauses again: part of the answer has come."""
        self._rounds = 0

    def _pause(self) -> None:
        soonest_s = min(self._ready_s.values()) - self._waited_s
        if self._rounds == len(self._pauses_s) or soonest_s > self._longest_wait_s:
            raise self._end()
        pause_s = max(self._pauses_s[self._rounds], soonest_s)
        self._rounds += 1
        self._say(f"{self._what}: trying again in {pause_s:.0f} s")
        self._wait(pause_s)
        self._waited_s += pause_s

    def _end(self) -> TryLaterError:
        said = "; ".join(f"{host_of(s)}: {refusal.why}" for s, refusal in self._refusals.items())
        msg = f"No server gave the {self._what} ({said})."
        hint = self._hint or _HINT
        if not self._hint and any(refusal.too_large for refusal in self._refusals.values()):
            hint += _SMALLER
        return TryLaterError(msg, hint=hint)


def host_of(address: str) -> str:
    """Return the host and port of an address."""
    # Without a name and a password that may stand before it.
    return urllib.parse.urlsplit(address).netloc.rpartition("@")[2] or address


LARGEST_MB = 500.0
"""Larger answers of OpenStreetMap's servers are given up: unpacked, they fill the memory."""


def keep_content(response: requests.Response, *, largest_mb: float | None = None) -> None:
    """Bring a whole answer into the memory, unpacked, but no more of it than may be.

    Raises
    ------
    Refusal
        If it is larger.
    """
    largest_mb = LARGEST_MB if largest_mb is None else largest_mb
    pieces, size = [], 0
    # Nothing is to be had of a redirection but where it leads.
    for piece in () if response.is_redirect else response.iter_content(1 << 16):
        size += len(piece)
        if size > largest_mb * 1e6:
            response.close()
            msg = f"an answer of more than {largest_mb:g} MB"
            raise Refusal(msg, too_large=True)
        pieces.append(piece)
    # As requests itself keeps it: whoever asks for the content gets this.
    response._content = b"".join(pieces)
    response._content_consumed = True  # type: ignore[attr-defined]


def check_answer(response: requests.Response) -> None:
    """Refuse an answer that is not whole.

    Raises
    ------
    Refusal
        For a status other than 200, a page instead of data, data that is cut short, and remarks: a
        server that runs out of time or memory says 200, gives what it has and adds a remark.
    """
    check_status(response)
    content = response.content.strip()
    check_json(content)
    if content.startswith(b"{") and b'"elements"' not in content[:5000]:
        msg = "data without any elements"
        raise Refusal(msg)
    # The remark stands behind the elements; a tag of that name does, too, once in a while.
    if b'"remark"' in content[-4000:]:
        _check_remark(content)


def check_status(response: requests.Response, words: str = "") -> None:
    """Refuse every status but 200, with the words of the server if it has any.

    Raises
    ------
    Refusal
        If it is another.
    """
    status = response.status_code
    if status != requests.codes.ok:
        why = f"HTTP {status} ({words or _WORDS.get(status, response.reason)})"
        wait_s = _retry_after_s(response)
        raise Refusal(why, retry_after_s=wait_s, too_large=status == 413, status=status)


def check_json(content: bytes) -> None:
    """Refuse, at a glance, what is a page instead of data, or cut short.

    Raises
    ------
    Refusal
        If the content, without blanks around it, does not begin and end as JSON does.
    """
    if not content.startswith((b"{", b"[")):
        title = re.search(rb"<title>([^<]{1,80})", content)
        words = f" ({title[1].decode(errors='replace').strip()})" if title else ""
        msg = f"a page instead of data{words}"
        raise Refusal(msg)
    if not content.endswith((b"}", b"]")):
        msg = "data that is cut short"
        raise Refusal(msg)


def _check_remark(content: bytes) -> None:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError) as error:
        msg = "data that is cut short, or makes no sense"
        raise Refusal(msg) from error
    remark = str(answer.get("remark", "")) if isinstance(answer, dict) else ""
    if remark:
        too_large = re.search(r"out of memory|timed out|timeout|maxsize", remark) is not None
        raise Refusal(remark.strip()[:200], too_large=too_large)


def _retry_after_s(response: requests.Response) -> float:
    """Read the header Retry-After: seconds or a date."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdigit():
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
        return max((moment - datetime.datetime.now(datetime.UTC)).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return 0.0


def wait_for_slot(server: str, *, user_agent: str, timeout_s: float) -> None:
    """Ask an Overpass server whether we may ask.

    Raises
    ------
    Refusal
        If it names a time to wait for. A server that says nothing of the kind may be asked: some
        have no such page, and the answer to the question itself will tell.
    """
    try:
        response = requests.get(
            f"{server.rstrip('/')}/status",
            headers={"User-Agent": user_agent},
            timeout=min(timeout_s, 30),
            stream=True,
            hooks={"response": lambda answer, *_, **__: keep_content(answer, largest_mb=1.0)},
        )
    except (requests.RequestException, Refusal):
        return
    if re.search(r"^[1-9]\d* slots? available now", response.text, re.MULTILINE):
        return
    waits = re.findall(r"^Slot available after:.*\bin (\d+) seconds", response.text, re.MULTILINE)
    if response.ok and waits:
        msg = "no slot is free"
        raise Refusal(msg, retry_after_s=float(min(map(int, waits))))
