"""What an audit found in the data: near-duplicates, label issues, outliers."""

from collections.abc import Mapping
from html import escape

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from app.dataset.class_counts import TITLES, count_table
from app.elements.choices import choose_one
from app.elements.csv_button import offer_csv
from app.elements.dataset_offer import offer_download
from app.elements.metrics_table import draw_figures, duplicate_table, near_copy_rules
from app.elements.pagination import choose_page, first_page
from app.elements.photo_grid import Card, draw_cards
from app.elements.words import capital, listed
from app.resources import galleries, models, records
from app.resources.data import LabelledPhotos, photos_here
from flowers_core.data.audit.near_duplicates import leaks
from flowers_core.data.audit.outliers import MEANING
from flowers_core.data.audit.record import AuditRecord
from flowers_core.data.photo_ref import PhotoRef, PhotoSet
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.inference.bundle import DEFAULT_BUNDLE, Bundle

PER_PAGE = 18
NEAREST = 5
_OUTLIERS = "outliers"
PAIRS = {"all": "All", "leaks": "Across splits", "labels": "Under two labels"}


def draw_audit(photos: LabelledPhotos) -> None:
    """Near-duplicates, label issues and outliers as tables and photos; a sentence where nothing was audited.

    Args:
        photos: those of the data set that may have been audited.
    """
    ids, labels, splits, taxonomy = photos.ids, photos.labels, photos.splits, photos.taxonomy
    found = records.audit(photos.photo_set)
    if found is None:
        # A model is no judge of labels that it has learnt.
        judges = [models.tested(one).name for one in models.model_list().bundles if one.photo_set == photos.photo_set]
        st.info(
            "No audit of the data comes with the models on this machine. "
            f"`flowers audit_data exploration --bundle {judges[0] if judges else DEFAULT_BUNDLE}` makes one from the "
            "photos."
        )
        return
    bundle, record = found
    known = dict(zip(ids.tolist(), zip(labels.tolist(), splits.tolist(), strict=True), strict=True))
    st.markdown(f"{summary(record, ids, splits)} {size_sentence(labels, splits, taxonomy)}")
    near_duplicates, label_issues, outliers = st.tabs(
        ["There twice", "Suspect labels", "Unlike the others"], key="finding", bind="query-params"
    )
    with near_duplicates:
        _draw_near_duplicates(record, known, taxonomy, photos.photo_set)
    with label_issues:
        _draw_label_issues(bundle, record, known, taxonomy)
    with outliers:
        _draw_outliers(record, known, taxonomy, photos.photo_set)
    if not photos_here(photos.photo_set):
        offer_download(
            "findings", "The photos are not on this machine, so their numbers stand in for them.", photos.photo_set
        )


def summary(record: AuditRecord, ids: NDArray[np.int64], splits: NDArray[np.str_]) -> str:
    """What was found, in sentences.

    Args:
        record: what the audit found.
        ids: (n,), the photos' ids.
        splits: (n,), each photo's split.
    """
    known = set(ids.tolist())
    pairs = [pair for pair in record.near_duplicates if {pair.first, pair.second} <= known]
    identical = sum(pair.identical for pair in pairs)
    crossing = len(leaks(pairs, ids, splits))
    judged = listed([TITLES.get(split, split) for split in record.judged_splits], "and")
    labels = (
        f"**{len(record.label_issues)}** labels of {judged} photos are suspect"
        if record.judged_splits
        else "the labels were not judged: the model was fitted on every photo"
    )
    return (
        f"Of {record.photos:,} photos **{len(pairs)}** pairs show one picture, {identical} of them byte for byte; "
        f"**{crossing}** pairs lie in different splits, so that a model may have seen what it is tested on. "
        f"As {record.model} sees it, {labels}."
    )


def size_sentence(labels: NDArray[np.int64], splits: NDArray[np.str_], taxonomy: Taxonomy) -> str:
    """How uneven the classes are: the fewest and the most photos a class has, in all and to learn from.

    Args:
        labels: (n,), each photo's label, from 1.
        splits: (n,), each photo's split.
        taxonomy: the classes' names.
    """
    table = count_table(labels, splits, taxonomy)
    table = table[table["all"] > 0]
    if table.empty:
        return ""
    least, most = table.loc[table["all"].idxmin()], table.loc[table["all"].idxmax()]
    training = table[TITLES["train"]]
    learnt = f"{training.min()}" if training.min() == training.max() else f"{training.min()} to {training.max()}"
    return (
        f"Classes have {least['all']} ({least['class']}) to {most['all']} photos ({most['class']}), "
        f"{learnt} of them for training."
    )


