"""Look at the data before learning from it: tables, figures, duplicates, outliers, label issues.

    flowers audit_data OUT [--bundle NAME]

Reads every photo once and leaves tables (CSV, JSON) and figures (PNG) in the folder OUT. Some of the figures hold
photos of the dataset: keep them to yourself. With `--bundle NAME` a model's view is added: near copies, suspect labels
and photos far from their class, as tables in OUT and, ids and scores only, as audit.json in the bundle.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from flowers_core.data.audit.figures import class_counts, image_sizes, mean_pictures, picture_sheet, write_figure
from flowers_core.data.audit.image_statistics import ImageStatistics, measure_photos
from flowers_core.data.audit.near_duplicates import leaks
from flowers_core.data.audit.record import AUDIT_FILE, AuditRecord, run_audit, write_audit
from flowers_core.data.batches import inputs
from flowers_core.data.model_input import CropRule
from flowers_core.data.oxford import SPLITS, OxfordFlowers
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.evaluation.report import load_predictions
from flowers_core.inference.bundle import Bundle, BundleError, BundleWriter, load_bundle
from flowers_core.inference.prediction import softmax
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery
from flowers_core.storage.files import write_atomically, write_json, write_table
from scripts.options.command import add_data_option, bundle_folder, run, verb_parser

_SHEET_SIDE = 96


def main() -> None:
    """Parse the command line, measure the photos, write tables and figures, say what stands out."""
    parser = verb_parser(__doc__)
    parser.add_argument("out", type=Path, metavar="OUT", help="folder for tables and figures")
    parser.add_argument("--bundle", type=bundle_folder, metavar="BUNDLE", help="add what this model sees in the data")
    add_data_option(parser)
    options = parser.parse_args()

    bundle = load_bundle(options.bundle) if options.bundle else None
    if bundle is not None and not (bundle.has(INDEX_FILE) and bundle.has(RECORDS_FILE)):
        raise BundleError(f"'{bundle.name}' has no gallery yet; `python -m scripts.build_gallery` makes it.")
    flowers = OxfordFlowers(options.data)
    facts = _measure(flowers)
    _tables(options.out, flowers, facts)
    _figures(options.out, flowers, facts)
    if bundle is not None:
        record = _survey(bundle, flowers, facts)
        BundleWriter.open(options.bundle).add_file(AUDIT_FILE, write_audit(record))
        _findings(options.out, flowers, record)
    print(f"Tables and figures are in {options.out}.")


def _measure(flowers: OxfordFlowers) -> ImageStatistics:
    with tqdm(total=len(flowers), desc="measuring", unit=" photos", disable=None, leave=False) as bar:
        return measure_photos(flowers.ids, flowers.path, lambda done, _: bar.update(done - bar.n) and None)


def _tables(out: Path, flowers: OxfordFlowers, facts: ImageStatistics) -> None:
    taxonomy = load_taxonomy()
    write_table(
        out / "photos.csv",
        ["id", "label", "class", "split", "width", "height", "sharpness", "highlights", "shadows", "sha256"],
        (
            [
                int(photo_id),
                flowers.label_of(photo_id),
                taxonomy[flowers.label_of(photo_id)].name,
                flowers.split_of(photo_id),
                *facts.sizes[row].tolist(),
                *(round(float(values[row]), 4) for values in (facts.sharpness, facts.highlights, facts.shadows)),
                facts.sha256[row],
            ]
            for row, photo_id in enumerate(facts.ids)
        ),
    )
    counts = {split: np.bincount(flowers.labels[flowers.splits == split], minlength=103) for split in SPLITS}
    write_table(
        out / "classes.csv",
        ["label", "class", "latin", "family", *SPLITS, "all"],
        (
            [taxon.label, taxon.name, taxon.latin, taxon.family, *per_split, sum(per_split)]
            for taxon in taxonomy
            for per_split in [[int(counts[split][taxon.label]) for split in SPLITS]]
        ),
    )
    sizes = {split: int((flowers.splits == split).sum()) for split in SPLITS}
    present = np.sum(list(counts.values()), axis=0)[1:]
    present = present[present > 0]
    short, long = np.sort(facts.sizes, axis=1).T
    warnings = []
    if sizes["test"] > sizes["train"] > 0:
        warnings.append(
            f"There are {sizes['test'] / sizes['train']:.1f} times as many test photos as training photos; results "
            "that train on the larger part are not comparable with those on the official split."
        )
    copies = len(facts) - len(set(facts.sha256))
    if copies:
        warnings.append(f"{copies} photos are byte for byte copies of another.")
    summary = {
        "photos": len(facts),
        "splits": sizes,
        "classes": len(present),
        "photos_a_class": {
            "least": int(present.min()),
            "median": float(np.median(present)),
            "most": int(present.max()),
        },
        "short_side": _spread(short),
        "long_side": _spread(long),
        "long_over_short": _spread(long / short),
        "mean_colour": facts.mean_colour.mean(axis=0).round(4).tolist(),
        "warnings": warnings,
    }
    write_json(out / "summary.json", summary)
    print(f"{len(facts)} photos of {len(present)} classes: {', '.join(f'{n} {split}' for split, n in sizes.items())}.")
    for warning in warnings:
        print(f"Mind: {warning}")


def _figures(out: Path, flowers: OxfordFlowers, facts: ImageStatistics) -> None:
    ids = flowers.split_ids("train")
    photos = inputs(flowers, ids, CropRule(_SHEET_SIDE))
    labels = flowers.labels[ids - 1]
    means = mean_pictures(photos, labels)
    titles = [flowers.names[label - 1] for label in means]
    firsts = [photos[int(np.flatnonzero(labels == label)[0])] for label in means]
    for name, figure in (
        ("class_counts.png", class_counts(flowers.labels, flowers.splits, flowers.names)),
        ("image_sizes.png", image_sizes(facts.sizes)),
        ("mean_images.png", picture_sheet(list(means.values()), titles)),
        ("sample_sheet.png", picture_sheet(firsts, titles)),
    ):
        write_atomically(out / name, write_figure(figure))


def _survey(bundle: Bundle, flowers: OxfordFlowers, facts: ImageStatistics) -> AuditRecord:
    gallery = Gallery.load(bundle.path(INDEX_FILE), bundle.path(RECORDS_FILE))
    places = {int(photo_id): row for row, photo_id in enumerate(gallery.ids)}
    missing = [photo_id for photo_id in facts.ids.tolist() if photo_id not in places]
    if missing:
        raise BundleError(
            f"The gallery of '{bundle.name}' lacks {len(missing)} of the photos; "
            f"`python -m scripts.build_gallery {bundle.name}` makes it anew."
        )
    embeddings = gallery.vectors()[[places[photo_id] for photo_id in facts.ids.tolist()]]
    # A model is no judge of the labels it was fitted on.
    fitted = set(bundle.manifest.get("training", {}).get("splits", ("train", "validation")))
    temperature = bundle.calibration.temperature if bundle.calibration else 1.0
    answers = []
    for split in ("validation", "test"):
        if split not in fitted and bundle.has(f"{split}_predictions.npz"):
            known = load_predictions(bundle.path(f"{split}_predictions.npz"), bundle.precisions[0])
            answers.append((split, known.ids, softmax(known.logits, temperature), known.labels))
    return run_audit(
        facts,
        embeddings,
        flowers.labels[facts.ids - 1],
        answers,
        fingerprint=flowers.fingerprint(),
        model=bundle.name,
    )


def _findings(out: Path, flowers: OxfordFlowers, record: AuditRecord) -> None:
    name_of = flowers.names
    write_table(
        out / "near_copies.csv",
        [
            "first",
            "second",
            "first_split",
            "second_split",
            "first_label",
            "second_label",
            "distance",
            "mirrored",
            "cosine",
            "identical",
        ],
        (
            [pair.first, pair.second]
            + [flowers.split_of(photo) for photo in (pair.first, pair.second)]
            + [flowers.label_of(photo) for photo in (pair.first, pair.second)]
            + [pair.distance, pair.mirrored, round(pair.cosine, 4), pair.identical]
            for pair in record.near_duplicates
        ),
    )
    write_table(
        out / "suspect_labels.csv",
        ["id", "split", "label", "class", "suggested", "suggested_class", "self_confidence", "margin"],
        (
            [
                photo.photo_id,
                flowers.split_of(photo.photo_id),
                photo.label,
                name_of[photo.label - 1],
                photo.suggested,
                name_of[photo.suggested - 1],
                round(photo.self_confidence, 4),
                round(photo.margin, 4),
            ]
            for photo in record.label_issues
        ),
    )
    write_table(
        out / "odd_photos.csv", ["id", "kind", "value"], (list(asdict(photo).values()) for photo in record.outliers)
    )
    pairs = record.near_duplicates
    crossing = leaks(pairs, flowers.ids, flowers.splits)
    differing = [pair for pair in pairs if flowers.label_of(pair.first) != flowers.label_of(pair.second)]
    kinds = {kind: len(record.outliers_of(kind)) for kind in dict.fromkeys(photo.kind for photo in record.outliers)}
    print(
        f"{len(pairs)} pairs show one picture, {sum(pair.identical for pair in pairs)} of them byte for "
        f"byte; {len(crossing)} cross splits and {len(differing)} have two labels."
    )
    print(f"{len(record.label_issues)} labels of {' and '.join(record.judged_splits) or 'no split'} are suspect.")
    print(f"Odd photos: {', '.join(f'{n} {kind}' for kind, n in kinds.items()) or 'none'}.")


def _spread(values: Any) -> dict[str, float]:
    low, middle, high = np.percentile(values, (0, 50, 100))
    return {"least": round(float(low), 4), "median": round(float(middle), 4), "most": round(float(high), 4)}


if __name__ == "__main__":
    run(main)
