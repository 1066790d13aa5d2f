"""Our LIME against the `lime` package: the backends, what each found, and the record of both."""

import contextlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from flowers_core.explain.explanation import ClassTarget, Explanation
from flowers_core.explain.lime.explain import explain_lime
from flowers_core.explain.lime.reference import explain_lime_reference
from flowers_core.explain.lime.regression import SEGMENTS
from flowers_core.explain.lime.superpixels import Segmentation
from flowers_core.explain.metrics.faithfulness import Curves
from flowers_core.explain.metrics.interval import Interval, bootstrap
from flowers_core.explain.records.lime import OURS, PACKAGE, PACKAGE_ON_KERAS, LimeBackend, LimeRecord
from flowers_core.explain.subject import Logits, Subject
from flowers_core.inference.bundle import CLASSIFIER_FILE, Bundle
from flowers_core.inference.runtime import Runtime

Pixels = NDArray[np.uint8]
#: From (size, size, 3) uint8 pixels, a label from 1 and a seed to an explanation.
Explain = Callable[[Pixels, int, int], Explanation]


@dataclass
class BackendRuns:
    """What one backend found, by photo.

    Attributes:
        seconds: of the explanation.
        maps: the explanations.
        curves: deletion and insertion.
        stability: overlap of the five strongest superpixels over seeds, [0, 1].
    """

    seconds: dict[int, float] = field(default_factory=dict)
    maps: dict[int, Explanation] = field(default_factory=dict)
    curves: dict[int, Curves] = field(default_factory=dict)
    stability: dict[int, float] = field(default_factory=dict)


def lime_backends(
    bundle: Bundle, runtime: Runtime, package_samples: int, *, keras: bool, per_position: bool
) -> dict[str, Explain]:
    """What is compared, by the names of `records.lime`.

    Args:
        bundle: the model.
        runtime: its INT8 model, which ours and the package ask.
        package_samples: forward passes of the package.
        keras: whether the package also asks Keras' `predict`, as it mostly does.
        per_position: whether ours fits one model for each position of the feature map, rather than one regression.
    """
    size = bundle.crop_rule.size
    head = bundle.head()[0]

    def subject(pixels: Pixels, logits: Logits) -> Subject:
        return Subject(
            pixels=pixels,
            box=(0.0, 0.0, float(size), float(size)),
            photo_size=(size, size),
            features=np.empty((0, 0, len(head))),  # LIME makes its own
            head=head,
            logits=logits,
            feature_maps=runtime.features,
            forward=runtime.forward if per_position else None,
            temperature=bundle.calibration.temperature if bundle.calibration else 1.0,
            segmentation=Segmentation() if per_position else Segmentation(segments=SEGMENTS),
        )

    def package(logits: Logits) -> Explain:
        def explain(pixels: Pixels, label: int, seed: int) -> Explanation:
            with contextlib.redirect_stderr(io.StringIO()):  # the package draws a bar of its own for each explanation
                return explain_lime_reference(
                    subject(pixels, logits), ClassTarget(label), samples=package_samples, seed=seed
                )

        return explain

    def ours(pixels: Pixels, label: int, seed: int) -> Explanation:
        return explain_lime(subject(pixels, runtime.logits), ClassTarget(label), seed=seed)

    backends: dict[str, Explain] = {OURS: ours, PACKAGE: package(runtime.logits)}
    if keras:
        from flowers_core.networks import start_tensorflow

        start_tensorflow(quietly=True)
        from flowers_core.networks.classifier import load_classifier

        classifier = load_classifier(bundle.path(CLASSIFIER_FILE))

        def predict(photos: Pixels) -> NDArray[np.float32]:
            return classifier.predict(photos.astype(np.float32), verbose=0)

        predict(np.zeros((10, size, size, 3), np.uint8))  # traces the graph
        backends[PACKAGE_ON_KERAS] = package(predict)
    return backends


def lime_record(
    found: Mapping[str, BackendRuns], *, machine: str, split: str, seed: int, seeds: int, per_position: bool
) -> LimeRecord:
    """The record of a comparison.

    Args:
        found: by backend, OURS and PACKAGE among them.
        machine: what it was timed on.
        split: that the photos are from.
        seed: that drew the photos.
        seeds: explanations of each photo whose stability was measured.
        per_position: as in `lime_backends`.
    """
    ours, package = found[OURS], found[PACKAGE]
    runs = list(ours.maps.values())
    backends = {}
    for name, backend in found.items():
        ratios = [seconds / ours.seconds[photo] for photo, seconds in backend.seconds.items()]
        backends[name] = LimeBackend(
            photos=len(backend.seconds),
            seconds=bootstrap(list(backend.seconds.values()), np.median),
            times_ours=bootstrap(ratios, np.median),
            deletion=_interval([curve.deletion_auc for curve in backend.curves.values()]),
            insertion=_interval([curve.insertion_auc for curve in backend.curves.values()]),
            stability=_interval(list(backend.stability.values())),
        )
    deletion_gain = [package.curves[photo].deletion_auc - curve.deletion_auc for photo, curve in ours.curves.items()]
    stability_gain = [stability - package.stability[photo] for photo, stability in ours.stability.items()]
    return LimeRecord(
        machine=machine,
        split=split,
        seed=seed,
        seeds=seeds,
        per_position=per_position,
        stability_photos=len(stability_gain),
        samples=float(np.median([int(run.settings["samples"]) for run in runs])),
        converged=float(np.mean([bool(run.settings["converged"]) for run in runs])),
        backends=backends,
        deletion_gain=bootstrap(deletion_gain),
        stability_gain=_interval(stability_gain),
    )


def _interval(values: list[float]) -> Interval | None:
    """The mean with its interval; None where nothing was measured."""
    return bootstrap(values) if values else None
