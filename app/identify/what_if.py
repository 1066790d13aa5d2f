"""*What if*: by hand, or the fewest places that would have to look as in another photo to turn the answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app.elements.choices import choose_one
from app.elements.dataset_offer import offer_download
from app.elements.heatmap import around
from app.elements.photo_grid import draw_photo
from app.elements.words import percent
from app.identify.by_hand.draw import draw_by_hand
from app.identify.target_choice import Asked
from app.resources import bundle_files, models, records, session
from app.resources.data import photo_file
from app.resources.thumbnails import ThumbnailInference, thumbnail_inference
from flowers_core.data.model_input import model_input
from flowers_core.data.photos import PhotoError, open_photo
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.explain.counterfactual import Exchange, Position, least_exchange
from flowers_core.explain.explanation import Box
from flowers_core.explain.frames import draw_frames
from flowers_core.explain.pixel_check import PixelCheck, check_on_pixels
from flowers_core.explain.records.counterfactuals import CounterfactualRecord
from flowers_core.retrieval.neighbour import Neighbour

# Photos of the other flower that are looked at, the nearest first; and the size at which one is shown.
NEAREST, SIDE, TALLEST = 3, 600, 480
# Who changes the photo: the visitor, or the least exchange with another.
BY_HAND, EXCHANGE = "By hand", "Exchange places"


@dataclass(frozen=True, eq=False)
class Counterfactual:
    """A photo of another flower, and what of it would turn the answer.

    Attributes:
        neighbour: which photo it is.
        path: where it lies.
        seen: the photo made small, and what the model makes of it.
        exchange: of places between the two photos.
    """

    neighbour: Neighbour
    path: Path
    seen: ThumbnailInference
    exchange: Exchange


def draw_what_if(asked: Asked) -> None:
    """The choice of who changes the photo, and what comes of it."""
    if choose_one("Change the photo", {way: way for way in (BY_HAND, EXCHANGE)}, "change") == BY_HAND:
        draw_by_hand(asked)
    else:
        _draw_exchange(asked)


def _draw_exchange(asked: Asked) -> None:
    """The two photos with matched frames, in words what they mean, and what happens on pixels."""
    taxonomy = asked.identified.inference.bundle.taxonomy
    rival = wanted(asked)
    gallery = asked.identified.gallery
    if gallery is None:
        st.info("This model comes without a gallery, so there is no photo of another flower to exchange places with.")
        return
    embedding = asked.identified.inference.forward.embedding[0]
    nearest = gallery.search(embedding, NEAREST, splits={"train"}, labels={rival}, exclude=asked.identified.itself)
    name = taxonomy[rival].name
    if not any(photo_file(neighbour.photo) for neighbour in nearest):
        reason = f"This needs training photos of {name}, and they are not on this machine."
        offer_download("what-if", reason, asked.identified.inference.bundle.photo_set)
        return
    found = counterfactual(asked, nearest, rival)
    if found is None:
        st.markdown(f"No exchange with the nearest training photos of {name} would make this photo one of {name}.")
        return
    st.markdown(exchange_sentence(found.exchange, _places(asked), taxonomy))
    _draw_pair(asked, found, taxonomy)
    check = _checked(asked, found)
    st.markdown(pixels_sentence(check, found.exchange, models.temperature(asked.identified.inference.bundle), taxonomy))
    with st.expander("How this is found, and the photo with the pasted places"):
        draw_photo(check.pixels, "What the model was shown", f"Your photo with places of {name} pasted in", 256)
        st.markdown(
            "The model's last layer adds up what its places say, so the places that speak most for "
            f"{taxonomy[found.exchange.label].name} and those of the other photo that speak most for {name} are the "
            "fewest that can turn it. A place has seen more of the photo than its own square, so the squares are also "
            "pasted, with some of what is around them, and the model looks again."
        )
        if record := records.counterfactuals(asked.identified.inference.bundle):
            st.markdown(record_sentence(record))


def wanted(asked: Asked) -> int:
    """The flower that the whole photo should become: the one that is asked about, unless it is that already."""
    answer = int(asked.identified.inference.forward.logits[0].argmax()) + 1
    if asked.label != answer:
        return asked.label
    return asked.likely_rival


def counterfactual(asked: Asked, nearest: Sequence[Neighbour], rival: int) -> Counterfactual | None:
    """The nearest photo of another flower whose places turn the answer.

    Args:
        asked: the photo and its answer.
        nearest: photos of the other flower.
        rival: the other flower, from 1.

    Returns:
        The exchange, or None where no photo can turn the answer.
    """
    inference = asked.identified.inference
    weights, bias = bundle_files.head(inference.bundle), bundle_files.bias(inference.bundle)
    for neighbour in nearest:
        path = photo_file(neighbour.photo)
        if path is None:
            continue
        try:
            seen = thumbnail_inference(path, inference.bundle, inference.numeric_format, SIDE)
        except PhotoError:
            continue
        exchange = least_exchange(inference.forward.features[0], seen.features, weights, bias, rival)
        if exchange is not None and exchange.pairs:
            return Counterfactual(neighbour, path, seen, exchange)
    return None


def exchange_sentence(exchange: Exchange, places: int, taxonomy: Taxonomy) -> str:
    """How many places would have to look otherwise.

    Args:
        exchange: of places.
        places: of the photo, in all.
        taxonomy: the classes' names.
    """
    count, label, name = len(exchange.pairs), taxonomy[exchange.label].name, taxonomy[exchange.rival].name
    return (
        f"If **{count} of the {places} places** that the model tells apart looked as in this photo of {name}, one look "
        f"at the whole photo would say {name} rather than {label}. Frames with the same number belong together."
    )


def pixels_sentence(check: PixelCheck, exchange: Exchange, temperature: float, taxonomy: Taxonomy) -> str:
    """What the model says when it looks at the photo with the places pasted.

    Args:
        check: what it says.
        exchange: of places.
        temperature: of the softmax, > 0.
        taxonomy: the classes' names.
    """
    label, rival = taxonomy[exchange.label].name, taxonomy[exchange.rival].name
    before, after, random = (
        odds(gap, label, rival, temperature) for gap in (check.before, check.after, float(np.mean(check.random)))
    )
    return (
        f"Pasted into your photo and looked at again: before, {before}; now {after}. "
        f"With as many places pasted at random instead, {random}."
    )


def odds(gap: float, label: str, rival: str, temperature: float) -> str:
    """How much more probable one flower is than another, in words.

    Args:
        gap: logit of the rival minus logit of the label.
        label: name of the one.
        rival: name of the other.
        temperature: of the softmax, > 0.
    """
    first, second = (label, rival) if gap <= 0 else (rival, label)
    times = math.exp(min(abs(gap) / temperature, math.log(1000)))
    if times < 1.1:
        return f"{first} is as probable as {second}"
    said = "over 999" if times >= 999.5 else f"{times:.0f}" if times >= 9.95 else f"{times:.1f}"
    return f"{first} is {said} times as probable as {second}"


def record_sentence(record: CounterfactualRecord) -> str:
    """What came of it on many photos."""
    return (
        f"On {record.photos} mistaken test photos, at most {record.few} places turned the answer to the right one in "
        f"{percent(record.turned_with_few.value)}. Pasted into the photo, they turned it or halved its odds in "
        f"{percent(record.changed_on_pixels.value)}, random exchanges in {percent(record.changed_at_random.value)}."
    )


def _places(asked: Asked) -> int:
    rows, columns = asked.identified.inference.forward.features.shape[1:3]
    return int(rows * columns)


def _draw_pair(asked: Asked, found: Counterfactual, taxonomy: Taxonomy) -> None:
    inference, exchange = asked.identified.inference, found.exchange
    name = taxonomy[exchange.rival].name
    mine = _framed(
        session.shown_pixels(inference.photo),
        [here for here, _ in exchange.pairs],
        inference.forward.features[0],
        inference.seen.box,
        (inference.photo.width, inference.photo.height),
    )
    theirs = _framed(
        found.seen.pixels,
        [there for _, there in exchange.pairs],
        found.seen.features,
        found.seen.box,
        found.seen.photo_size,
    )
    left, right = st.columns(2, gap="small")
    with left:
        draw_photo(mine, "Your photo: these places …", "Your photo with the places that would change framed", TALLEST)
    with right:
        caption = f"… would look like these: training photo {found.neighbour.photo_id}, {name}"
        draw_photo(theirs, caption, f"A photo of {name} with the places framed that would come in", TALLEST)


def _framed(
    pixels: NDArray[np.uint8],
    positions: Sequence[Position],
    features: NDArray[np.float32],
    box: Box,
    photo_size: tuple[int, int],
) -> NDArray[np.uint8]:
    part, placed = around(pixels, box, photo_size)
    return draw_frames(part, positions, (features.shape[0], features.shape[1]), placed)


def _checked(asked: Asked, found: Counterfactual) -> PixelCheck:
    inference, exchange = asked.identified.inference, found.exchange
    key = ("pixels", inference.photo.sha256, inference.model_digest, str(found.neighbour.photo), str(exchange.rival))

    def check() -> PixelCheck:
        other = model_input(open_photo(found.path).pixels, inference.bundle.crop_rule).pixels
        runtime = models.runtime(inference.bundle, inference.numeric_format)
        grid = inference.forward.features.shape[1:3]
        return check_on_pixels(runtime.logits, inference.seen.pixels, other, exchange, (grid[0], grid[1]))

    return session.remember(key, check)
