"""How a verb ends, and what options have in common."""

import argparse
import sys
from pathlib import Path

import pytest

from flowers_core.errors import FlowersError
from scripts.options.command import at_least, run


def left_by(error: BaseException) -> object:
    def main() -> None:
        raise error

    with pytest.raises(SystemExit) as left:
        run(main)
    return left.value.code


def test_what_a_person_can_mend_is_a_sentence(tmp_path: Path) -> None:
    assert left_by(FlowersError("Put it there.")) == "Put it there."
    assert left_by(KeyboardInterrupt()) == 130

    def write() -> None:
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder").write_text("x")

    with pytest.raises(SystemExit) as left:
        run(write)
    assert left.value.code == f"{tmp_path / 'folder'} cannot be written or read: Is a directory."


def test_a_defect_keeps_its_traceback() -> None:
    for error in (ValueError("a defect"), OSError(5, "Input/output error")):

        def main(error: Exception = error) -> None:
            raise error

        with pytest.raises(type(error)):
            run(main)


def test_a_process_without_standard_output_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    run(lambda: print("nobody hears this"))


def test_a_whole_number_has_a_least_one(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=at_least(1))
    assert parser.parse_args(["--rounds", "1"]).rounds == 1
    for wrong, said in (("0", "must be at least 1"), ("two", "invalid whole number value: 'two'")):
        with pytest.raises(SystemExit):
            parser.parse_args(["--rounds", wrong])
        assert said in capsys.readouterr().err
