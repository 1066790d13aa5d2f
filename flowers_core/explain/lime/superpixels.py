"""A photo cut into superpixels, and versions of it with some of them hidden."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

SEGMENTATIONS = ("slic", "quickshift", "felzenszwalb")
HIDDEN = ("mean", "grey")
#: Fewer are settled sooner: their effects are larger and there are fewer to tell apart. More follow the flower's edge
#: better. SLIC leaves about 23 of so many. Over 18, LIME place by place had a deletion area of 0.48 on 24 validation
#: photos, over 24 of 0.42, and over 32 of 0.42 with 0.79 of two runs' top five alike instead of 0.90.
DEFAULT_SEGMENTS = 24
#: SLIC looks at a copy of at most so many pixels a side: of 256 that takes a quarter of the time, and borders are then
#: two pixels coarse.
SLIC_SIDE = 128

Pixels = npt.NDArray[np.uint8]
Regions = npt.NDArray[np.int32]
Masks = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Cutting:
    """How a photo is cut: one of SEGMENTATIONS, and about how many superpixels (see `superpixels`)."""

    segmentation: str = "slic"
    segments: int = DEFAULT_SEGMENTS


def superpixels(pixels: Pixels, segmentation: str = "slic", segments: int = DEFAULT_SEGMENTS) -> Regions:
    """Cut a picture into superpixels with scikit-image. Deterministic.

    Args:
        pixels: (h, w, 3) uint8 RGB.
        segmentation: "slic" (Achanta et al. 2012), "felzenszwalb" (Felzenszwalb and Huttenlocher 2004) or "quickshift"
            (Vedaldi and Soatto 2008; with the `lime` package's parameters).
        segments: how many, ≥ 1, about: SLIC starts from so many and joins some, for Felzenszwalb it sets the smallest
            size allowed; quickshift finds its own number and pays no heed.

    Returns:
        (h, w) int32, 0…n−1, each number in use.

    Raises:
        ValueError: where the segmentation is not one of SEGMENTATIONS, or segments < 1.
    """
    # scikit-image's compiled parts are loaded when somebody asks for LIME, not when the page opens.
    from skimage import segmentation as algorithms

    if segments < 1:
        raise ValueError(f"A photo cannot be cut into {segments} superpixels.")
    if segmentation == "slic":
        height, width = pixels.shape[:2]
        scale = min(1.0, SLIC_SIDE / max(height, width))
        rows, columns = max(1, round(scale * height)), max(1, round(scale * width))
        copy = np.asarray(Image.fromarray(pixels).resize((columns, rows), Image.Resampling.BOX))
        # At scikit-image's compactness of 10 the pieces fray on petals and many are swallowed by others (22 to
        # 43 are left of 50 on Oxford's flowers); at 30 they keep to edges of the picture and 40 to 49 are left.
        coarse = algorithms.slic(copy, n_segments=segments, compactness=30, sigma=scale, start_label=0)
        found = coarse[(np.arange(height) * rows // height)[:, None], np.arange(width) * columns // width]
    elif segmentation == "quickshift":
        found = algorithms.quickshift(pixels, kernel_size=4, max_dist=200, ratio=0.2, rng=0)
    elif segmentation == "felzenszwalb":
        # A quarter of the mean size: on flower photos this ends near the number asked for.
        smallest = max(1, pixels.shape[0] * pixels.shape[1] // (4 * segments))
        found = algorithms.felzenszwalb(pixels, scale=100, sigma=0.5, min_size=smallest)
    else:
        raise ValueError(f"There is no segmentation “{segmentation}”; there are {', '.join(SEGMENTATIONS)}.")
    return np.unique(found, return_inverse=True)[1].reshape(found.shape).astype(np.int32)


def hidden_photo(pixels: Pixels, regions: Regions, hidden: str = "mean") -> Pixels:
    """The photo with every superpixel hidden.

    Args:
        pixels: (h, w, 3) uint8.
        regions: (h, w), 0…n−1.
        hidden: "mean", each superpixel in its own mean colour, or "grey", 128 everywhere.

    Returns:
        (h, w, 3) uint8. Means lose their fraction, as in `lime`.

    Raises:
        ValueError: where `hidden` is neither, the shapes differ, or a number between 0 and the last is not in use.
    """
    if regions.shape != pixels.shape[:2]:
        raise ValueError(f"Superpixels of {regions.shape} do not fit a picture of {pixels.shape[:2]}.")
    flat = regions.ravel()
    if flat.min() < 0 or not (sizes := np.bincount(flat)).all():
        raise ValueError("Superpixels must be numbered 0…n−1 with no number left out.")
    if hidden == "grey":
        return np.full_like(pixels, 128)
    if hidden != "mean":
        raise ValueError(f"Hidden superpixels can be {' or '.join(HIDDEN)}, not “{hidden}”.")
    sums = np.stack([np.bincount(flat, weights=pixels[..., channel].ravel()) for channel in range(3)], axis=1)
    # Sums of whole numbers are exact, and so is a whole quotient: nothing falls to the number below by rounding.
    means = np.floor(sums / sizes[:, None])
    return means.astype(np.uint8)[regions]


def masked_photos(pixels: Pixels, background: Pixels, regions: Regions, masks: Masks) -> Pixels:
    """The photo once for each mask, hidden superpixels taken from `background`.

    Args:
        pixels: (h, w, 3) uint8.
        background: (h, w, 3) uint8, see `hidden_photo`.
        regions: (h, w), 0…m−1.
        masks: (n, m) bool, True = shown.

    Returns:
        (n, h, w, 3) uint8.
    """
    flat = regions.ravel()
    # A row of the photo crosses few superpixels: filling run by run takes a third of the time of looking up pixels.
    starts = np.flatnonzero(np.diff(flat, prepend=-1))
    lengths = pixels.shape[2] * np.diff(starts, append=flat.size)
    shown = np.where(masks, np.uint8(255), np.uint8(0))[:, flat[starts]]
    hidden, difference = background.ravel(), (pixels ^ background).ravel()
    photos = np.empty((len(masks), *pixels.shape), np.uint8)
    for photo, runs in zip(photos.reshape(len(masks), -1), shown, strict=True):
        # hidden ⊕ (hidden ⊕ pixels) is pixels, and hidden ⊕ 0 hidden: np.where in less time.
        np.bitwise_and(np.repeat(runs, lengths), difference, out=photo)
        np.bitwise_xor(photo, hidden, out=photo)
    return photos
