"""What all verbs share: options, progress, and errors as a sentence with an exit code other than zero."""

import argparse
import errno
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from flowers_core.errors import FlowersError
from flowers_core.storage.paths import default_data_dir, default_models_dir
from scripts.options.output import leave_broken_pipe, print_whatever_comes

T = TypeVar("T")
# What the person can mend, unlike other errors of the system: rights, a folder in a file's place, a full disk, a quota.
_MENDABLE = (
    errno.EACCES,
    errno.EPERM,
    errno.EISDIR,
    errno.ENOTDIR,
    errno.ENOSPC,
    errno.EROFS,
    errno.EDQUOT,
    errno.EFBIG,
)


def run(main: Callable[[], None]) -> None:
    """Run a verb's main function and leave the process.

    An error that the library raises on purpose is a sentence for the person: it is printed, and the exit code is 1.
    Anything else is a defect and keeps its traceback. Ctrl-C ends quietly with 130, a reader of the output that has
    left with 141, as shells expect.
    """
    print_whatever_comes()
    try:
        main()
        if sys.stdout is not None:
            sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        leave_broken_pipe()
    except FlowersError as error:
        sys.exit(f"{error}")
    except OSError as error:
        if error.errno not in _MENDABLE:
            raise
        sys.exit(f"{error.filename or 'A file'} cannot be written or read: {error.strerror}.")


def verb_parser(doc: str | None) -> argparse.ArgumentParser:
    """A verb's parser, named as the person called it and described by the verb's docstring."""
    called = Path(sys.argv[0]).name
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    if " " not in called and spec is not None and spec.name.startswith("scripts."):
        called = f"python -m {spec.name}"
    return argparse.ArgumentParser(prog=called, description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)


def add_data_option(parser: argparse.ArgumentParser) -> None:
    """--data DIR: the dataset's folder."""
    parser.add_argument(
        "--data",
        type=Path,
        default=default_data_dir(),
        metavar="DIR",
        help="folder of the dataset (default: FLOWERS_DATA_DIR, or data/oxford102)",
    )


def add_external_option(parser: argparse.ArgumentParser) -> None:
    """--external DIR: the folder of external photos, which have nothing to do with the data set."""
    parser.add_argument(
        "--external",
        type=Path,
        default=default_data_dir().parent / "outside",
        metavar="DIR",
        help="folder of the external photos (default: outside, beside the data set)",
    )


def add_bundle_argument(parser: argparse.ArgumentParser) -> None:
    """BUNDLE: a bundle's folder, or its name in the models folder."""
    parser.add_argument(
        "bundle", type=bundle_folder, metavar="BUNDLE", help="a bundle's folder, or its name in models/"
    )


def add_answering_option(parser: argparse.ArgumentParser) -> None:
    """--bundle NAME: the bundle that answers."""
    from flowers_core.inference.bundle import DEFAULT_BUNDLE

    parser.add_argument(
        "--bundle",
        type=bundle_folder,
        default=bundle_folder(DEFAULT_BUNDLE),
        metavar="NAME",
        help=f"the model that answers (default: {DEFAULT_BUNDLE})",
    )


def add_record_options(parser: argparse.ArgumentParser) -> None:
    """--models DIR and --no-record: where a benchmark keeps its figures, and that it does not."""
    parser.add_argument(
        "--models", type=Path, default=default_models_dir(), metavar="DIR", help="folder that the record goes into"
    )
    parser.add_argument("--no-record", action="store_true", help="only print")


@contextmanager
def as_usage_error(parser: argparse.ArgumentParser) -> Iterator[None]:
    """Let what is wrong with the options be told as the parser tells it: with the usage, and exit code 2."""
    try:
        yield
    except FlowersError as error:
        parser.error(str(error))


def at_least(least: int) -> Callable[[str], int]:
    """The type of an option that is a whole number of at least so much."""

    def number(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"must be at least {least}")
        return value

    number.__name__ = "whole number"  # argparse's "invalid … value"
    return number


def progress(steps: Iterable[T], title: str, total: int | None = None) -> Iterator[T]:
    """Show a progress bar with the time left on standard error, where that is a terminal.

    Args:
        steps: what is iterated over.
        title: before the bar.
        total: the number of steps, where they do not tell it.
    """
    return iter(tqdm(steps, desc=title, total=total, disable=not sys.stderr.isatty(), leave=False))


def tell_time_left() -> Callable[..., None]:
    """What says how far something is and how long the rest takes, some twenty times, for a log to keep."""
    begun: dict[str, tuple[int, float]] = {}

    def tell(what: str, done: int, total: int, more: str = "") -> None:
        now = time.perf_counter()
        first, started = begun.get(what, (done, now))
        if done <= first:  # also where the same is done again for something else
            begun[what] = (done, now)
        elif done % max(total // 20, 1) == 0 or done == total:
            left = (total - done) * (now - started) / (done - first)
            print(f"{what}: {done} of {total}{more}, about {left / 60:.0f} min left", flush=True)

    return tell


def bundle_folder(text: str) -> Path:
    """The folder that a person means: one that is there or has a path, else a name in the models folder."""
    folder = Path(text)
    return folder if folder.is_dir() or len(folder.parts) > 1 else default_models_dir() / text
