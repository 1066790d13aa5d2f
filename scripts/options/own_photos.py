"""Training on anybody's photos: they are checked first, and the bundle is made whole at the end."""

import argparse
from pathlib import Path

from flowers_core.data.dataset import Dataset
from flowers_core.data.folder_dataset import FolderDataset
from flowers_core.data.photo_check import check_photos
from flowers_core.inference.bundle import check_name, load_bundle
from scripts.options.command import as_usage_error, progress

SPLITS_FILE = "photos.csv"
# Validation photos whose corruptions help to calibrate: 14 looks at each, and a temperature needs few.
_CORRUPTED = 204
# Photos of a split that confidence is fitted to, and under how many corruptions each.
_LOOKED_AT, _ROUNDS = 1020, 2


def add_photos_option(parser: argparse.ArgumentParser) -> None:
    """--photos DIR: anybody's photos instead of the data set."""
    parser.add_argument(
        "--photos",
        type=Path,
        metavar="DIR",
        help="instead of the dataset, your own photos: a folder for each class, such folders in train, valid and test, "
        "or a table (CSV) of path, label, split; --out is made whole, with TFLite models, figures and gallery",
    )


def require_own_photos(options: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Refuse options that do not go with --photos, as the parser does.

    Args:
        options: parsed.
        parser: that parsed them.
    """
    if not options.out:
        parser.error("--photos needs --out: the folder of the new model, such as models/garden")
    if options.also_validation or options.leave_out:
        parser.error("--photos goes without --also-validation and --leave-out")
    with as_usage_error(parser):
        check_name(options.out.name)


def checked_photos(options: argparse.Namespace) -> FolderDataset:
    """The photos of --photos, checked, with each finding printed; their splits are kept beside the run's checkpoints.

    Args:
        options: with `photos`, `runs`, `out` and `seed`.
    """
    checked = check_photos(options.photos, seed=options.seed, track=progress)
    for finding in checked.findings:
        print(finding)
    counts = {split: len(checked.dataset.split_ids(split)) for split in ("train", "validation", "test")}
    table = options.runs / options.out.name / SPLITS_FILE
    checked.dataset.write_table(table)
    given = "given" if checked.dataset.splits_given else "drawn"
    print(
        f"{len(checked.dataset)} photos of {len(checked.dataset.names)} classes; splits as {given}: "
        f"{', '.join(f'{count} {split}' for split, count in counts.items())}. {table} lists them; other verbs take it "
        "as --data.",
        flush=True,
    )
    return checked.dataset


def complete(folder: Path, flowers: Dataset, cache: Path) -> None:
    """Give a trained bundle all that the pages show: TFLite models, figures, gallery, confidence and concepts.

    Args:
        folder: the bundle's.
        flowers: the photos that it was trained on, and the held-out ones.
        cache: of photos and features between runs.
    """
    from scripts.build_gallery import build_gallery
    from scripts.evaluate import evaluate
    from scripts.fit_concepts import keep_concepts
    from scripts.fit_confidence import keep_confidence
    from scripts.options.quantization import add_quantization_options
    from scripts.quantize import quantize

    parser = argparse.ArgumentParser()
    add_quantization_options(parser)
    # The float16 file holds the float32 weights, rounded: it answers the same at half the size.
    options = parser.parse_args(["--cache", str(cache), "--precisions", "float16", "int8"])
    options.allow_loss = True  # a training does not end with nothing; what a format loses is told
    quantize(load_bundle(folder), flowers, options)
    evaluate(load_bundle(folder), flowers, most=_CORRUPTED)
    build_gallery(load_bundle(folder), flowers)
    keep_confidence(load_bundle(folder), flowers, most=max(_LOOKED_AT, 5 * len(flowers.names)), rounds=_ROUNDS)
    keep_concepts(load_bundle(folder), flowers)
    print(f"{folder} is whole: `flowers app` shows it, `flowers identify --bundle {folder} PHOTO` asks it.", flush=True)
