"""The command line: arguments → study → files. Results on stdout, progress on stderr.

Nothing is imported here before signals and streams are seen to: a Ctrl-C in the first moment ends
like any other.
"""

from __future__ import annotations

import gc
import sys

from quart_heure.errors import MemoryShortageError, OutputError, QuartHeureError, shortage_of
from quart_heure.streams import Stopped, check_room, guard_streams, stop_on_signals


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    import logging

    import typer

    from quart_heure.commands.speech import LogLines, tell_end

    logging.basicConfig(stream=sys.stderr)
    for handler in logging.root.handlers:
        handler.setFormatter(LogLines("%(levelname)s: %(message)s"))
    try:
        from quart_heure.commands.app import command_for

        command = command_for(sys.argv[1:] if arguments is None else arguments)
        result = command(args=arguments, standalone_mode=False)
    except QuartHeureError as error:
        tell_end(f"Error: {error}")
        return error.exit_code
    except (typer.Exit, typer.Abort) as end:
        return end.exit_code if isinstance(end, typer.Exit) else _stopped(130)
    except SystemExit as end:
        # typer ends the process itself when the reader of a pipe (head, less) has seen enough.
        if isinstance(end.__context__, BrokenPipeError):
            return 0
        raise
    except Exception as error:
        short = shortage_of(error)
        if short is None:
            return _usage_error(error)
        error.__traceback__ = None  # what the run held can go, so that there is room to say so
        tell_end(f"Error: {short}")
        return short.exit_code
    return result if isinstance(result, int) else 0


def run() -> None:
    """Run the command line and end the process with its exit code."""
    # A command lives for seconds: its tables are not looked through for garbage many times over,
    # nor once more at its end.
    gc.set_threshold(400_000, 50, 50)
    try:
        stop_on_signals()
        guard_streams()
        check_room()
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of a pipe (head, less) has seen enough.
        code = 0
    except (OutputError, MemoryShortageError) as error:
        print(f"Error: {error}", file=sys.stderr)  # noqa: T201
        code = error.exit_code
    except Stopped as stopped:
        code = _stopped(stopped.exit_code)
    gc.freeze()
    sys.exit(code)


def _stopped(code: int) -> int:
    """Say that a run was stopped, and return its exit code."""
    print("Stopped: no file is left half written.", file=sys.stderr)  # noqa: T201
    return code


def _usage_error(error: Exception) -> int:
    """Show wrong arguments as typer does; anything else is a fault of ours and is raised."""
    show = getattr(error, "show", None)
    code = getattr(error, "exit_code", None)
    if not callable(show) or not isinstance(code, int):
        raise error
    show()
    return code
