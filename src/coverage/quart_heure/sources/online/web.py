"""The other servers: portals, the State's services. Asked with patience, whole answers or an end.

What an answer is worth and when to ask again is decided as for OpenStreetMap's servers
(see `quart_heure.sources.online.patience`). Keys are sent and never told: not in messages, not in
errors.
"""

from __future__ import annotations

import dataclasses
import json
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import requests

from quart_heure.errors import InputFileError
from quart_heure.sources.online.patience import (
    HOPELESS,
    Refusal,
    Turns,
    check_json,
    check_status,
    host_of,
)

_ELSEWHERE = frozenset({301, 302, 303, 307, 308})

_TOO_LARGE = 413
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_CHUNK = 1 << 16

_Answer = TypeVar("_Answer")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Patience:
    """How long servers are waited for.

    Parameters
    ----------
    timeout_s
        Seconds without a byte after which an answer is given up.
    slowest_s
        Seconds after which an answer is given up even if bytes still come.
    pauses_s
        Pauses between tries; their number is that of the retries.
    longest_wait_s
        A server that asks for a longer wait is given up.
    largest_mb
        Larger answers are given up.
    user_agent
        How the requests call themselves.
    wait
        Called with a number of seconds to wait.
    """

    timeout_s: float = 60.0
    slowest_s: float = 3600.0
    pauses_s: tuple[float, ...] = (5.0, 20.0, 60.0, 120.0)
    longest_wait_s: float = 600.0
    largest_mb: float = 300.0
    user_agent: str = "quart-heure"
    wait: Callable[[float], None] = time.sleep


class Web:
    """Servers other than OpenStreetMap's.

    Parameters
    ----------
    patience
        How long they are waited for.
    say
        Told each step.

    Notes
    -----
    Every method raises `TryLaterError` when no whole answer comes, and `InputFileError` when the
    server says that the question itself is wrong; `hopeless_status` then gives its status.
    """

    def __init__(
        self, patience: Patience | None = None, *, say: Callable[[str], None] | None = None
    ) -> None:
        self._patience = patience or Patience()
        self._say = say or (lambda _: None)

    @property
    def patience(self) -> Patience:
        """How long servers are waited for."""
        return self._patience

    def say(self, step: str) -> None:
        """Tell a step."""
        self._say(step)

    def json(
        self,
        what: str,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        post: Any = None,
        key: str = "",
    ) -> Any:
        """Ask for JSON.

        Parameters
        ----------
        what
            What is asked for, for messages.
        url, params
            The address, and what stands behind its question mark.
        post
            What to send, as JSON; without it the request is a GET.
        key
            The user's own key, sent as ``Authorization``; redirections are not followed then, nor
            where anything is posted.
        """

        def attempt() -> Any:
            content = self._content(url, params=params, post=post, key=key).strip()
            check_json(content)
            try:
                return json.loads(content)
            except (ValueError, RecursionError) as error:
                msg = "data that is cut short or makes no sense"
                raise Refusal(msg) from error

        return self._ask(what, url, attempt, key=key)

    def csv(
        self, what: str, url: str, *, file: bytes, fields: Mapping[str, str | Sequence[str]]
    ) -> str:
        """Send a CSV file with the fields of a form to that address alone, and get one back."""

        def attempt() -> str:
            form = {"data": ("addresses.csv", file, "text/csv")}
            content = self._content(url, files=form, fields=fields).strip()
            if content.startswith(b"<") or not content:
                msg = "a page instead of data" if content else "an empty answer"
                raise Refusal(msg)
            try:
                return content.decode("utf-8-sig")
            except UnicodeDecodeError as error:
                msg = "data that makes no sense"
                raise Refusal(msg) from error

        return self._ask(what, url, attempt)

    def download(self, what: str, url: str, path: Path, *, largest_mb: float) -> None:
        """Write what is at an address to a file, piece by piece; nothing is left if it fails."""

        def attempt() -> None:
            try:
                with path.open("wb") as file:
                    for piece in self._pieces(url, largest_mb=largest_mb):
                        file.write(piece)
            except BaseException:
                path.unlink(missing_ok=True)
                raise

        self._ask(what, url, attempt)

    def _ask(
        self, what: str, url: str, attempt: Callable[[], _Answer], *, key: str = ""
    ) -> _Answer:
        """Try until an answer is whole, the server says no for good, or patience ends."""
        web_address(url, secret=bool(key))
        own = self._patience
        turns = Turns(
            (url,),
            what=what,
            pauses_s=own.pauses_s,
            longest_wait_s=own.longest_wait_s,
            wait=own.wait,
            say=self._say,
            hint="Run the same command later.",
        )
        while True:
            turns.next()
            self._say(f"{what}: {host_of(url)}")
            try:
                return attempt()
            except Refusal as refusal:
                if refusal.status in HOPELESS:
                    msg = f"{what}: {host_of(url)}: {refusal.why}."
                    hint = "Check the address, the name and the rights; then try again."
                    raise InputFileError(msg, hint=hint) from refusal
                turns.refused(url, refusal)

    def _content(self, url: str, **asked: Any) -> bytes:
        return b"".join(self._pieces(url, largest_mb=self._patience.largest_mb, **asked))

    def _pieces(
        self,
        url: str,
        *,
        largest_mb: float,
        params: Mapping[str, str | int] | None = None,
        post: Any = None,
        files: Any = None,
        fields: Mapping[str, str | Sequence[str]] | None = None,
        key: str = "",
    ) -> Iterator[bytes]:
        """Give an answer piece by piece.

        Raises
        ------
        Refusal
            If it does not come, or not well, or is too long or too slow.
        """
        own = self._patience
        began, size = time.monotonic(), 0
        headers = {"User-Agent": own.user_agent}
        if key:
            headers["Authorization"] = f"JWT {key}"
        try:
            asks_only = post is None and files is None
            with (
                _Following() as session,
                session.request(
                    "GET" if asks_only else "POST",
                    url,
                    params=params,
                    json=post,
                    files=files,
                    data=fields,
                    headers=headers,
                    timeout=own.timeout_s,
                    stream=True,
                    # What is sent is meant for the server that was named, and for no other.
                    allow_redirects=asks_only and not key,
                ) as response,
            ):
                if response.status_code in _ELSEWHERE:
                    raise _sent_elsewhere(response)
                if response.status_code != requests.codes.ok:
                    words = _words(next(response.iter_content(_CHUNK), b""), key)
                    check_status(response, words)
                for piece in response.iter_content(_CHUNK):
                    size += len(piece)
                    if size > largest_mb * 1e6:
                        msg = f"an answer of more than {largest_mb:g} MB"
                        raise Refusal(msg, status=_TOO_LARGE)
                    if time.monotonic() - began > own.slowest_s:
                        msg = f"an answer that takes more than {own.slowest_s:g} s"
                        raise Refusal(msg)
                    yield piece
        except requests.Timeout as error:
            msg = f"no answer within {own.timeout_s:g} s"
            raise Refusal(msg) from error
        except requests.RequestException as error:
            msg = "cannot be reached, or broke off"
            raise Refusal(msg) from error


