"""The app's server in a process of its own, for as long as a block lasts: for pictures and for tests."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from urllib.error import URLError

from flowers_core.errors import FlowersError

ROOT = Path(__file__).resolve().parents[2]
BASE_PATH = "--server.baseUrlPath"


class ServerError(FlowersError):
    """A server that did not come up; the message ends with what it said."""


@contextmanager
def running_app(folder: Path, *options: str, **environment: str) -> Iterator[str]:
    """The app on a free port, on a machine that seems to have no data set, at the address that this gives.

    Args:
        folder: takes its log.
        *options: of `streamlit run`, beside the port and that no browser is opened.
        **environment: further variables.

    Raises:
        ServerError: it did not come up.
    """
    port = free_port()
    base = options[options.index(BASE_PATH) + 1] if BASE_PATH in options else ""
    address = f"http://localhost:{port}/{base}".rstrip("/")
    command = streamlit_command(ROOT / "app" / "main.py", port, *options)
    variables = {"HOME": str(folder), "FLOWERS_DATA_DIR": str(folder / "oxford102"), **environment}
    with running(command, folder / "log.txt", f"{address}/_stcore/health", variables):
        yield address


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str],
    log: Path,
    health: str,
    environment: Mapping[str, str] = MappingProxyType({}),
    *,
    cwd: Path = ROOT,
) -> Iterator[subprocess.Popen[bytes]]:
    """A process, from the moment at which the address `health` answers to the end of the block.

    Args:
        command: of the process.
        log: takes what it says.
        health: an address of it.
        environment: added to the caller's, without what would change Streamlit's settings.
        cwd: its folder.

    Raises:
        ServerError: it ended, or was silent for a minute.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STREAMLIT_", "FLOWERS_DATA"))}
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=cwd, env=kept | dict(environment), stdout=out, stderr=subprocess.STDOUT)
        try:
            _wait_for(health, process, log)
            yield process
        finally:
            process.terminate()
            process.wait(60)


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address):
                return
        except URLError:
            time.sleep(0.1)
    raise ServerError(f"{address} did not come up:\n{log.read_text()}")


def streamlit_command(main: Path, port: int, *options: str) -> list[str]:
    """How a person starts the app, but for the port and the browser that would open.

    Args:
        main: the app's entry.
        port: to listen on.
        *options: of `streamlit run`.
    """
    options = ("--server.port", str(port), "--server.headless", "true", *options)
    return [sys.executable, "-m", "streamlit", "run", str(main), *options]
