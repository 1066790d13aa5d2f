"""Draw a contact sheet of the augmented views that training sees.

    flowers study show_augmentations --augmentation strong

One row a photo: the central crop that the model is served, then views 1, 2, … as training draws them. The sheet holds
photos of the dataset, so it belongs into `runs/`, which git ignores.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from flowers_core.data.model_input import CropRule, model_input
from flowers_core.data.open_dataset import open_dataset
from flowers_core.data.photos import open_photo
from flowers_core.storage.files import write_atomically
from scripts.options.command import add_data_option, at_least, run, verb_parser

_GAP = 4


def main() -> None:
    """Parse the command line, draw the sheet."""
    options = _parse()
    from flowers_core.training.augmentation import AUGMENTATIONS, random_view, view_generator

    flowers = open_dataset(options.data)
    ids = flowers.split_ids("train")
    chosen = np.random.default_rng(options.seed).choice(ids, min(options.photos, len(ids)), replace=False)
    augmentation = AUGMENTATIONS[options.augmentation]
    rows = []
    for photo_id in chosen:
        photo = open_photo(flowers.path(int(photo_id))).pixels
        views = [model_input(photo, CropRule(options.size)).pixels]
        views += [
            random_view(photo, options.size, augmentation, view_generator(options.seed, number, int(photo_id)))
            for number in range(1, options.views)
        ]
        rows.append(np.concatenate([_framed(view) for view in views], axis=1))
    sheet = Image.fromarray(np.concatenate(rows, axis=0))
    path = options.out / f"views_{options.augmentation}.jpg"
    write_atomically(path, lambda beside: sheet.save(beside, quality=90))
    print(f"Wrote {path}: {len(chosen)} photos, {options.views} views of each.")


def _framed(view: np.ndarray) -> np.ndarray:
    return np.pad(view, ((_GAP, _GAP), (_GAP, _GAP), (0, 0)), constant_values=255)


def _parse() -> argparse.Namespace:
    from flowers_core.training.augmentation import AUGMENTATIONS

    parser = verb_parser(__doc__)
    parser.add_argument("--augmentation", choices=tuple(AUGMENTATIONS), default="crops")
    parser.add_argument("--photos", type=at_least(1), default=6, help="rows (default: 6)")
    parser.add_argument("--views", type=at_least(1), default=9, help="columns, the central crop included (default: 9)")
    parser.add_argument("--size", type=at_least(16), default=160, help="side of a view in pixels (default: 160)")
    parser.add_argument("--seed", type=int, default=0, help="which photos and views (default: 0)")
    parser.add_argument("--out", type=Path, default=Path("runs"), metavar="DIR", help="folder of the sheet")
    add_data_option(parser)
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