def near_duplicates_table(
    record: AuditRecord, known: Mapping[int, tuple[int, str]], taxonomy: Taxonomy
) -> pd.DataFrame:
    """One row a pair of photos that show one picture, files equal byte by byte first.

    Args:
        record: what the audit found.
        known: label and split of each photo, by id.
        taxonomy: the classes' names.
    """
    return pd.DataFrame(
        [
            {
                "one": pair.first,
                "other": pair.second,
                "class": taxonomy[known[pair.first][0]].name,
                "other class": taxonomy[known[pair.second][0]].name,
                "splits": f"{TITLES[known[pair.first][1]]}, {TITLES[known[pair.second][1]]}",
                "same file": pair.identical,
                "mirrored": pair.mirrored,
                "bits apart": pair.distance,
                "similarity": pair.cosine,
            }
            for pair in record.near_duplicates
            if pair.first in known and pair.second in known
        ],
        columns=["one", "other", "class", "other class", "splits", "same file", "mirrored", "bits apart", "similarity"],
    )


def label_issues_table(
    record: AuditRecord,
    known: Mapping[int, tuple[int, str]],
    taxonomy: Taxonomy,
    taught: Mapping[int, float] | None = None,
) -> pd.DataFrame:
    """One row a photo whose label is probably wrong, the most suspect first. Probabilities are in [0, 1].

    Args:
        record: what the audit found.
        known: label and split of each photo, by id.
        taxonomy: the classes' names.
        taught: id of each training photo → how many of the model's mistakes it taught, in parts of a mistake. Where
            suspects are among them, those that taught most come first.
    """
    table = pd.DataFrame(
        [
            {
                "photo": photo.photo_id,
                "labelled": taxonomy[photo.label].name,
                "looks like": taxonomy[photo.suggested].name,
                "chance of its label": photo.self_confidence,
                "split": TITLES[known[photo.photo_id][1]],
            }
            for photo in record.label_issues
            if photo.photo_id in known
        ],
        columns=["photo", "labelled", "looks like", "chance of its label", "split"],
    )
    parts = table["photo"].map(taught or {})
    if parts.notna().any():
        table = table.assign(**{"mistakes taught": parts})
        table = table.sort_values("mistakes taught", ascending=False, kind="stable", ignore_index=True)
    return table


def _draw_near_duplicates(
    record: AuditRecord, known: Mapping[int, tuple[int, str]], taxonomy: Taxonomy, photo_set: PhotoSet
) -> None:
    table = near_duplicates_table(record, known, taxonomy)
    if table.empty:
        st.success("Every picture is there once.")
        return
    table = pairs_of(table, choose_one("Pairs", PAIRS, "copies"))
    if table.empty:
        st.success("There is no such pair.")
    else:
        _draw_pair(table, known, taxonomy, photo_set)
    figures = duplicate_table(models.model_list().bundles)
    if not figures.empty:
        st.subheader("What the copies do to the figures")
        st.markdown(
            "Test photos of which a copy lies in another split, byte for byte or nearly, are left out in the columns "
            f"to the right. {near_copy_rules(models.model_list().bundles)}"
        )
        draw_figures(figures, "Accuracy with and without test photos of which a copy or near copy is in another split")
        offer_csv(figures, "figures-without-copies.csv")


def pairs_of(table: pd.DataFrame, which: str) -> pd.DataFrame:
    """The pairs that are meant: all, those across splits, or those that have two labels.

    Args:
        table: of `near_duplicates_table`.
        which: "leaks" for those across splits, "labels" for those with two labels, anything else for all.
    """
    if which == "leaks":
        splits = table["splits"].str.split(", ", expand=True)
        table = table[splits[0] != splits[1]]
    elif which == "labels":
        table = table[table["class"] != table["other class"]]
    return table.reset_index(drop=True)


