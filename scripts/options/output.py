"""Printing that cannot end a run: an old console's character set, and a reader that leaves early."""

import io
import os
import sys

#: What shells report of a process that wrote into a pipe which nobody reads any more: 128 + SIGPIPE.
BROKEN_PIPE = 141


def print_whatever_comes() -> None:
    """Let characters that standard output and error cannot show be replaced, as of a name on a cp1252 console."""
    for stream, errors in ((sys.stdout, "replace"), (sys.stderr, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)


def leave_broken_pipe() -> None:
    """Leave quietly where whoever read standard output has gone, as `head` has after its ten lines."""
    # Python flushes once more on its way out, which would fail again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(BROKEN_PIPE)
