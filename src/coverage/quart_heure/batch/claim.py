"""The claim of a batch on its folder: two that write into one would undo each other's work."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
import uuid
from collections.abc import Iterator

from quart_heure.batch.storage import Store
from quart_heure.errors import OutputError

CLAIM = ".quart-heure-batch.lock"
"""The file that is locked, or that says who writes where nothing can be locked."""

_SIGN_S = 30.0
_DEAD_S = 180.0
"""Where nothing can be locked, a batch signs this often, and is taken for dead after this long."""


@contextlib.contextmanager
def claimed(store: Store) -> Iterator[None]:
    """Claim a folder for one batch, for as long as the block lasts or the process lives.

    Raises
    ------
    OutputError
        If another batch has it.
    """
    lock = _lock(store)
    if lock is not None:
        try:
            yield
        finally:
            os.close(lock)
        return
    with _signed(store):
        yield


def _lock(store: Store) -> int | None:
    """Lock a local folder; None where the system, the file system or a store has no locks."""
    if store.folder is None:
        return None
    try:
        import fcntl  # noqa: PLC0415 - Windows has none
    except ImportError:
        return None
    try:
        lock = os.open(store.folder / CLAIM, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        msg = f"{store.folder}: cannot be written ({error.strerror or error})."
        hint = "Choose a folder you may write to, with room left."
        raise OutputError(msg, hint=hint) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.read(lock, 100).decode("ascii", "replace").strip()
        os.close(lock)
        raise _taken(store, f"process {owner}" if owner else "another process") from error
    except OSError:  # a file system without locks
        os.close(lock)
        return None
    os.ftruncate(lock, 0)
    with contextlib.suppress(OSError):  # on a full disk it is locked all the same
        os.write(lock, f"{os.getpid()}\n".encode())
    return lock


@contextlib.contextmanager
def _signed(store: Store) -> Iterator[None]:
    """Sign a file again and again while the block lasts; whoever finds it fresh keeps away."""
    mine = uuid.uuid4().hex
    other = _signature(store)
    signed = other.get("time")
    if isinstance(signed, int | float) and time.time() - signed < _DEAD_S:
        raise _taken(store, "another one")
    _sign(store, mine)
    if _signature(store).get("token") != mine:  # two came at once: the last to sign has it
        raise _taken(store, "another one")
    done = threading.Event()

    def sign() -> None:
        while not done.wait(_SIGN_S):
            with contextlib.suppress(Exception):  # the next time will do
                _sign(store, mine)

    signing = threading.Thread(target=sign, daemon=True)
    signing.start()
    try:
        yield
    finally:
        done.set()
        signing.join(timeout=_SIGN_S)
        if _signature(store).get("token") == mine:
            store.remove(CLAIM)


def _sign(store: Store, token: str) -> None:
    store.write(CLAIM, json.dumps({"token": token, "time": time.time()}).encode())


def _signature(store: Store) -> dict[str, object]:
    try:
        found = json.loads(store.read(CLAIM) or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _taken(store: Store, by: str) -> OutputError:
    msg = f"{store.address}: a batch writes into this folder already ({by})."
    return OutputError(msg, hint="Wait for it, or give this one another folder.")
