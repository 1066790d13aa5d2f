"""`scripts.evaluate --robust`: a bundle's INT8 model on photos as people take them."""

import numpy as np

from flowers_core.bundle import Bundle, BundleWriter
from flowers_core.dataset import OxfordFlowers
from flowers_core.photos import model_input, open_photo
from flowers_core.robustness import KINDS, degraded
from flowers_core.runtime import Runtime
from scripts.command import progress


def evaluate_robustness(bundle: Bundle, flowers: OxfordFlowers, split: str) -> None:
    """Print and record top-1 on each kind of spoilt photo of a split, their mean and the worst."""
    ids = flowers.split_ids(split)
    runtime = Runtime(bundle.path("int8.tflite"))
    right = dict.fromkeys(KINDS, 0)
    for photo_id in progress(ids, f"{split}, spoilt", len(ids)):
        pixels = open_photo(flowers.path(int(photo_id))).pixels
        views = [model_input(degraded(pixels, kind, int(photo_id)), bundle.crop_rule).pixels for kind in KINDS]
        for kind, logits in zip(KINDS, runtime.logits(np.stack(views)), strict=True):
            right[kind] += int(logits.argmax() + 1 == flowers.label_of(int(photo_id)))
    top1 = {kind: count / len(ids) for kind, count in right.items()}
    worst = min(top1, key=lambda kind: top1[kind])
    mean = float(np.mean(list(top1.values())))

    writer = BundleWriter.open(bundle.folder)
    stored = writer.manifest.get("robustness", {}).get("int8", {})
    figures = {"images": len(ids), "mean": mean, "worst": worst, "top1": top1}
    writer.set("robustness", {"int8": {**stored, split: figures}})
    for kind, share in top1.items():
        print(f"{kind:24} {share:7.4f}")
    print(f"{split}: mean {mean:.4f}, worst {top1[worst]:.4f} ({worst})")
