import hashlib
import socket
from pathlib import Path

import pytest

from flowers_core.data.download import http as fetching
from flowers_core.data.download.http import fetch
from flowers_core.data.download.progress import DownloadError, Progress
from tests.fixtures.local_oxford import LocalOxford, answer, drop_after, ignore_range, serving

CONTENT = bytes(range(256)) * 1000
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(fetching, "FIRST_PAUSE", 0.01)
    with serving({"file": CONTENT}) as oxford:
        yield oxford


@pytest.fixture
def partial(tmp_path) -> Path:
    return tmp_path / "file.partial"


def get(server: LocalOxford, partial: Path, md5: str = MD5, report=lambda _: None) -> None:
    fetch(f"{server.url}file", partial, md5, report)


def test_brings_the_file(server, partial):
    get(server, partial)
    assert partial.read_bytes() == CONTENT


def test_asks_only_for_what_is_missing(server, partial):
    partial.write_bytes(CONTENT[:1234])
    get(server, partial)
    assert server.requests == [("file", "bytes=1234-")]
    assert partial.read_bytes() == CONTENT


def test_asks_for_nothing_when_all_is_there(server, partial):
    partial.write_bytes(CONTENT)
    get(server, partial)
    assert server.requests == []


def test_a_server_that_ignores_range_is_taken_from_the_start(server, partial):
    partial.write_bytes(b"x" * 1234)
    server.faults["file"] = [ignore_range]
    get(server, partial)
    assert len(server.requests) == 1
    assert partial.read_bytes() == CONTENT


def test_the_beginning_of_another_file_costs_one_more_request(server, partial):
    partial.write_bytes(b"x" * 1234)
    get(server, partial)
    assert server.requests == [("file", "bytes=1234-"), ("file", None)]
    assert partial.read_bytes() == CONTENT


def test_more_than_the_whole_file_is_thrown_away(server, partial):
    partial.write_bytes(CONTENT + b"more")
    get(server, partial)
    assert server.requests == [("file", f"bytes={len(CONTENT) + 4}-"), ("file", None)]
    assert partial.read_bytes() == CONTENT


def test_another_file_is_refused_and_not_kept(server, partial):
    with pytest.raises(DownloadError, match=f"another file than the expected file .md5 {MD5} instead of 1234"):
        get(server, partial, md5="1234")
    assert not partial.exists()
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [404, 403, 410])
def test_a_final_refusal_is_told_at_once(server, partial, status):
    server.faults["file"] = [answer(status)]
    with pytest.raises(DownloadError, match=f"cannot be fetched: the server answered {status}"):
        get(server, partial)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_failure_is_tried_again(server, partial, status):
    server.faults["file"] = [answer(status), answer(status)]
    get(server, partial)
    assert len(server.requests) == 3
    assert partial.read_bytes() == CONTENT


def test_pauses_double(server, partial, monkeypatch):
    pauses = []
    monkeypatch.setattr(fetching._Transfer, "wait", lambda _, seconds: pauses.append(seconds))
    server.faults["file"] = [answer(503)] * 5
    with pytest.raises(DownloadError, match=r"broke off 5 times in a row.*503"):
        get(server, partial)
    assert pauses == [0.01, 0.02, 0.04, 0.08]


def test_progress_begins_the_count_of_failures_anew(server, partial, monkeypatch):
    # Ten drops, each after a mebibyte or more: a slow but living connection gets there.
    monkeypatch.setattr(fetching, "FIRST_PAUSE", 0.0)
    content = CONTENT * 50
    server.files["file"] = content
    server.faults["file"] = [drop_after(1 << 20)] * 10
    get(server, partial, md5=hashlib.md5(content).hexdigest())
    assert len(server.requests) == 11
    assert partial.read_bytes() == content


def test_nobody_there_is_told_after_a_second_try(partial, monkeypatch):
    monkeypatch.setattr(fetching, "FIRST_PAUSE", 0.01)
    with socket.socket() as taken:  # bound, not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{taken.getsockname()[1]}"
        told: list[Progress] = []
        with pytest.raises(DownloadError, match=f"{host} cannot be reached .Connection refused.. Check the network"):
            fetch(f"http://{host}/file", partial, MD5, told.append)
    assert {now.step for now in told} == {"waiting"}


def test_a_silent_server_times_out(partial, monkeypatch):
    monkeypatch.setattr(fetching, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(fetching, "TIMEOUT", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(DownloadError, match=r"cannot be reached .timed out."):
            fetch(f"http://{host}/file", partial, MD5, lambda _: None)


def test_a_file_without_end_is_cut_off(server, partial, monkeypatch):
    monkeypatch.setattr(fetching, "MOST_BYTES", 100_000)
    with pytest.raises(DownloadError, match="larger than anything that is fetched here"):
        get(server, partial)
    assert not partial.exists()  # the length it announced was enough

    def without_length(handler, content):
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(content)

    server.faults["file"] = [without_length]
    with pytest.raises(DownloadError, match="larger than anything that is fetched here"):
        get(server, partial)
    assert not partial.exists() or partial.stat().st_size <= 100_000


def test_a_length_that_is_not_told_is_no_obstacle(server, partial):
    def without_length(handler, content):
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(content)

    server.faults["file"] = [without_length]
    seen: list[Progress] = []
    get(server, partial, report=seen.append)
    assert partial.read_bytes() == CONTENT
    assert seen[-1] == Progress("fetching", "file", len(CONTENT), None)
    assert seen[-1].fraction == 0.0
