import os
import sys
import threading
import warnings

import pytest

from flowers_core.networks.quiet import quiet


def test_nothing_reaches_the_terminal_and_all_can_be_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet() as said:
        print("from Python")
        print("to standard error", file=sys.stderr)
        os.write(1, b"past Python\n")
        os.write(2, b"past Python, to standard error\n")
        warnings.warn("a warning", stacklevel=1)
        heard = said()
    print("afterwards")
    assert capfd.readouterr() == ("afterwards\n", "")
    for line in ("from Python", "to standard error", "past Python", "past Python, to standard error"):
        assert line in heard


def test_errors_pass_and_the_streams_come_back(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with quiet():
            print("lost")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    os.write(1, b"heard again\n")
    assert capfd.readouterr() == ("heard again\n", "")


def test_two_threads_that_overlap_leave_the_streams_as_they_were(capfd: pytest.CaptureFixture[str]) -> None:
    """The first leaves before the second: the order in which a log could be put back instead of the terminal."""
    streams = sys.stdout, sys.stderr
    first_is_in, second_is_in, first_is_out = (threading.Event() for _ in range(3))
    heard = {}

    def first() -> None:
        with quiet() as said:
            first_is_in.set()
            second_is_in.wait(timeout=0.2)  # in vain: one at a time
            os.write(1, b"the first\n")
            heard["first"] = said()
        first_is_out.set()

    def second() -> None:
        first_is_in.wait()
        with quiet() as said:
            second_is_in.set()
            first_is_out.wait()
            os.write(1, b"the second\n")
            heard["second"] = said()

    threads = [threading.Thread(target=target) for target in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert heard == {"first": "the first\n", "second": "the second\n"}
    assert (sys.stdout, sys.stderr) == streams
    os.write(1, b"heard again\n")
    os.write(2, b"here too\n")
    assert capfd.readouterr() == ("heard again\n", "here too\n")


def test_silence_within_silence_ends_where_it_began(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet() as outer:
        with quiet() as inner:
            os.write(1, b"inside\n")
            assert inner() == "inside\n"
        os.write(1, b"between\n")
        assert outer() == "between\n"
    os.write(1, b"afterwards\n")
    assert capfd.readouterr() == ("afterwards\n", "")
