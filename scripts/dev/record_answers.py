"""Record what every shipped bundle answers to 102 test photos, or compare two records bit by bit.

    python -m scripts.dev.record_answers record before.npz
    python -m scripts.dev.record_answers compare before.npz after.npz

For a change that must not change an answer: logits, heat maps, neighbours and verdicts of each shipped numeric format.
Both records must come from one machine, since kinds of processors round differently.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.model_input import model_input
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.data.photos import Photo, open_photo
from flowers_core.explain.attributions.cam import class_evidence
from flowers_core.inference.bundle import Bundle, list_bundles, model_file
from flowers_core.inference.prediction import predict
from flowers_core.inference.runtime import Runtime
from flowers_core.retrieval.gallery import Gallery
from flowers_core.storage.paths import default_data_dir, default_models_dir

NEIGHBOURS = 10


def photos_of(flowers: OxfordFlowers) -> list[Photo]:
    """The first test photo of each class, in the order of the classes."""
    first: dict[int, int] = {}
    for photo_id in flowers.split_ids("test"):
        first.setdefault(flowers.label_of(int(photo_id)), int(photo_id))
    return [open_photo(flowers.path(first[label])) for label in sorted(first)]


def answers_of(bundle: Bundle, photos: Sequence[Photo]) -> dict[str, NDArray[Any]]:
    """Everything that the page tells of the photos, for each format of the bundle.

    Args:
        bundle: calibrated, with a gallery.
        photos: to answer.

    Returns:
        Arrays by "bundle/format/what".
    """
    weights, _ = bundle.head()
    gallery = Gallery.load(bundle.path("gallery.faiss"), bundle.path("gallery.npz"))
    calibration, taxonomy = bundle.calibration, bundle.taxonomy
    assert calibration is not None
    found: dict[str, NDArray[Any]] = {}
    views = [model_input(photo.pixels, bundle.crop_rule) for photo in photos]
    for precision in bundle.precisions:
        runtime = Runtime(bundle.path(model_file(precision)))
        seen = np.stack([view.pixels for view in views])
        forward = runtime.forward(seen)
        predictions = [predict(logits, calibration, taxonomy) for logits in forward.logits]
        maps = [
            class_evidence(
                forward.features[n],
                weights,
                int(forward.logits[n].argmax()) + 1,
                box=view.box,
                photo_size=(photo.width, photo.height),
            ).contributions
            for n, (view, photo) in enumerate(zip(views, photos, strict=True))
        ]
        near = [gallery.search(embedding, NEIGHBOURS) for embedding in forward.embedding]
        key = f"{bundle.name}/{precision}/"
        found |= {
            key + "input": seen,
            key + "logits": forward.logits,
            key + "maps": np.stack(maps),
            key + "probabilities": np.stack([prediction.probabilities for prediction in predictions]),
            key + "verdicts": np.array([prediction.verdict for prediction in predictions]),
            key + "sets": np.array([" ".join(map(str, prediction.plausible)) for prediction in predictions]),
            key + "neighbours": np.array([[n.photo_id for n in row] for row in near]),
            key + "similarities": np.array([[n.similarity for n in row] for row in near]),
        }
    return found


def differences(before: Path, after: Path) -> list[str]:
    """A sentence for each array that is not bit-equal in the two records.

    Args:
        before: the older record.
        after: the newer record.
    """
    with np.load(before, allow_pickle=False) as old, np.load(after, allow_pickle=False) as new:
        names = sorted({*old, *new})
        return [
            f"{name} is in one record only." if (name in old) != (name in new) else f"{name} differs."
            for name in names
            if name not in old or name not in new or old[name].tobytes() != new[name].tobytes()
        ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line, record or compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("record").add_argument("out", type=Path)
    comparing = verbs.add_parser("compare")
    comparing.add_argument("before", type=Path)
    comparing.add_argument("after", type=Path)
    options = parser.parse_args(arguments)
    if options.verb == "record":
        photos = photos_of(OxfordFlowers(default_data_dir()))
        found: dict[str, NDArray[Any]] = {}
        for bundle in list_bundles(default_models_dir()):
            found |= answers_of(bundle, photos)
        np.savez(options.out, **found)  # type: ignore[arg-type]
        print(f"{len(found)} arrays over {len(photos)} photos are in {options.out}.")
        return
    different = differences(options.before, options.after)
    print("\n".join(different) or "The two records are bit-equal.")
    sys.exit(bool(different))


if __name__ == "__main__":
    main()
