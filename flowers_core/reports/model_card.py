"""`models/README.md`: a card for each shipped bundle (Mitchell et al. 2019, arXiv 1810.03993), from its records."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from flowers_core.data.taxonomy import Taxon
from flowers_core.evaluation.confusion_matrix import confusion_matrix
from flowers_core.evaluation.predictions import load_predictions
from flowers_core.inference.bundle import Bundle, predictions_file
from flowers_core.reports.tables import percent, table

_CARD_PRECISION = "int8"
_INTRODUCTION = """# Models

Made from the bundles' records by `flowers write_results`; edited by nobody.

**Meant for** learning how such models work, where they fail and what their explanations are worth, and for putting a
name to a photo of a garden flower out of curiosity.

**Not to be used** to judge what is safe to eat, to touch or to give to an animal; to identify protected or invasive
plants where it matters; or on anything but the 102 flowers of the data set: to what it does not know a model has no
answer but to be unsure.

**Limits of all of them.** The photos are of flowers in bloom, mostly large in the frame and in the middle, of kinds
common in the United Kingdom; leaves, buds, fruit and distant plants are hardly among them. Some classes are single
species, others whole genera or groups of garden hybrids, and the English names are the data set's own; several are not
what botanists call the plant in the photos. Ten training photos a class are few: expect photos of other origin to be
named rightly less often than those of the test split.

**Weights.** The backbones grew from ImageNet weights that Google and the Keras team released under the Apache licence
2.0. The photos of the data set belong to their owners; none is in this repository."""


def cards(bundles: Sequence[Bundle], taxonomy: Iterable[Taxon]) -> str:
    """The whole document. Raises PredictionsError for a bundle without stored answers to the test photos."""
    taxa = list(taxonomy)
    return "\n\n".join([_INTRODUCTION, *(_card(bundle, taxa) for bundle in bundles)]) + "\n"


def _card(bundle: Bundle, taxa: Sequence[Taxon]) -> str:
    training, calibration, data = bundle.training, bundle.calibration, bundle.manifest.data
    figures = bundle.metrics[_CARD_PRECISION]["test"]
    assert calibration is not None
    assert data is not None
    facts = [
        ("backbone", f"{bundle.manifest.backbone}, {bundle.crop_rule.size} × {bundle.crop_rule.size} pixels"),
        ("trained by", f"{training.method}: `{training.command.line()}`"),
        (
            "trained on",
            f"{training.photos} photos of the official split ({' + '.join(training.splits)})",
        ),
        (
            "data",
            f"fingerprint `{data.fingerprint[:16]}…`, {data.photos} photos",
        ),
        (
            f"test, {_CARD_PRECISION}",
            f"top-1 {percent(figures.top1)}, per class {percent(figures.balanced_accuracy)}, "
            f"top-5 {percent(figures.top5)}, expected calibration error {percent(figures.ece)} per cent",
        ),
        ("probabilities", f"temperature {calibration.temperature:.3f}, unsure below {calibration.unsure_below:.2f}"),
        ("size", ", ".join(f"{name} {size / 1e6:.2f} MB" for name, size in bundle.manifest.model_bytes.items())),
    ]
    return "\n\n".join(
        [
            f"## {bundle.name}",
            table(("", ""), facts),
            f"By family, {_CARD_PRECISION} on the test photos: per cent of a family's photos that get their own name, "
            "and any name of the family.",
            _families(bundle, taxa),
        ]
    )


def _families(bundle: Bundle, taxa: Sequence[Taxon]) -> str:
    matrix = confusion_matrix(load_predictions(bundle.path(predictions_file("test")), _CARD_PRECISION))
    members: dict[str, list[int]] = defaultdict(list)
    for taxon in taxa:
        members[taxon.family].append(taxon.label - 1)
    rows = []
    for family, classes in members.items():
        photos = int(matrix[classes].sum())
        named = int(matrix[classes, classes].sum())
        within = int(matrix[np.ix_(classes, classes)].sum())
        if photos:
            rows.append(
                (
                    named / photos,
                    (family, str(len(classes)), str(photos), percent(named / photos), percent(within / photos)),
                )
            )
    ordered = [cells for _, cells in sorted(rows)]
    return table(("family, worst first", "classes", "photos", "name", "family"), ordered)