class _Following(requests.Session):
    """Follows redirections, but never from a connection that is encrypted to one that is not."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        target: str | None = super().get_redirect_target(resp)
        if target is not None and resp.url.startswith("https:"):
            to = urllib.parse.urlsplit(urllib.parse.urljoin(resp.url, target))
            if to.scheme != "https":
                raise _sent_elsewhere(resp)
        return target


def _sent_elsewhere(response: requests.Response) -> Refusal:
    target = urllib.parse.urljoin(response.url, response.headers.get("Location", ""))
    msg = f"HTTP {response.status_code} (sends on to {host_of(target)}, which is not followed)"
    return Refusal(msg, status=response.status_code)


def hopeless_status(error: BaseException) -> int:
    """Return the HTTP status behind an error, 0 if there is none."""
    return error.__cause__.status if isinstance(error.__cause__, Refusal) else 0


def web_address(url: str, *, secret: bool = False) -> str:
    """Return an address if it is one; a key is sent to encrypted ones only.

    Raises
    ------
    InputFileError
        If it is none.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        msg = f"{url!r} is not the address of a server."
        raise InputFileError(msg, hint="It begins with https://.")
    if secret and parts.scheme == "http" and parts.hostname not in _HERE:
        msg = f"{host_of(url)}: a key is not sent over a connection that all can read."
        raise InputFileError(msg, hint="Give an address that begins with https://.")
    return url.rstrip("/")


def _words(content: bytes, key: str) -> str:
    """Return what a server says of an error, in short, without a key that it may repeat."""
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        return ""
    # Falcon, on which addok runs, has a title and perhaps a description.
    names = ("message", "error", "title", "description")
    found = [said.get(name) for name in names] if isinstance(said, dict) else []
    words = next((text.strip() for text in found if isinstance(text, str) and text.strip()), "")
    return (words.replace(key, "…") if key else words)[:200]
