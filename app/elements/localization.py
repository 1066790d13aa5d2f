"""How much of a map lies on the flower, by Oxford's segmentations: of one photo, and on average of many."""

from pathlib import Path

import streamlit as st

from app.elements.words import percent
from app.resources.data import data_set
from app.resources.session import Inference
from flowers_core.data.oxford import OxfordFlowers, how_to_get_segmentations
from flowers_core.data.segmentations import flower_mask, has_segmentations
from flowers_core.explain.explanation import Explanation
from flowers_core.explain.metrics.localization import Localization, localize
from flowers_core.explain.records.localization import LocalizationRecord, MeanLocalization

NO_HUMAN_S = "The segmentation is a program’s, not a person’s, and may be wrong."


def draw_share(inference: Inference, explanation: Explanation, photo_id: int, name: str) -> None:
    """One line on a photo of the data set: how much of the map lies on the flower, or what it takes to say so.

    Args:
        inference: the photo and what the model makes of it.
        explanation: the map.
        photo_id: in the data set.
        name: what the map is about.
    """
    flowers = data_set().flowers
    if not isinstance(flowers, OxfordFlowers):
        return
    if not has_segmentations(flowers.root):
        st.caption(f"How much of the map lies on the flower? {how_to_get_segmentations(flowers.root)}")
        return
    share = _share(inference, explanation, photo_id, flowers.root)
    if share is None:
        st.caption("How much of the map lies on the flower cannot be said: Oxford’s segmentation is empty here.")
        return
    st.markdown(f"{share_sentence(share, name)} {NO_HUMAN_S}")


def share_sentence(share: Localization, name: str) -> str:
    """Relevance mass, area and their ratio in words.

    Args:
        share: of one map.
        name: what the map is about.
    """
    return (
        f"**{percent(share.mass)}** of what speaks for {name} lies on the flower as Oxford’s segmentation has it, on "
        f"{percent(share.area)} of the area: {times(share)}."
    )


def times(share: Localization) -> str:
    """The ratio in words."""
    return f"{share.ratio:.1f} times as much as if it were spread evenly"


def mean_sentence(share: MeanLocalization | None, whose: str) -> str:
    """The same on average over photos.

    Args:
        share: their mean; None where there are no photos.
        whose: whose photos: "the photos of …".

    Returns:
        A sentence as Markdown; "" where there are no photos.
    """
    if share is None:
        return ""
    over = f"On average over {share.photos:,} of {whose}" if share.photos > 1 else f"On one of {whose}"
    return (
        f"{over}, {percent(share.mass)} of what spoke for the model’s answer lay on the flower, on "
        f"{percent(share.area)} of the area: {times(share)}."
    )


def record_sentence(record: LocalizationRecord) -> str:
    """Over all photos, and apart for right and wrong answers."""
    right = record.predicted == record.labels
    parts = [
        f"{part.ratio:.1f} times on the {part.photos:,} that INT8 named {word}"
        for part, word in ((record.mean(right), "rightly"), (record.mean(~right), "wrongly"))
        if part is not None
    ]
    return f"{mean_sentence(record.mean(), 'the test photos')} It is {' and '.join(parts)}."


def record_note(record: LocalizationRecord) -> str:
    """Where the means come from."""
    return (
        f"*On flower* and *÷ area* are means over {len(record):,} test photos, of the map of what INT8 answered; where "
        f"*÷ area* is 1, the evidence is as good as spread evenly. {segmentation_note(record)}"
    )


def segmentation_note(record: LocalizationRecord) -> str:
    """What the segmentations are worth."""
    return (
        "Oxford’s segmentations are a program’s, not people’s, and some are wrong; the "
        f"{record.left_out:,} photos whose segmentation is empty are left out."
    )


def offer_record(name: str) -> None:
    """One quiet line where segmentations are at hand and nothing was measured by them yet."""
    flowers = data_set().flowers
    if isinstance(flowers, OxfordFlowers) and has_segmentations(flowers.root):
        st.caption(
            f"`flowers evaluate_localization {name}` says for every class how much of the evidence lies on the flower."
        )


def _share(inference: Inference, explanation: Explanation, photo_id: int, root: Path) -> Localization | None:
    mask = flower_mask(root, photo_id, inference.photo)
    return None if mask is None else localize(explanation, mask)
