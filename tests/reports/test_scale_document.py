import re

import pytest

from flowers_core.reports.scale import Measured, ScaleRecord
from flowers_core.reports.scale_document import document

COSTS = {"decode_ms": 7.0, "pass_ms": 2.0, "rest_ms": 1.0, "resume_us": 6.0, "photo_bytes": 100_000, "dimensions": 128}
COSTS |= {"phone_decode_ms": 97.0, "phone_bytes": 2_500_000}

pytestmark = pytest.mark.slow  # some two million shards are simulated


@pytest.fixture(scope="module")
def text() -> str:
    slow = Measured("an old one", 500, **{**COSTS, "pass_ms": 17.0})
    return document(ScaleRecord(Measured("a machine", 500, **COSTS), (slow,)))


def rows(text: str, heading: str) -> list[list[str]]:
    part = text.split(heading)[1].split("\n## ")[0]
    return [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("| 1")]


def test_the_page_is_computed_from_one_photos_costs(text: str) -> None:
    """A photo of 10 ms and 100 kB: a million take 10⁴ s, 0.1 TB, and 138 MB of index."""
    found = rows(text, "## Size, time and money")
    assert [row[0] for row in found] == ["10⁶", "10⁷", "10⁸", "10⁹"]
    assert found[0][:7] == ["10⁶", "2", "1,000", "0.10", "0.5", "0.1", "3"]
    assert 10**4 / 2 / 3600 <= float(found[0][7]) <= 1.1 * 10**4 / 2 / 3600 + 0.05
    assert "7.0 ms of processor time to read a photo, 2.0 ms for the INT8 pass and 1.0 ms for the rest" in text
    assert "On an old one, the pass took 17.0 ms and a photo 25.0 ms in all: multiply the hours by 2.5." in text
    assert "16 GB hold 116 million" in text
    assert "10⁸ photos take 10 minutes and 10⁹ take 1.7 hours, 16 GB and 1,000,000 files" in text
    # 10 Gbit/s are 12500 photos of 100 kB a second, a hundred for each core.
    assert "at about 125 cores: that many read 10 Gbit/s" in text
    # A phone's photo takes 97 + 3 ms and has 2.5 MB: 500 a second come, ten for each core.
    assert "takes 97 ms to read: for such photos multiply the hours by 10." in text
    assert "Of phones' photos 50 cores read as much." in text


def test_the_network_sets_the_pace_of_very_many_cores(text: str) -> None:
    """10⁹ photos of 100 kB over 10 Gbit/s take 80 000 s, however many cores wait for them."""
    hours = float(rows(text, "## Size, time and money")[-1][7])
    assert hours == pytest.approx(80_000 / 3600, rel=0.03)


def test_the_larger_a_shard_the_more_a_death_costs(text: str) -> None:
    found = rows(text, "## How large a shard")
    assert [row[0] for row in found] == ["100", "1,000", "10,000", "100,000"]
    again = [float(row[3]) for row in found]
    assert again == sorted(again)
    assert float(found[1][4]) > float(found[3][4])


def test_no_line_is_left_unfilled(text: str) -> None:
    assert not re.search(r"[{}]", text)
