import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from flowers_core.storage.folder_lock import FolderBusy, locked

REPO = Path(__file__).resolve().parents[2]
HOLDER = (
    "import sys, time, pathlib\n"
    "from flowers_core.storage.folder_lock import locked\n"
    "with locked(pathlib.Path(sys.argv[1])):\n"
    "    print('held', flush=True)\n"
    "    time.sleep(60)\n"
)


def test_held_once_at_a_time(tmp_path):
    with locked(tmp_path), pytest.raises(FolderBusy), locked(tmp_path):
        pass
    with locked(tmp_path):
        pass


def test_another_thread_is_another_holder(tmp_path):
    outcome = []

    def attempt() -> None:
        try:
            with locked(tmp_path):
                outcome.append("held")
        except FolderBusy:
            outcome.append("busy")

    with locked(tmp_path):
        thread = threading.Thread(target=attempt)
        thread.start()
        thread.join()
    assert outcome == ["busy"]


def test_released_when_the_body_raises(tmp_path):
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        _ = 1 / 0
    with locked(tmp_path):
        pass


def test_two_folders_do_not_mind_each_other(tmp_path):
    (tmp_path / "other").mkdir()
    with locked(tmp_path), locked(tmp_path / "other"):
        pass


def test_a_killed_process_holds_nothing(tmp_path):
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(FolderBusy), locked(tmp_path):
            pass
        process.send_signal(signal.SIGKILL)
    with locked(tmp_path):
        pass
