"""The stamp of a result: when it was made, and by which version."""

from __future__ import annotations

import datetime
import functools
import os
from importlib import metadata

from quart_heure.errors import InputFileError


def creation_time() -> str:
    """Return the time now, or that of ``SOURCE_DATE_EPOCH``, in UTC to the second.

    Raises
    ------
    InputFileError
        If ``SOURCE_DATE_EPOCH`` is not a number of seconds.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch is None:
        moment = datetime.datetime.now(datetime.UTC)
    else:
        try:
            moment = datetime.datetime.fromtimestamp(int(epoch), datetime.UTC)
        except (ValueError, OverflowError, OSError) as error:
            msg = f"SOURCE_DATE_EPOCH is {epoch!r}, not a number of seconds since 1970."
            raise InputFileError(msg, hint="Unset it or give a whole number.") from error
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@functools.cache
def tool_version() -> str:
    """Return the version of the installed distribution."""
    try:
        return metadata.version("quart-heure")
    except metadata.PackageNotFoundError:  # run from the source tree without installation
        return "0+unknown"
