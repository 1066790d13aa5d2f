"""Estimate what it takes to embed and index up to 10⁹ photos: docs/SCALE.md.

    flowers study estimate_scale                                    # write the page from models/scale.json
    flowers study estimate_scale --measure efficientnet_lite0_all   # measure one photo's costs on this machine first

Processor time is measured, on one core: of reading a photo, small and as a phone takes it, of one INT8 pass, of all
else that a worker of `flowers index` does with a photo, and of finding out that it is embedded already.
"""

import argparse
import io
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from flowers_core.data.dataset import Dataset
from flowers_core.data.model_input import model_input
from flowers_core.data.open_dataset import open_dataset
from flowers_core.data.photos import read_photo
from flowers_core.indexing.embed import embed_shard, prepare_folder, space_of
from flowers_core.indexing.shards import Embedded, Shard
from flowers_core.indexing.sources import Source
from flowers_core.inference.bundle import Bundle, load_bundle
from flowers_core.inference.runtime import Runtime
from flowers_core.reports.scale import Measured, ScaleRecord
from flowers_core.reports.scale_document import document
from flowers_core.retrieval.stores.space import DIMENSION
from flowers_core.storage.files import write_json, write_text
from flowers_core.storage.paths import default_models_dir
from flowers_core.storage.typed_json import from_json, read_json, to_json
from scripts.benchmarks.machine import instruction_sets, machine
from scripts.options.command import add_data_option, at_least, bundle_folder, run, verb_parser

# Photos like a phone's: how many are made, their size in pixels, and the noise of its sensor in grey values.
_PHONE, _PHONE_SIZE, _PHONE_NOISE = 10, (4032, 3024), 6.0


def main() -> None:
    """Parse the command line, measure where asked, and write the page."""
    options = _parse()
    before = from_json(ScaleRecord, read_json(options.record)) if options.record.is_file() else None
    if options.measure:
        measured = measure(load_bundle(options.measure), open_dataset(options.data), options.photos)
        before = before.with_measured(measured) if before else ScaleRecord(measured)
        write_json(options.record, to_json(before))
    assert before is not None
    measured = before.measured
    write_text(options.out, document(before))
    print(f"{options.out}: {measured.decode_ms:.1f} ms to read a photo, {measured.pass_ms:.1f} ms for its pass.")


def measure(bundle: Bundle, dataset: Dataset, photos: int) -> Measured:
    """What one photo costs on this machine.

    Args:
        bundle: whose INT8 model is run.
        dataset: whose first test photos are read.
        photos: how many.
    """
    runtime = Runtime(bundle.path("int8.tflite"), workers=1)
    decode, passes, sizes = [], [], []
    photo_ids = dataset.split_ids("test")[:photos].tolist()
    for photo_id in photo_ids:
        begun = time.thread_time()
        pixels = model_input(dataset.open(photo_id).pixels, bundle.crop_rule).pixels[None]
        read = time.thread_time()
        runtime.forward(pixels)
        passes.append(time.thread_time() - read)
        decode.append(read - begun)
        sizes.append(dataset.path(photo_id).stat().st_size)
    whole, resume = _of_worker(bundle, [Source(str(dataset.path(photo_id))) for photo_id in photo_ids])
    phone_decode, phone_bytes = _of_phone(bundle, [dataset.open(photo_id).pixels for photo_id in photo_ids[:_PHONE]])
    return Measured(
        machine=f"{machine()} ({instruction_sets() or 'instruction sets unknown'})",
        photos=len(sizes),
        decode_ms=round(1000 * float(np.median(decode)), 3),
        pass_ms=round(1000 * float(np.median(passes)), 3),
        rest_ms=round(1000 * max(0.0, whole - float(np.mean(decode) + np.mean(passes))), 3),
        resume_us=round(1e6 * resume, 2),
        photo_bytes=round(float(np.mean(sizes))),
        phone_decode_ms=round(1000 * phone_decode, 1),
        phone_bytes=phone_bytes,
        dimensions=DIMENSION,
    )


def _of_phone(bundle: Bundle, photos: list[NDArray[np.uint8]]) -> tuple[float, int]:
    """Processor seconds of reading a photo of a phone's size, and its bytes; made from small ones, and noise."""
    rng = np.random.default_rng(0)
    seconds, sizes = [], []
    for small in photos:
        large = np.asarray(Image.fromarray(small).resize(_PHONE_SIZE, Image.Resampling.BICUBIC), np.float32)
        noisy = (large + rng.normal(0, _PHONE_NOISE, large.shape)).clip(0, 255).astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(noisy).save(file, "JPEG", quality=88)
        begun = time.thread_time()
        model_input(read_photo(file.getvalue()).pixels, bundle.crop_rule)
        seconds.append(time.thread_time() - begun)
        sizes.append(file.tell())
    return float(np.median(seconds)), round(float(np.mean(sizes)))


def _of_worker(bundle: Bundle, photos: list[Source]) -> tuple[float, float]:
    """Processor seconds of a photo in a worker of `flowers index`, and where it is embedded already."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        prepare_folder(folder, bundle, space_of(bundle))
        work = partial(embed_shard, bundle=bundle.folder, folder=folder)
        work(Shard(tuple(photos[:2])))  # loads the model
        begun = time.thread_time()
        work(Shard(tuple(photos)))
        embedded = time.thread_time()
        known = Embedded(folder)
        list(map(known.__contains__, photos))
        return (embedded - begun) / len(photos), (time.thread_time() - embedded) / len(photos)


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_data_option(parser)
    models = default_models_dir()
    parser.add_argument("--measure", type=bundle_folder, metavar="BUNDLE", help="measure with this model first")
    parser.add_argument("--photos", type=at_least(1), default=500, metavar="N", help="photos to measure (default: 500)")
    parser.add_argument("--record", type=Path, default=models / "scale.json", metavar="FILE", help="the measured costs")
    parser.add_argument(
        "--out", type=Path, default=models.parent / "docs" / "SCALE.md", metavar="FILE", help="the page"
    )
    options = parser.parse_args()
    if not options.measure and not options.record.is_file():
        parser.error(f"there is no {options.record} yet: --measure BUNDLE makes it")
    return options


if __name__ == "__main__":
    run(main)
