"""docs/SCALE.md: from one machine to a thousand cores, computed from what one photo costs."""

from __future__ import annotations

from flowers_core.reports.scale import Fleet, Measured, Prices, ScaleRecord, simulate, sizes
from flowers_core.reports.tables import table

#: How many photos, and how many cores one would sensibly put to them.
PLANS = ((10**6, 2), (10**7, 16), (10**8, 128), (10**9, 1024))
_SHARDS = (100, 1000, 10_000, 100_000)
_GIGABYTE, _TERABYTE = 1e9, 1e12


def document(record: ScaleRecord, prices: Prices | None = None) -> str:
    """The whole document.

    Args:
        record: the costs of one photo.
        prices: what is paid.
    """
    measured, paid = record.measured, prices or Prices()
    plans = table(
        (
            "photos",
            "cores",
            "shards",
            "photos, TB",
            "embeddings, GB",
            "index in memory, GB",
            "core hours",
            "hours",
            "busy, %",
            "dollars",
        ),
        [_row(photos, cores, measured, paid) for photos, cores in PLANS],
    )
    photos, cores = PLANS[-2]
    shards = table(
        ("photos a shard", "a shard takes, s", "files", "begun again, %", "busy, %", "hours"),
        [_shard_row(shard, measured) for shard in _SHARDS],
    )
    parts = [
        _introduction(record, Fleet(1), paid),
        "## Size, time and money",
        plans,
        _READING,
        "## How large a shard",
        f"{_power(photos)} photos on {cores} cores, where a worker dies every hour in the mean:",
        shards,
        _ON_SHARDS,
        "## What breaks first",
        _breaks(measured),
    ]
    return "\n\n".join(parts) + "\n"


_READING = (
    "*Hours* and *busy* are simulated: shards wait in one queue, workers differ by 15 % and die once a day in the "
    "mean, and a death loses the shard that was begun. *Busy* is the share of the workers' time that went into shards "
    "which were finished. *Index in memory* is FAISS' IVF-SQ8. *Dollars* are for the cores, reading each photo once, "
    "and a month of the embeddings."
)
_ON_SHARDS = (
    "Small shards make many files and cost a start each; large ones lose much with a death, and the last ones keep all "
    "other cores waiting. About a thousand photos is right over the whole range."
)


def _introduction(record: ScaleRecord, fleet: Fleet, prices: Prices) -> str:
    measured = record.measured
    parts = [
        "# Scale",
        "`flowers study estimate_scale` makes this page from `models/scale.json`; do not edit it. It says what it "
        "takes to embed and index up to 10⁹ photos. Nothing here was run at that size: one photo's costs are measured, "
        "all else is computed from them (`flowers_core/reports/scale.py`).",
        f"**Measured** on {measured.machine}, with {measured.photos} photos: {measured.decode_ms:.1f} ms of "
        f"processor time to read a photo, {measured.pass_ms:.1f} ms for the INT8 pass and {measured.rest_ms:.1f} ms "
        f"for the rest (answer, hash, projection, file); a photo's file has {measured.photo_bytes / 1000:.0f} kB, its "
        f"embedding {measured.dimensions} dimensions. A photo of 12 million pixels, as phones take "
        f"them (a test photo enlarged, with noise; {measured.phone_bytes / 1e6:.1f} MB), takes "
        f"{measured.phone_decode_ms:.0f} ms to read: for such photos multiply the hours by {_phones(measured):.0f}."
        + "".join(_elsewhere(other, measured) for other in record.elsewhere),
        f"**Assumed**: a network of {_gigabits(fleet)} shared by all workers; {prices.core_hour} dollars a core "
        f"and hour, {prices.gigabyte_month} a gigabyte and month, {prices.thousand_reads} a thousand reads. Prices "
        "differ: put in your own.",
    ]
    return "\n\n".join(parts)


def _elsewhere(other: Measured, measured: Measured) -> str:
    return (
        f" On {other.machine}, the pass took {other.pass_ms:.1f} ms and a photo {1000 * other.seconds:.1f} ms in all: "
        f"multiply the hours by {other.seconds / measured.seconds:.1f}."
    )


def _row(photos: int, cores: int, measured: Measured, prices: Prices) -> list[str]:
    fleet = Fleet(cores)
    size, run = sizes(photos, measured, fleet.shard, prices), simulate(photos, measured, fleet)
    return [
        _power(photos),
        str(cores),
        f"{size.shards:,}",
        f"{size.photo_bytes / _TERABYTE:.2f}",
        f"{size.vector_bytes / _GIGABYTE:.1f}",
        f"{size.index_bytes / _GIGABYTE:.1f}",
        f"{size.core_hours:,.0f}",
        f"{run.hours:.1f}",
        f"{100 * run.busy:.0f}",
        f"{size.dollars:,.0f}",
    ]


def _shard_row(shard: int, measured: Measured) -> list[str]:
    photos, cores = PLANS[-2]
    run = simulate(photos, measured, Fleet(cores, shard=shard, hours_between_deaths=1.0))
    return [
        f"{shard:,}",
        f"{shard * measured.seconds:.0f}",
        f"{photos // shard:,}",
        f"{100 * run.repeated:.2f}",
        f"{100 * run.busy:.0f}",
        f"{run.hours:.1f}",
    ]


def _breaks(measured: Measured) -> str:
    fleet = Fleet(1)
    hours = 10**7 * measured.seconds / 2 / 3600
    per_photo = sizes(1, measured, 1, Prices()).index_bytes
    read = fleet.network * measured.seconds / measured.photo_bytes
    phones = fleet.network * measured.seconds * _phones(measured) / measured.phone_bytes
    shard = fleet.shard * measured.seconds
    limits = [
        f"**One machine's time**, from about {_power(10**7)} photos: two cores take {hours:.0f} hours for them. More "
        "machines help, as shards know nothing of one another.",
        f"**The index in one machine's memory**, from about {_power(10**8)}: at {per_photo:.0f} bytes a photo, 16 GB "
        f"hold {16e9 / per_photo / 1e6:.0f} million. An index on disk or on several machines takes over there.",
        f"**The network**, at about {read:.0f} cores: that many read {_gigabits(fleet)}. More cores help only where "
        "the photos lie on several machines, as in an object store. Of phones' photos "
        f"{phones:.0f} cores read as much.",
        f"**The scheduler**: a task takes it about a millisecond and a shard of {fleet.shard} takes {shard:.0f} s, so "
        f"it feeds some {shard / 0.001:,.0f} cores. It must hold a window of futures, not one for every shard.",
        f"**Taking a run up again**, from about {_power(10**8)}: what is embedded is read back from the shards' files, "
        f"which takes {measured.resume_us:.0f} µs a photo and 16 bytes of memory, so {_power(10**8)} photos take "
        f"{100 * measured.resume_us / 60:.0f} minutes and {_power(10**9)} take {1000 * measured.resume_us / 3600:.1f} "
        f"hours, 16 GB and {10**9 // fleet.shard:,} files in a folder. Beyond, each part of the photos gets a gallery "
        "of its own.",
    ]
    return "\n".join(f"{number}. {limit}" for number, limit in enumerate(limits, 1))


def _phones(measured: Measured) -> float:
    """How many times as much processor time a phone's photo takes."""
    return 1 + (measured.phone_decode_ms - measured.decode_ms) / 1000 / measured.seconds


def _gigabits(fleet: Fleet) -> str:
    return f"{8 * fleet.network / _GIGABYTE:.0f} Gbit/s"


def _power(number: int) -> str:
    exponent = len(str(number)) - 1
    return "10" + str(exponent).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
