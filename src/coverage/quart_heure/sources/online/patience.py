"""Servers that are busy, slow or away: what an answer is worth, and whose turn it is."""

from __future__ import annotations

import datetime
import email.utils
import html
import json
import re
import urllib.parse
from collections.abc import Callable, Sequence

import requests

from quart_heure.errors import InputFileError, QuartHeureError, TryLaterError

_HINT = "Run the same command later: what was answered is kept. Or name another --mirror."
_TELLING = re.compile("turned off|line [0-9]+: ")
_LOOK_S = 15.0
_SMALLER = " If it fails again, take a smaller area, or a file of OpenStreetMap data."
HOPELESS = frozenset({301, 308, 400, 401, 403, 404, 405, 406, 410, 413, 414, 415, 422})
"""Statuses that the same question would get again."""

_NO_ADDRESS = "Check the addresses of the servers: an Overpass server's ends in /api."
_NO_PAST = "Name a --mirror that keeps the past (attic data), or leave --date out."
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
    ran_out
        Whether it used up the time or the memory that it declared.
    status
        The HTTP status, 0 where it is not what was wrong.
    again_s
        Seconds after which to look again, which costs the server nothing; 0 where it does.
    duplicate
        Whether the server wants another text of the same question, at once.
    hopeless
        Whether it would not answer later either.
    """

    def __init__(
        self,
        why: str,
        *,
        retry_after_s: float = 0.0,
        too_large: bool = False,
        ran_out: bool = False,
        status: int = 0,
        again_s: float = 0.0,
        duplicate: bool = False,
        hopeless: bool = False,
    ) -> None:
        super().__init__(why)
        self.why = why
        self.retry_after_s = retry_after_s
        self.too_large = too_large
        self.ran_out = ran_out
        self.status = status
        self.again_s = again_s
        self.duplicate = duplicate
        self.hopeless = hopeless


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
        self._looked_s = 0.0
        self._refusals: dict[str, Refusal] = {}

    def next(self) -> str:
        """Return the server whose turn it is, after a pause if all had theirs.

        Raises
        ------
        TryLaterError
            If no patience is left.
        InputFileError
            If no server is left that may answer later.
        """
        if not self._ready_s:
            raise self._end()
        if not self._queue:
            self._pause()
            self._queue = [s for s, ready in self._ready_s.items() if ready <= self._waited_s]
        return self._queue.pop(0)

    def refused(self, server: str, refusal: Refusal, *, at_once: bool = False) -> None:
        """Note that a server did not answer; it may be asked again at once."""
        self._say(f"{self._what}: {host_of(server)}: {refusal.why}")
        self._refusals[server] = refusal
        if refusal.hopeless:
            del self._ready_s[server]
            return
        self._ready_s[server] = self._waited_s + refusal.retry_after_s
        if at_once:
            self._queue.insert(0, server)

    def begin_again(self) -> None:
        """Start with short pauses again: part of the answer has come."""
        self._rounds = 0

    def _pause(self) -> None:
        soonest_s = min(self._ready_s.values()) - self._waited_s
        if soonest_s > self._longest_wait_s:
            raise self._end()
        looks_s = [self._refusals[s].again_s for s in self._ready_s if self._refusals[s].again_s]
        if looks_s and self._looked_s < self._longest_wait_s:
            # A look costs no patience, until it has taken as long as the longest wait.
            pause_s = max(min(looks_s), soonest_s)
            self._looked_s += pause_s
        elif self._rounds == len(self._pauses_s):
            raise self._end()
        else:
            pause_s = max(self._pauses_s[self._rounds], soonest_s)
            self._rounds += 1
        self._say(f"{self._what}: trying again in {pause_s:.0f} s")
        self._wait(pause_s)
        self._waited_s += pause_s

    def _end(self) -> QuartHeureError:
        said = "; ".join(f"{host_of(s)}: {refusal.why}" for s, refusal in self._refusals.items())
        msg = f"No server gave the {self._what} ({said})."
        if not self._ready_s:
            attic = any(not refusal.status for refusal in self._refusals.values())
            return InputFileError(msg, hint=_NO_PAST if attic else _NO_ADDRESS)
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


def keep_content(response: requests.Response, *, largest_mb: float = LARGEST_MB) -> None:
    """Bring a whole answer into the memory, unpacked, but no more of it than may be.

    Raises
    ------
    Refusal
        If it is larger.
    """
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
    content = response.content.strip()
    said = _red_words(content)
    if response.status_code != requests.codes.ok:
        # What it says of too many requests and of being busy speaks of its sockets.
        known = response.status_code in _WORDS and not _TELLING.search(said)
        check_status(response, "" if known else said)
    if "duplicate_query" in said:
        msg = f"the same question is refused a fourth time within its time limit ({said})"
        raise Refusal(msg, duplicate=True)
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
        raise Refusal(
            why,
            retry_after_s=_retry_after_s(response),
            too_large=status == 413,
            status=status,
            hopeless=status in HOPELESS - {413},
        )


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
        ran_out = re.search(r"out of memory|timed out|timeout|maxsize", remark) is not None
        # A date is asked for, and the server keeps no day but the last.
        no_past = "no museum files" in remark
        words = remark.strip()[:200]
        raise Refusal(words, too_large=ran_out, ran_out=ran_out, hopeless=no_past)


def _red_words(content: bytes) -> str:
    """Return what a page of an Overpass server says in red, "" if it is none."""
    found = re.search(rb"<strong[^>]*>Error</strong>:(.{1,400}?)</p>", content[:20_000], re.DOTALL)
    return html.unescape(found[1].decode(errors="replace")).strip()[:200] if found else ""


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
    text = response.text
    if not response.ok or re.search(r"^[1-9]\d* slots? available now", text, re.MULTILINE):
        return
    waits = re.findall(r"^Slot available after:.*\bin (-?\d+) seconds", text, re.MULTILINE)
    if waits:
        wait_s = float(min(map(int, waits)))
        if wait_s > 0:
            msg = "no slot is free"
            raise Refusal(msg, retry_after_s=wait_s)
        return
    # With a question running in each slot it names neither a free one nor a time.
    limit = re.search(r"^Rate limit: (\d+)$", text, re.MULTILINE)
    running = re.findall(r"^\d+\t\d+\t\d+\t", text, re.MULTILINE)
    if limit and 0 < int(limit[1]) <= len(running):
        msg = "a question runs in every slot"
        raise Refusal(msg, again_s=_LOOK_S)
