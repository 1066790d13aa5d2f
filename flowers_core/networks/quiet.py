"""Silence for libraries that log hundreds of lines, some of them past Python's own streams."""

import contextlib
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from typing import TextIO


@contextlib.contextmanager
def quiet() -> Iterator[Callable[[], str]]:
    """Keep standard output, standard error and warnings off the terminal, also what C++ code writes past Python.

    Yields a function that returns the last of what was said, for the error that may follow. Exceptions pass. For
    scripts: the streams belong to the process, so other threads fall silent too.
    """
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace"))

        def tail() -> str:
            log.flush()
            said = os.pread(log.fileno(), os.fstat(log.fileno()).st_size, 0)
            return said[-4000:].decode(errors="replace")

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
    os.dup2(target, descriptor)
    try:
        yield
    finally:
        os.dup2(saved, descriptor)
        os.close(saved)
