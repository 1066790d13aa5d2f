"""`models/README.md`: a card for each shipped bundle (Mitchell et al. 2019, arXiv 1810.03993), from its records."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from flowers_core.evaluation.confusion_matrix import confusion_matrix
from flowers_core.evaluation.predictions import load_predictions
from flowers_core.inference.bundle import Bundle, predictions_file
from flowers_core.reports.tables import percent, table

_CARD_FORMAT = "int8"
_INTRODUCTION = """# Models

`flowers write_results` makes this page from the bundles' records; do not edit it.

**Intended use.** Learning how such models work, where they fail and how far their explanations can be trusted. Naming
a photo of a garden flower out of curiosity.

**Out of scope.** Do not use the models to judge what is safe to eat, to touch or to give to an animal. Do not use them
to identify protected or invasive plants where it matters. They know the flowers of their data set and nothing else:
of any other subject, a model can say no more than that it is unsure.

**Limitations of all models.** The photos show flowers in bloom, mostly large and in the middle of the frame, of kinds
common in the United Kingdom. They hardly show leaves, buds, fruit or distant plants. Some classes are single species,
others whole genera or groups of garden hybrids. The English names are the data set's own, and botanists call several of
these plants by another name. Ten training photos a class are few, so expect lower accuracy on photos of other origin
than on the test split.

**Weights.** The backbones were fine-tuned from ImageNet weights that Google and the Keras team released under the
Apache licence 2.0. The photos of the data set belong to their owners; none is in this repository."""


def cards(bundles: Sequence[Bundle]) -> str:
    """The whole document.

    Args:
        bundles: calibrated and evaluated, in the order of the cards.

    Raises:
        PredictionsError: a bundle that the test photos can test has no stored predictions for them.
    """
    return "\n\n".join([_INTRODUCTION, *(_card(bundle) for bundle in bundles)]) + "\n"


def card_facts(bundle: Bundle) -> list[tuple[str, str]]:
    """What the card says of a calibrated and evaluated bundle, in Markdown: the name of each fact and its value."""
    training, calibration, data = bundle.training, bundle.calibration, bundle.manifest.data
    figures = bundle.tested_metrics[_CARD_FORMAT]["test"]
    tested = f" of {bundle.sibling}, trained without the test photos" if bundle.sibling else ""
    assert calibration is not None
    assert data is not None
    return [
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
            f"test, {_CARD_FORMAT}{tested}",
            f"top-1 {percent(figures.top1)}, balanced accuracy {percent(figures.balanced_accuracy)}, "
            f"top-5 {percent(figures.top5)}, expected calibration error {percent(figures.ece)} per cent",
        ),
        ("probabilities", f"temperature {calibration.temperature:.3f}, unsure below {calibration.unsure_below:.2f}"),
        ("size", ", ".join(f"{name} {size / 1e6:.2f} MB" for name, size in bundle.manifest.model_bytes.items())),
    ]


def _card(bundle: Bundle) -> str:
    facts = [f"## {bundle.name}", table(("", ""), card_facts(bundle))]
    if bundle.sibling:
        return "\n\n".join(facts)
    return "\n\n".join(
        [
            *facts,
            f"Accuracy by family in per cent, {_CARD_FORMAT} on the test photos: *class* counts a photo as right if "
            "its own class is predicted, *family* if any class of its family is.",
            _families(bundle),
        ]
    )


def _families(bundle: Bundle) -> str:
    matrix = confusion_matrix(load_predictions(bundle.path(predictions_file("test")), _CARD_FORMAT))
    members: dict[str, list[int]] = defaultdict(list)
    for taxon in bundle.taxonomy:
        members[taxon.family].append(taxon.label - 1)
    rows = []
    for family, classes in members.items():
        photos = int(matrix[classes].sum())
        correct = int(matrix[classes, classes].sum())
        within = int(matrix[np.ix_(classes, classes)].sum())
        if photos:
            rows.append(
                (
                    correct / photos,
                    (family, str(len(classes)), str(photos), percent(correct / photos), percent(within / photos)),
                )
            )
    ordered = [cells for _, cells in sorted(rows)]
    return table(("family, worst first", "classes", "photos", "class", "family"), ordered)
