import os
import sys
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
