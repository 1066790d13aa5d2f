"""Silence for libraries that log hundreds of lines past Python's own logging."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import TextIO


@contextlib.contextmanager
def quiet() -> Iterator[Callable[[], str]]:
    """Keep standard output and error off the terminal, also what C++ code writes past Python.

    Yields a function that returns the last of what was said, for the error that may follow. Python exceptions pass.
    """
    with tempfile.TemporaryFile() as log:

        def tail() -> str:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - 4000))
            return log.read().decode(errors="replace")

        with _redirected(1, sys.stdout, log.fileno()), _redirected(2, sys.stderr, log.fileno()):
            yield tail


@contextlib.contextmanager
def _redirected(descriptor: int, stream: TextIO, target: int) -> Iterator[None]:
    stream.flush()
    saved = os.dup(descriptor)
    os.dup2(target, descriptor)
    try:
        yield
    finally:
        stream.flush()
        os.dup2(saved, descriptor)
        os.close(saved)
