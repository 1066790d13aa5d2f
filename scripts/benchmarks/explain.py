"""Explain the same photos with this project and with tf-keras-vis.

    flowers benchmarks explain BUNDLE

TensorFlow computes on every core, so the pass of the closed form does too; what the INT8 pass takes on one thread is a
row of its own, and so is the pass of the most exact model in the bundle.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from flowers_core.data.model_input import model_input
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.data.photos import open_photo
from flowers_core.explain.attributions import cam
from flowers_core.explain.explanation import ClassTarget, Explanation
from flowers_core.explain.subject import Frame, Subject
from flowers_core.inference.bundle import CLASSIFIER_FILE, Bundle, load_bundle, model_file
from flowers_core.inference.runtime import Runtime
from flowers_core.storage.files import write_json
from scripts.benchmarks.turns import cores, machine, ratio, take_turns
from scripts.options.command import add_bundle_argument, add_data_option, at_least, run, verb_parser

_WARM_UP = 2
_TRACED = ("grad_cam", "grad_cam_plus_plus", "layer_cam", "saliency")
_SMOOTH = 16
_WITH_PASS = "closed form with its INT8 pass"
_ON_ONE_THREAD = f"{_WITH_PASS}, 1 thread"

Pixels = NDArray[np.uint8]


def main() -> None:
    """Parse the command line. Measure and print; every ratio is of neighbours in time."""
    options = _parse()
    bundle = load_bundle(options.bundle)
    flowers = OxfordFlowers(options.data)
    ids = np.random.default_rng(options.seed).permutation(flowers.split_ids("test"))
    photos = [
        model_input(open_photo(flowers.path(int(photo))).pixels, bundle.crop_rule).pixels
        for photo in ids[: _WARM_UP + options.rounds]
    ]
    from flowers_core.networks import start_tensorflow

    start_tensorflow(quietly=True)
    from flowers_core.networks.classifier import load_classifier

    classifier = load_classifier(bundle.path(CLASSIFIER_FILE))
    figures = {"machine": machine(), **_compare(bundle, classifier, photos, options.rounds)}
    if options.out:
        write_json(options.out, figures)


def _compare(bundle: Bundle, classifier: Any, photos: list[Pixels], rounds: int) -> dict[str, Any]:
    from flowers_core.explain.attributions.grad_cam import explain_grad_cam
    from flowers_core.explain.attributions.grad_cam_plus_plus import explain_grad_cam_plus_plus
    from flowers_core.explain.attributions.gradients import Gradients
    from flowers_core.explain.attributions.layer_cam import explain_layer_cam
    from flowers_core.explain.attributions.saliency import explain_saliency
    from flowers_core.explain.attributions.tf_keras_vis_reference import explain_by_tf_keras_vis

    runtime = Runtime(bundle.path(model_file("int8")), workers=1)
    on_all_cores, exact = (
        Runtime(bundle.path(model_file(precision)), workers=1, threads=cores())
        for precision in ("int8", bundle.precisions[0])
    )
    with_exact_pass = f"closed form with its {bundle.precisions[0]} pass"
    head = bundle.head()[0]
    gradients = Gradients(classifier)
    size = bundle.crop_rule.size
    frame: Frame = {"box": (0.0, 0.0, float(size), float(size)), "photo_size": (size, size)}
    answers = [_answer(runtime, pixels) for pixels in photos]
    passed = [runtime.forward(pixels[None]).features[0] for pixels in photos]
    subjects = [
        Subject(
            pixels=pixels,
            features=features,
            head=head,
            logits=runtime.logits,
            feature_maps=runtime.features,
            gradients=lambda: gradients,
            **frame,
        )
        for pixels, features in zip(photos, passed, strict=True)
    ]

    def reference(method: str) -> Callable[[int], Explanation]:
        options: dict[str, Any] = {"smooth_samples": _SMOOTH} if method == "saliency" else {}
        return lambda n: explain_by_tf_keras_vis(method, classifier, subjects[n], answers[n], **options)

    def with_pass(runtime: Runtime) -> Callable[[int], Explanation]:
        return lambda n: cam.class_evidence(
            runtime.forward(photos[n][None]).features[0], head, answers[n].label, **frame
        )

    paths: dict[str, Callable[[int], Explanation]] = {
        "closed form": lambda n: cam.class_evidence(passed[n], head, answers[n].label, **frame),
        # On one thread first: TensorFlow's, whose turn was before, look for work for a while before they rest.
        _ON_ONE_THREAD: with_pass(runtime),
        _WITH_PASS: with_pass(on_all_cores),
        with_exact_pass: with_pass(exact),
        "grad_cam": lambda n: explain_grad_cam(subjects[n], answers[n]),
        "grad_cam_plus_plus": lambda n: explain_grad_cam_plus_plus(subjects[n], answers[n]),
        "layer_cam": lambda n: explain_layer_cam(subjects[n], answers[n]),
        "saliency": lambda n: explain_saliency(subjects[n], answers[n], samples=_SMOOTH),
        **{f"{method}, tf-keras-vis": reference(method) for method in _TRACED},
    }
    maps: dict[str, list[Explanation]] = {name: [] for name in paths}

    def keep(name: str) -> Callable[[int], None]:
        return lambda n: maps[name].append(paths[name](n))

    total = _WARM_UP + rounds
    times = take_turns({name: keep(name) for name in paths}, range(total), warm_up=_WARM_UP, total=total)
    theirs = "grad_cam, tf-keras-vis"
    pairs = {
        "closed form": theirs,
        _ON_ONE_THREAD: theirs,
        _WITH_PASS: theirs,
        with_exact_pass: theirs,
        **{method: f"{method}, tf-keras-vis" for method in _TRACED},
    }
    rows = {name: {"median_ms": float(np.median(taken))} for name, taken in times.items()}
    print(f"{'method':40} {'median ms':>10} {'tf-keras-vis ÷ it':>18} {'rank correlation':>17}")
    for name, row in rows.items():
        if name in pairs:
            row["times_as_fast"] = ratio(times[pairs[name]], times[name])
            alike = [_alike(one, other) for one, other in zip(maps[name], maps[pairs[name]], strict=True)]
            row |= {"rank_correlation": float(np.mean(alike)), "least_rank_correlation": float(min(alike))}
            print(
                f"{name:40} {row['median_ms']:10.2f} {row['times_as_fast']:18.1f} "
                f"{row['rank_correlation']:8.4f} ≥ {min(alike):.3f}"
            )
        else:
            print(f"{name:40} {row['median_ms']:10.2f}")
    return {"rounds": rounds, "methods": rows}


def _answer(runtime: Runtime, pixels: Pixels) -> ClassTarget:
    return ClassTarget(int(runtime.logits(pixels[None])[0].argmax()) + 1)


def _alike(one: Explanation, other: Explanation) -> float:
    """Spearman's correlation; the negative parts, which tf-keras-vis cuts off, count as nothing in both."""
    maps = [np.maximum(explained.contributions, 0).ravel() for explained in (one, other)]
    return float(spearmanr(*maps)[0])


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    add_data_option(parser)
    parser.add_argument("--rounds", type=at_least(1), default=20, help="test photos for each method (default: 20)")
    parser.add_argument("--seed", type=int, default=0, help="draws the photos (default: 0)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the figures there as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
