"""Silence for libraries that log hundreds of lines, some of them past Python's own streams."""

import contextlib
import os
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import TextIO

# The streams belong to the process. If two threads swapped them at the same time, the last to leave would restore the
# other thread's log instead of the terminal.
_STREAMS = threading.RLock()


@contextlib.contextmanager
def quiet() -> Iterator[Callable[[], str]]:
    """Keep standard output, standard error and warnings off the terminal, also when C++ code writes past Python.

    Meanwhile file descriptors 1 and 2 of the whole process lead to a log. Every other thread falls silent too, and a
    second call waits until the first has ended. That suits scripts; a server must never call this.

    Yields:
        A function that returns the last 4000 bytes of the log, for the message of an error that may follow.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(_STREAMS)
        log = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace"))

        def tail() -> str:
            log.flush()
            content = os.pread(log.fileno(), os.fstat(log.fileno()).st_size, 0)
            return content[-4000:].decode(errors="replace")

        stack.enter_context(_redirected(1, sys.stdout, log.fileno()))
        stack.enter_context(_redirected(2, sys.stderr, log.fileno()))
        stack.enter_context(contextlib.redirect_stdout(log))
        stack.enter_context(contextlib.redirect_stderr(log))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        yield tail


@contextlib.contextmanager
def _redirected(descriptor: int, stream: TextIO, target: int) -> Iterator[None]:
    stream.flush()
    saved = os.dup(descriptor)
    try:
        os.dup2(target, descriptor)
        yield
    finally:
        os.dup2(saved, descriptor)
        os.close(saved)
