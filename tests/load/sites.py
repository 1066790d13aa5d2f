"""The app on this machine as it is deployed: one server, or two behind nginx."""

import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.dev.running_app import ROOT, free_port, running, streamlit_command
from tests.fixtures.running_nginx import nginx

BASE = "flowers"


@dataclass(frozen=True)
class Site:
    """A running site.

    Attributes:
        address: of the page.
        processes: the numbers of the servers' processes.
        logs: what the servers write.
    """

    address: str
    processes: tuple[int, ...]
    logs: tuple[Path, ...]

    def megabytes(self) -> float:
        """What all servers hold in memory together."""
        return megabytes(self.processes)

    def tracebacks(self) -> list[str]:
        """A line for each server that wrote of an error."""
        return [f"{log.name}: a traceback" for log in self.logs if "Traceback" in log.read_text(errors="replace")]


@contextmanager
def own_site(servers: int = 1, folder: Path | None = None) -> Iterator[Site]:
    """A site without a data set, from when it answers to the end of the block.

    Args:
        servers: 1, with nothing before it; or 2, behind nginx, with one secret.
        folder: takes logs and what nginx writes; None for a temporary one.
    """
    if servers not in (1, 2):
        raise ValueError("deploy/nginx.conf is for two servers.")
    with ExitStack() as stack:
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        base = f"/{BASE}" if servers > 1 else ""
        options = ("--server.baseUrlPath", BASE) if base else ()
        settings = {
            "FLOWERS_DATA_DIR": f"{place}/none",
            "FLOWERS_CACHE_DIR": f"{place}/cache",
            "FLOWERS_FORMAT": "int8",
            "STREAMLIT_SERVER_COOKIE_SECRET": secrets.token_hex(16),
        }
        ports, processes, logs = [], [], []
        for at in range(servers):
            ports.append(free_port())
            logs.append(place / f"server-{at}.txt")
            command = streamlit_command(ROOT / "app" / "main.py", ports[-1], *options)
            health = f"http://localhost:{ports[-1]}{base}/_stcore/health"
            processes.append(stack.enter_context(running(command, logs[-1], health, settings)).pid)
        address = f"http://localhost:{ports[0]}"
        if servers > 1:
            address = stack.enter_context(nginx(place, (ports[0], ports[1]), f"{base}/_stcore/health")) + base
        yield Site(address, tuple(processes), tuple(logs))


def megabytes(processes: Sequence[int]) -> float:
    """What processes hold in memory, the sum of their resident sets."""
    lines = [line for pid in processes for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024
