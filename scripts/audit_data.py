"""Look at the data before learning from it: tables, figures, duplicates, outliers, label issues.

    flowers audit_data OUT [--bundle NAME]

Every photo is read once; tables (CSV, JSON) and figures (PNG) go into the folder OUT. Some of the figures show photos
of the data set: keep them to yourself. `--bundle NAME` adds what a model sees: near-duplicates, label issues and photos
far from their class, as tables in OUT and, ids and scores only, as audit.json in the bundle.
"""

from pathlib import Path

from tqdm import tqdm

from flowers_core.data.audit.figures import audit_figures, save_figure
from flowers_core.data.audit.image_statistics import ImageStatistics, measure_photos
from flowers_core.data.audit.near_duplicates import leaks
from flowers_core.data.audit.record import AUDIT_FILE, AuditRecord, run_audit
from flowers_core.data.audit.tables import (
    class_table,
    label_issue_table,
    near_duplicate_table,
    outlier_table,
    photo_table,
    summary,
)
from flowers_core.data.dataset import Dataset
from flowers_core.data.open_dataset import open_dataset
from flowers_core.data.taxonomy import taxonomy_of
from flowers_core.evaluation.predictions import load_predictions
from flowers_core.inference.bundle import Bundle, BundleError, load_bundle, predictions_file
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.prediction import softmax
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery
from flowers_core.storage.files import write_json, write_table
from scripts.options.command import add_data_option, bundle_folder, run, verb_parser


def main() -> None:
    """Parse the command line, measure the photos, write tables and figures, say what stands out."""
    parser = verb_parser(__doc__)
    parser.add_argument("out", type=Path, metavar="OUT", help="folder for tables and figures")
    parser.add_argument("--bundle", type=bundle_folder, metavar="BUNDLE", help="add what this model sees in the data")
    add_data_option(parser)
    options = parser.parse_args()

    bundle = load_bundle(options.bundle) if options.bundle else None
    if bundle is not None and not (bundle.has(INDEX_FILE) and bundle.has(RECORDS_FILE)):
        raise BundleError(f"'{bundle.name}' has no gallery yet; `flowers build_gallery` makes it.")
    flowers, out = open_dataset(options.data), options.out
    with tqdm(total=len(flowers), desc="measuring", unit=" photos", disable=None, leave=False) as bar:
        statistics = measure_photos(flowers.ids, flowers.path, lambda done, _: bar.update(done - bar.n) and None)
    taxonomy = flowers.taxonomy or taxonomy_of(flowers.names)
    write_table(out / "photos.csv", *photo_table(flowers, statistics, taxonomy))
    write_table(out / "classes.csv", *class_table(flowers, taxonomy))
    found = summary(flowers, statistics)
    write_json(out / "summary.json", found)
    splits = ", ".join(f"{count} {split}" for split, count in found["splits"].items())
    print(f"{found['photos']} photos of {found['classes']} classes: {splits}.")
    for warning in found["warnings"]:
        print(f"Mind: {warning}")
    for name, figure in audit_figures(flowers, statistics).items():
        save_figure(figure, out / name)
    if bundle is not None:
        record = _audit(bundle, flowers, statistics)
        BundleWriter.open(options.bundle).add_json(AUDIT_FILE, record.to_json())
        _write_findings(out, flowers, record, bundle)
    print(f"Tables and figures are in {out}.")


def _audit(bundle: Bundle, flowers: Dataset, statistics: ImageStatistics) -> AuditRecord:
    gallery = Gallery.load(bundle.path(INDEX_FILE), bundle.path(RECORDS_FILE))
    rows = {int(photo_id): row for row, photo_id in enumerate(gallery.ids)}
    missing = [photo_id for photo_id in statistics.ids.tolist() if photo_id not in rows]
    if missing:
        raise BundleError(
            f"The gallery of '{bundle.name}' lacks {len(missing)} of the photos; "
            f"`flowers build_gallery {bundle.name}` makes it anew."
        )
    # A model is no judge of the labels it was fitted on.
    fitted = set(bundle.fitted_splits or ("train", "validation"))
    temperature = bundle.calibration.temperature if bundle.calibration else 1.0
    answers = []
    for split in ("validation", "test"):
        if split not in fitted and bundle.has(predictions_file(split)):
            known = load_predictions(bundle.path(predictions_file(split)), bundle.precisions[0])
            answers.append((split, known.ids, softmax(known.logits, temperature), known.labels))
    return run_audit(
        statistics,
        gallery.vectors()[[rows[photo_id] for photo_id in statistics.ids.tolist()]],
        flowers.labels[statistics.ids - 1],
        answers,
        fingerprint=flowers.fingerprint(),
        model=bundle.name,
    )


def _write_findings(out: Path, flowers: Dataset, record: AuditRecord, bundle: Bundle) -> None:
    write_table(out / "near_duplicates.csv", *near_duplicate_table(record, flowers))
    write_table(out / "label_issues.csv", *label_issue_table(record, flowers))
    write_table(out / "outliers.csv", *outlier_table(record))
    pairs = record.near_duplicates
    crossing = leaks(pairs, flowers.ids, flowers.splits)
    differing = [pair for pair in pairs if flowers.label_of(pair.first) != flowers.label_of(pair.second)]
    print(
        f"{len(pairs)} pairs show one picture, {sum(pair.identical for pair in pairs)} of them byte for byte; "
        f"{len(crossing)} cross splits and {len(differing)} have two labels."
    )
    if record.judged_splits:
        print(f"Label issues of {' and '.join(record.judged_splits)}: {len(record.label_issues)}.")
    else:
        sibling = f": take '{bundle.sibling}', which has not learnt the test photos" if bundle.sibling else ""
        print(
            f"'{bundle.name}' judges no label, since its answers to photos that it has not learnt are missing{sibling}."
        )
    kinds = {kind: len(record.outliers_of(kind)) for kind in dict.fromkeys(photo.kind for photo in record.outliers)}
    print(f"Outliers: {', '.join(f'{count} {kind}' for kind, count in kinds.items()) or 'none'}.")


if __name__ == "__main__":
    run(main)