def _draw_pair(
    table: pd.DataFrame, known: Mapping[int, tuple[int, str]], taxonomy: Taxonomy, photo_set: PhotoSet
) -> None:
    row = table.iloc[_chosen_row(table, "copies", "Pairs of photos that show one picture", "copies.csv")]
    draw_cards("copies", [_card(photo_set.ref(row[which]), known, taxonomy) for which in ("one", "other")])


def _draw_label_issues(
    bundle: Bundle, record: AuditRecord, known: Mapping[int, tuple[int, str]], taxonomy: Taxonomy
) -> None:
    st.markdown(
        "Found by confident learning (Northcutt et al. 2021): the model, which was not fitted on these photos, is as "
        "sure of another class as it is of that class’s own photos. Many are the model’s mistakes and not the "
        "labels’, so look before you believe it."
    )
    table = label_issues_table(record, known, taxonomy, records.taught(bundle))
    if table.empty:
        st.success("No label is suspect.")
        return
    row = table.iloc[_chosen_row(table, "suspects", "Photos whose label is probably wrong", "suspect-labels.csv")]
    photo_id = int(row["photo"])
    cards = [_card(bundle.photo_set.ref(photo_id), known, taxonomy, f"looks like {row['looks like']}")]
    gallery = galleries.gallery(bundle)
    if gallery is not None and photo_id in gallery:
        near = gallery.search(gallery.vector(photo_id), NEAREST, splits={"train"}, exclude={photo_id})
        cards += [
            _card(found.photo, known, taxonomy, f"similarity {found.similarity:.2f}")
            for found in near
            if found.photo_id in known
        ]
        st.markdown("The photo, and the training photos most like it:")
    draw_cards("label-issues", cards)


def _draw_outliers(
    record: AuditRecord, known: Mapping[int, tuple[int, str]], taxonomy: Taxonomy, photo_set: PhotoSet
) -> None:
    kinds = [kind for kind in MEANING if record.outliers_of(kind)]
    if not kinds:
        st.success("No photo stands out.")
        return
    kind = choose_one("Kind", {kind: kind for kind in kinds}, "odd", on_change=lambda: first_page(_OUTLIERS))
    found = [photo for photo in record.outliers_of(kind) if photo.photo_id in known]
    st.markdown(f"**{len(found)}** photos, the most so first. The number is the {MEANING[kind]}.")
    place = st.container()
    cards = [_card(photo_set.ref(photo.photo_id), known, taxonomy, f"{photo.value:.3g}") for photo in found]
    shown = choose_page(_OUTLIERS, cards, PER_PAGE)
    with place:
        draw_cards("outliers", shown)
    table = pd.DataFrame(
        [{"photo": photo.photo_id, "kind": photo.kind, "value": photo.value} for photo in record.outliers]
    )
    offer_csv(table, "odd-photos.csv")


def _chosen_row(table: pd.DataFrame, key: str, alt: str, file_name: str) -> int:
    """Draw a table and return the row that is chosen in it: the first until another is."""
    shares = {name: 100 * table[name] for name in table.columns if name == "chance of its label"}
    state = st.dataframe(
        table.assign(**shares),
        hide_index=True,
        height=300,
        key=f"table-{key}",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "chance of its label": st.column_config.NumberColumn(format="%.1f %%"),
            "similarity": st.column_config.NumberColumn(format="%.3f"),
            "mistakes taught": st.column_config.NumberColumn(format="%.2f"),
        },
        alt=alt,
    )
    offer_csv(table, file_name)
    rows = state["selection"]["rows"]
    return rows[0] if rows and rows[0] < len(table) else 0


def _card(photo: PhotoRef, known: Mapping[int, tuple[int, str]], taxonomy: Taxonomy, remark: str = "") -> Card:
    label, split = known[photo.id]
    name = capital(taxonomy[label].name)
    return Card(
        photo=photo,
        caption=(
            f'<span class="name">{escape(name)}</span><br>{escape(remark) + "<br>" if remark else ""}'
            f'<span class="quiet">{TITLES[split]} · no. {photo.id}</span>'
        ),
        alt=f"{name}, {TITLES[split]} photo {photo.id}",
    )
