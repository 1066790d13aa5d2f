import json
from pathlib import Path

import pytest

from flowers_core.storage.events import Event, EventLog, read_events
from flowers_core.storage.typed_json import JsonValueError


def test_events_come_back_with_the_time_of_each(tmp_path: Path) -> None:
    path, clock = tmp_path / "events.jsonl", iter((5.0, 7.5))
    log = EventLog(path, lambda: next(clock))
    log(Event("progress", title="views", done=1, total=4))
    log(Event("epoch", phase="head", done=2, total=3, loss=0.5, validation_top1=0.9))
    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {"kind": "progress", "at": 5.0, "title": "views", "done": 1, "total": 4},
        {"kind": "epoch", "at": 7.5, "done": 2, "total": 3, "phase": "head", "loss": 0.5, "validation_top1": 0.9},
    ]
    assert list(read_events(path)) == [
        Event("progress", 5.0, title="views", done=1, total=4),
        Event("epoch", 7.5, phase="head", done=2, total=3, loss=0.5, validation_top1=0.9),
    ]


def test_a_line_that_is_no_event_is_told(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text('{"kind": "epoch", "epoch": 3}\n')
    with pytest.raises(JsonValueError, match="epoch is no key that this version knows"):
        list(read_events(tmp_path / "events.jsonl"))
