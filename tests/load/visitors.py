"""Many visitors at a time, each with a photo of its own: is everybody answered about that photo, and how soon?

    python -m tests.load.visitors 100
    python -m tests.load.visitors 20 --browsers --rounds 3 --spread 10
    python -m tests.load.visitors 20 --servers 2 --lime 3

Without `--at` it starts servers of its own. Visitors come in a browser, or speak the protocol of Streamlit's page over
the same paths as a browser. Only a server on this machine is asked: elsewhere this would be an attack.
"""

import argparse
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import urlsplit

import numpy as np

from flowers_core.inference.bundle import DEFAULT_BUNDLE
from tests.load import browsers, sockets
from tests.load.asked import Outcome, drawn
from tests.load.sites import Site, own_site

MOST_VISITORS, MOST_ROUNDS, MOST_LIME = 200, 20, 20
HERE = ("127.0.0.1", "localhost", "::1")


def main() -> None:
    """Run the visits and say what came of them; the exit code is 1 where anything was wrong."""
    options = _options()
    if options.at:
        found = crowd(Site(options.at.rstrip("/"), (), ()), options)
    else:
        with own_site(options.servers) as site:
            found = crowd(site, options)
    wrong = [outcome.wrong for outcome in found if outcome.wrong]
    print(*wrong, sep="\n", end="\n" if wrong else "")
    raise SystemExit(int(bool(wrong)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("visitors", type=int)
    parser.add_argument("--rounds", type=int, default=1, help="photos of each visitor")
    parser.add_argument("--spread", type=float, default=0.0, help="seconds over which a round's uploads come")
    parser.add_argument("--width", type=int, default=500, help="of the photos, in pixels; a phone's have 4000")
    parser.add_argument("--browsers", action="store_true", help="in a real browser each")
    parser.add_argument("--lime", type=int, default=0, help="further visitors who run LIME all the time")
    parser.add_argument("--servers", type=int, choices=(1, 2), default=1, help="2 are put behind nginx")
    parser.add_argument("--at", metavar="URL", help="a server that runs on this machine")
    parser.add_argument("--bundle", default=DEFAULT_BUNDLE, help="the model that the server answers with")
    options = parser.parse_args()
    if not (1 <= options.visitors <= MOST_VISITORS and 1 <= options.rounds <= MOST_ROUNDS):
        parser.error(f"at most {MOST_VISITORS} visitors and {MOST_ROUNDS} rounds")
    if not (0 <= options.lime <= MOST_LIME and 0 <= options.spread <= 60 and 20 <= options.width <= 8000):
        parser.error(f"at most {MOST_LIME} who run LIME, 60 seconds, and 8000 pixels")
    if options.at and urlsplit(options.at).hostname not in HERE:
        parser.error("only a server on this machine, under 127.0.0.1 or localhost")
    return options


def crowd(site: Site, options: argparse.Namespace) -> list[Outcome]:
    """All visits at a time, with a report.

    Args:
        site: the running app.
        options: of the command line.
    """
    photos = drawn(options.visitors * options.rounds, options.bundle, options.width)
    visit_all = browsers.visit_all if options.browsers else sockets.visit_all
    with _measured(site) as most, _explained(site, options.lime) as explaining:
        found = visit_all(site.address, photos, options.visitors, options.spread)
    found = [*found, *(Outcome(float("nan"), trouble) for trouble in site.tracebacks())]
    seconds = np.array([outcome.seconds for outcome in found if not outcome.wrong])
    print(f"{len(seconds)} of {len(photos)} photos were answered as they must be.")
    if len(seconds):
        median, late = np.median(seconds), np.quantile(seconds, 0.95)
        where = " with the browsers drawing on this machine too" if options.browsers else ""
        print(f"From upload to drawn page{where}: median {median:.2f} s, p95 {late:.2f} s, most {seconds.max():.2f} s.")
    if explaining:
        runs, waits = np.sum([each.result() for each in explaining], axis=0)
        print(f"Meanwhile LIME ran {runs} times, {waits} of them after a wait in line.")
    if site.processes:
        print(f"The servers held {most()[0]:.0f} MB together at the beginning, {max(most()):.0f} MB at most.")
    return found


@contextmanager
def _explained(site: Site, visitors: int) -> Iterator[list[Future[tuple[int, int]]]]:
    """Visitors who run LIME to the end of the block."""
    ended = threading.Event()
    with ThreadPoolExecutor(max(1, visitors)) as pool:
        jobs = [pool.submit(sockets.explain_on_and_on, site.address, ended) for _ in range(visitors)]
        try:
            yield jobs
        finally:
            ended.set()


@contextmanager
def _measured(site: Site) -> Iterator[Callable[[], list[float]]]:
    """The servers' memory in megabytes, looked at several times a second to the end of the block."""
    found, ended = [site.megabytes()], threading.Event()

    def look() -> None:
        while not ended.wait(0.2):
            found.append(site.megabytes())

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield lambda: found
    finally:
        ended.set()
        looking.join()


if __name__ == "__main__":
    main()
