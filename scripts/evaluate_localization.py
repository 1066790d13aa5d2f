"""Measure how much of the evidence lies on the flower.

    flowers evaluate_localization efficientnet_lite0

On every test photo the closed form explains what the INT8 model answers, and Oxford's automatic segmentation says how
much of that lies on the flower. The shares are kept in a file photo by photo, so that a run that was broken off goes on
where it was; when all are there, they are kept in the bundle, for *Confusions* and *Models*.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from flowers_core.data.dataset import DatasetMissing
from flowers_core.data.model_input import model_input
from flowers_core.data.oxford import OxfordFlowers, how_to_get_segmentations
from flowers_core.data.photos import open_photo
from flowers_core.data.segmentations import flower_mask, has_segmentations
from flowers_core.explain.attributions.cam import class_evidence
from flowers_core.explain.metrics.localization import Localization, localize
from flowers_core.explain.records.localization import LOCALIZATION_FILE, LocalizationRecord, MeanLocalization
from flowers_core.inference.bundle import Bundle, BundleWriter, load_bundle
from flowers_core.inference.runtime import Runtime
from flowers_core.storage.files import sha256_of
from scripts.options.command import add_bundle_argument, add_data_option, progress, run, verb_parser

_PRECISION = "int8"

# photo → what the model calls it (0 where it was not asked) and the share, None where none can be said
Known = dict[int, tuple[int, Localization | None]]


def main() -> None:
    """Parse the command line, measure what is missing, keep the record in the bundle."""
    options = _parse()
    bundle = load_bundle(options.bundle)
    flowers = OxfordFlowers(options.data)
    if not has_segmentations(flowers.root):
        raise DatasetMissing(f"There are no segmentations in {flowers.root}. {how_to_get_segmentations(flowers.root)}")
    digest = sha256_of(bundle.path(f"{_PRECISION}.tflite"))[:12]  # a model made anew starts a record of its own
    path = options.out / f"flower-share-{bundle.name}-{digest}" / "shares.jsonl"
    known = _read(path)
    missing = [photo_id for photo_id in flowers.split_ids("test").tolist() if photo_id not in known]
    with path.open("a", encoding="utf-8") as handle:
        for photo_id, (called, share) in _measure(bundle, flowers, missing):
            known[photo_id] = called, share
            values = None if share is None else [share.mass, share.area]
            handle.write(json.dumps([photo_id, called, values]) + "\n")
    record = _record(flowers, known)
    BundleWriter.open(bundle.folder).add_npz(LOCALIZATION_FILE, compressed=True, **record.arrays())
    right = record.predicted == record.labels
    print(f"{len(record)} test photos, {record.left_out} left out: {_told(record.mean())}")
    print(f"rightly named {_told(record.mean(right))}; wrongly named {_told(record.mean(~right))}")


def _measure(
    bundle: Bundle, flowers: OxfordFlowers, photo_ids: list[int]
) -> Iterator[tuple[int, tuple[int, Localization | None]]]:
    runtime, head = Runtime(bundle.path(f"{_PRECISION}.tflite")), bundle.head()[0]
    for photo_id in progress(photo_ids, "photos"):
        photo = open_photo(flowers.path(photo_id))
        mask = flower_mask(flowers.root, photo_id, photo)
        if mask is None:
            yield photo_id, (0, None)
            continue
        seen = model_input(photo.pixels, bundle.crop_rule)
        forward = runtime.forward(seen.pixels[None])
        called = int(forward.logits[0].argmax()) + 1
        explained = class_evidence(
            forward.features[0], head, called, box=seen.box, photo_size=(photo.width, photo.height)
        )
        yield photo_id, (called, localize(explained, mask))


def _read(path: Path) -> Known:
    """What an earlier run found; its last line, if it died while writing it, is dropped."""
    known: Known = {}
    whole = ""
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        try:
            photo_id, called, values = json.loads(line)
            known[int(photo_id)] = int(called), None if values is None else Localization(*map(float, values))
        except (ValueError, TypeError):
            continue
        whole += line + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(whole, encoding="utf-8")
    return known


def _record(flowers: OxfordFlowers, known: Known) -> LocalizationRecord:
    rows = [
        (photo_id, flowers.label_of(photo_id), called, share.mass, share.area)
        for photo_id, (called, share) in sorted(known.items())
        if share is not None
    ]
    ids, labels, called, heat, area = np.array(rows, np.float64).reshape(-1, 5).T
    return LocalizationRecord(
        ids=ids.astype(np.int64),
        labels=labels.astype(np.int64),
        predicted=called.astype(np.int64),
        mass=heat.astype(np.float32),
        area=area.astype(np.float32),
        left_out=len(known) - len(rows),
    )


def _told(share: MeanLocalization | None) -> str:
    if share is None:
        return "no photos"
    return f"{100 * share.mass:.1f} % of the evidence on {100 * share.area:.1f} % of the area, {share.ratio:.2f} times"


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    add_data_option(parser)
    parser.add_argument(
        "--out", type=Path, default=Path("evaluations"), metavar="DIR", help="where records are kept (evaluations/)"
    )
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
