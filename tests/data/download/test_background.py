"""A download in the background: watched, stopped, begun again, and never said to run when it does not."""

import threading

import pytest

from flowers_core.data.download.background import BackgroundDownload
from flowers_core.data.download.progress import DownloadError, Progress, Report


def told(done: int) -> Progress:
    return Progress("fetching", "flowers.tgz", done, 10)


class Scripted:
    """A download that goes on when the test says so."""

    def __init__(self, error: Exception | None = None) -> None:
        self.begun, self.go_on = threading.Semaphore(0), threading.Semaphore(0)
        self.error, self.runs = error, 0

    def __call__(self, report: Report) -> None:
        self.runs += 1
        for done in (3, 7):
            report(told(done))
            self.begun.release()
            assert self.go_on.acquire(timeout=10)
        if self.error:
            raise self.error


def test_it_is_watched_from_elsewhere_and_runs_once() -> None:
    script = Scripted()
    download = BackgroundDownload(script)
    assert not download.state.running
    download.start()
    script.begun.acquire(timeout=10)
    download.start()  # a second visitor's click
    assert (download.state.running, download.state.progress) == (True, told(3))
    script.go_on.release()
    script.begun.acquire(timeout=10)
    assert download.state.progress == told(7)
    script.go_on.release()
    download.wait(10)
    assert (download.state.running, download.state.complete, download.state.problem) == (False, True, "")
    assert script.runs == 1


def test_it_is_stopped_and_goes_on_later() -> None:
    script = Scripted()
    download = BackgroundDownload(script)
    download.start()
    script.begun.acquire(timeout=10)
    download.stop()
    script.go_on.release()
    download.wait(10)
    assert (download.state.running, download.state.complete, download.state.problem) == (False, False, "")
    assert download.state.progress == told(3)
    script.go_on.release()
    script.go_on.release()
    download.start()
    download.wait(10)
    assert download.state.complete


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize(
    ("error", "said"),
    [(DownloadError("The disk is full."), "The disk is full."), (OSError("odd"), "ended unexpectedly")],
)
def test_whatever_ends_it_is_told(error: Exception, said: str) -> None:
    script = Scripted(error)
    download = BackgroundDownload(script)
    download.start()
    script.go_on.release()
    script.go_on.release()
    download.wait(10)
    assert said in download.state.problem
    assert not download.state.running
    assert not download.state.complete
