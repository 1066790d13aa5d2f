"""The project's settings hold from wherever the app is started, or the page refuses."""

import asyncio
import gc
import socket
import struct
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from PIL import TiffImagePlugin
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartParser
from streamlit import config

from app.resources import server_settings
from app.resources.server_settings import (
    GUARDS,
    SETTINGS,
    keep_uploads_in_memory,
    refusal,
    say_nothing_of_uploads,
    spare_loaded_modules,
    unlike_project,
)
from flowers_core.data.photos import read_photo
from scripts.dev.running_app import ROOT, free_port, running, streamlit_command
from tests.fixtures.pictures import encoded, four_corners
from tests.fixtures.running_server import Visitor, elements, upgrade_status

MAIN = SETTINGS.parents[1] / "main.py"


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Reads Streamlit's options as `streamlit run` does, for a script and with options given; undone afterwards."""

    def read(script: Path, **given: object) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(config, "_main_script_path", str(script))
        options = {name.replace("_", ".", 1): value for name, value in given.items()}
        config.get_config_options(force_reparse=True, options_from_flags=options)

    before = config._config_options
    yield read
    config._config_options = before


def test_beside_the_page_the_settings_are_found(settings) -> None:
    settings(MAIN)
    assert unlike_project() == []
    assert config.get_option("server.address") == "localhost"
    assert config.get_option("server.maxUploadSize") == 50
    assert config.get_option("browser.gatherUsageStats") is False


def test_for_another_script_they_are_missed_by_name(settings, tmp_path: Path) -> None:
    settings(tmp_path / "main.py")
    # CORS and XSRF are as Streamlit has them.
    unlike = [key for key in GUARDS if "enable" not in key]
    assert unlike_project() == unlike
    assert "server.address, server.allowedHosts, server.maxUploadSize" in refusal(unlike)
    assert "`flowers app`" in refusal(unlike)


def test_somebody_s_word_counts_but_a_file_elsewhere_does_not(settings, tmp_path: Path) -> None:
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text("[server]\nenableCORS = false\nmaxUploadSize = 50\n")
    settings(tmp_path / "elsewhere" / "main.py", server_address="0.0.0.0", browser_gatherUsageStats=True)
    assert unlike_project() == ["server.allowedHosts", "server.enableCORS", "client.showErrorDetails"]


def test_odd_metadata_is_neither_logged_nor_remembered() -> None:
    odd = encoded(four_corners(), "TIFF")
    first = int.from_bytes(odd[4:8], "little")
    count = int.from_bytes(odd[first : first + 2], "little")
    tag = struct.pack("<HHII", 60_000, 2, 2**20, 8)  # claims a megabyte that is not there
    entries = odd[first + 2 : first + 2 + 12 * count] + tag
    odd = odd[:4] + struct.pack("<I", len(odd)) + odd[8:] + struct.pack("<H", count + 1) + entries + bytes(4)
    with warnings.catch_warnings():
        warnings.resetwarnings()
        with warnings.catch_warnings(record=True) as said:
            read_photo(odd)
        assert ["60000" in str(warning.message) for warning in said] == [True]
        say_nothing_of_uploads()
        remembered = TiffImagePlugin.__dict__.setdefault("__warningregistry__", {})
        remembered.clear()
        with warnings.catch_warnings(record=True) as said:
            read_photo(odd)
        assert said == []
        assert not any("60000" in str(key) for key in remembered)


@pytest.mark.parametrize("kept", [True, False])
def test_an_upload_never_touches_the_disk(kept: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MultiPartParser, "spool_max_size", 1024**2)  # Starlette's own
    if kept:
        keep_uploads_in_memory()

    async def body():
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
        yield bytes(3 * 1024**2)
        yield b"\r\n--b--\r\n"

    headers = Headers({"content-type": "multipart/form-data; boundary=b"})
    form = asyncio.run(MultiPartParser(headers, body()).parse())
    file = form["file"].file
    assert file._rolled is not kept
    file.close()


@pytest.mark.slow
def test_started_from_another_folder_the_server_has_the_project_s_settings(tmp_path: Path) -> None:
    port = free_port()
    log = tmp_path / "log.txt"
    health = f"http://localhost:{port}/_stcore/health"
    with running(streamlit_command(MAIN, port), log, health, {"HOME": str(tmp_path)}, cwd=tmp_path):
        assert answers("127.0.0.1", port)
        assert not answers("127.0.0.2", port)  # this machine, too, for who listens on every address
        with Visitor(f"http://localhost:{port}") as visitor:
            session = next(m.new_session for m in visitor.run("photo=example") if m.HasField("new_session"))
            assert session.config.gather_usage_stats is False
            assert visitor.announce(visitor.upload_path(), 51 * 1024**2).status == 413
            assert visitor.put(visitor.upload_path(), "a.png", b"a").status == 204
            visitor.cookies.pop("_streamlit_xsrf")  # what a page elsewhere could send
            assert visitor.put(visitor.upload_path(), "a.png", b"a").status == 403
        assert upgrade_status(f"http://localhost:{port}", "localhost") == 101
        assert upgrade_status(f"http://localhost:{port}", "rebound.example") == 403


def answers(host: str, port: int) -> bool:
    with socket.socket() as asking:
        asking.settimeout(5)
        return asking.connect_ex((host, port)) == 0


@pytest.mark.slow
def test_through_a_link_the_settings_are_not_found_and_the_page_refuses(tmp_path: Path) -> None:
    (tmp_path / "main.py").symlink_to(MAIN)
    port = free_port()
    command = streamlit_command(tmp_path / "main.py", port, "--server.address", "localhost")
    with (
        running(command, tmp_path / "log.txt", f"http://localhost:{port}/_stcore/health", cwd=tmp_path),
        Visitor(f"http://localhost:{port}") as visitor,
    ):
        came = visitor.run("photo=example")
        said = [alert.body for alert in elements(came, "alert")]
        assert said == [
            refusal(
                ["server.allowedHosts", "server.maxUploadSize", "browser.gatherUsageStats", "client.showErrorDetails"]
            )
        ]
        assert elements(came, "file_uploader") == []


def test_loaded_modules_are_looked_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_settings, "_spared", {"modules": 0})
    gc.unfreeze()
    try:
        spare_loaded_modules()
        spared = gc.get_freeze_count()
        assert spared > 10_000
        later = [[number] for number in range(1000)]
        spare_loaded_modules()
        # What belongs to a visitor is still looked through, for it must go with the visitor.
        assert gc.get_freeze_count() <= spared
        assert any(found is later for found in gc.get_objects())
    finally:
        gc.unfreeze()


MANY_AT_A_TIME = """
import io, os, threading
from PIL import Image
from app.resources.server_settings import give_back_memory
from flowers_core.data.photos import read_photo
from tests.load.sites import megabytes

give_back_memory()
file = io.BytesIO()
Image.linear_gradient("L").resize((4000, 3200)).convert("RGB").save(file, "JPEG")
read_photo(file.getvalue())
before = megabytes([os.getpid()])
for _ in range(2):
    threads = [threading.Thread(target=read_photo, args=(file.getvalue(),)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(megabytes([os.getpid()]) - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="The system does not tell a process's memory.")
def test_what_phones_photos_took_to_decode_goes_back_to_the_system() -> None:
    done = subprocess.run([sys.executable, "-c", MANY_AT_A_TIME], capture_output=True, text=True, cwd=ROOT, check=True)
    assert float(done.stdout) < 100  # 250 with the library's own threshold
