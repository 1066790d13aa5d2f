"""The data set that a bundle is measured on: one with the bundle's classes."""

from pathlib import Path

from flowers_core.data.dataset import Dataset
from flowers_core.data.open_dataset import open_dataset
from flowers_core.inference.bundle import Bundle, BundleError


def dataset_of(bundle: Bundle, source: Path) -> Dataset:
    """Open a data set and check that a label means the same class to it and to a bundle.

    A bundle that was taught has further classes. For one that learnt from half of the test photos, the other half are
    the validation photos, and there are no test photos.

    Args:
        bundle: that is to answer the photos.
        source: as `open_dataset` takes it.

    Raises:
        DatasetMissing, DatasetError: as `open_dataset`.
        BundleError: the data set has other classes.
    """
    flowers = open_dataset(source)
    if bundle.class_names[: len(flowers.names)] != flowers.names:
        raise BundleError(
            f"'{bundle.name}' knows {_described(bundle.class_names)}, and {source} holds {_described(flowers.names)}. "
            "Name the model's own photos by --data or FLOWERS_DATA_DIR, such as the photos.csv that its training left."
        )
    half = bundle.manifest.training.held_out_half if bundle.manifest.training else None
    return flowers if half is None else flowers.holding_out(half)


def _described(names: tuple[str, ...]) -> str:
    return f"{len(names)} classes ('{names[0]}' …)"
