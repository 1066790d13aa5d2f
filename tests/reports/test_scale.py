"""Worked out by hand: fleets without chance, then chance by its mean."""

import pytest

from flowers_core.reports.scale import Fleet, Measured, Prices, ScaleRecord, simulate, sizes

# 10 ms a photo, 100 kB, 128 dimensions.
COSTS = {"decode_ms": 7.0, "pass_ms": 2.0, "rest_ms": 1.0, "resume_us": 6.0, "photo_bytes": 100_000, "dimensions": 128}
COSTS |= {"phone_decode_ms": 97.0, "phone_bytes": 2_500_000}
PHOTO = Measured("a machine", 1, **COSTS)
NO_CHANCE = {"hours_between_deaths": 1e12, "spread": 0.0, "start_seconds": 0.0}


def test_sizes_of_a_million_photos() -> None:
    found = sizes(1_000_000, PHOTO, 1000, Prices(core_hour=0.36, gigabyte_month=1.0, thousand_reads=0.5))
    assert found.shards == 1000
    assert found.photo_bytes == 1e11
    assert found.vector_bytes == 512e6
    assert found.index_bytes == 138e6  # the issue of a byte a dimension, an id, and the lists' share
    assert found.core_hours == pytest.approx(1e4 / 3600)
    assert found.dollars == pytest.approx(1.0 + 500 + 0.512)


def test_other_machines_stay_for_comparison_and_the_same_is_measured_anew() -> None:
    other, again = Measured("another", 1, **COSTS), Measured("a machine", 2, **COSTS)
    record = ScaleRecord(PHOTO).with_measured(other)
    assert record == ScaleRecord(other, (PHOTO,))
    assert record.with_measured(again) == ScaleRecord(again, (other,))


def test_a_begun_shard_is_a_file_too() -> None:
    assert sizes(1001, PHOTO, 1000, Prices()).shards == 2


@pytest.mark.parametrize(("workers", "rounds"), [(1, 10), (3, 4), (10, 1), (20, 1)])
def test_without_chance_shards_go_in_rounds(workers: int, rounds: int) -> None:
    """Ten shards of 10 s: as many rounds as ten by the workers, rounded up."""
    found = simulate(10_000, PHOTO, Fleet(workers, **NO_CHANCE))
    assert found.hours == pytest.approx(rounds * 10 / 3600)
    assert found.busy == pytest.approx(10 / (rounds * workers))
    assert found.repeated == 0
    assert not found.network_bound


def test_a_narrow_network_sets_the_pace() -> None:
    """Ten workers want 100 MB/s. With half of it, all takes twice as long."""
    wide = simulate(100_000, PHOTO, Fleet(10, network=1e8, **NO_CHANCE))
    narrow = simulate(100_000, PHOTO, Fleet(10, network=5e7, **NO_CHANCE))
    assert (wide.network_bound, narrow.network_bound) == (False, True)
    assert narrow.hours == pytest.approx(2 * wide.hours)


def test_deaths_repeat_as_many_shards_as_they_should() -> None:
    """Shards of 10 s at one death in 1000 s of work: about one in a hundred is begun again."""
    fleet = Fleet(10, hours_between_deaths=1000 / 3600, restart_seconds=0.0, spread=0.0, start_seconds=0.0)
    found = simulate(10_000_000, PHOTO, fleet)
    assert found.repeated == pytest.approx(0.01, rel=0.15)
    # A death comes in the middle of a shard, in the mean: half of it is lost.
    assert found.busy == pytest.approx(1 - 0.005, abs=0.002)


def test_the_spread_does_not_change_the_mean() -> None:
    still, spread = (simulate(3_000_000, PHOTO, Fleet(1, **(NO_CHANCE | {"spread": s}))) for s in (0.0, 0.3))
    assert spread.hours == pytest.approx(still.hours, rel=0.02)


def test_the_same_seed_is_the_same_run() -> None:
    assert simulate(50_000, PHOTO, Fleet(4), seed=3) == simulate(50_000, PHOTO, Fleet(4), seed=3)
    assert simulate(50_000, PHOTO, Fleet(4), seed=3) != simulate(50_000, PHOTO, Fleet(4), seed=4)


def test_a_shard_that_no_worker_outlives_is_refused() -> None:
    with pytest.raises(ValueError, match="hardly ever be finished"):
        simulate(10_000, PHOTO, Fleet(1, hours_between_deaths=9 / 3600))
