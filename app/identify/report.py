"""The answer as one file to keep, send or print."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app.elements.words import capital, percent
from app.identify.answer import TOP, describe
from app.identify.explaining import CLOSED_FORM, subject_of
from app.identify.identified import Identified
from app.identify.superpixel_choice import chosen_superpixels
from app.resources import models
from app.resources.session import shown_pixels
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.explain.explanation import ClassTarget
from flowers_core.explain.subject import Subject
from flowers_core.inference.bundle import Bundle

if TYPE_CHECKING:
    from flowers_core.reports.photo_report import ReportNeighbour

# Known photos that the report names.
NEIGHBOURS = 8
_OPACITY = 0.7


def offer_report(identified: Identified, name: str, facts: str, taxonomy: Taxonomy) -> None:
    """A button; the report is made when it is asked for.

    Args:
        identified: the photo and the answer.
        name: of the photo's file.
        facts: of the photo, such as its size and author.
        taxonomy: the classes' names.
    """
    st.download_button(
        "Report to keep",
        report_maker(identified, name, facts, taxonomy),
        file_name=f"flower-{identified.inference.photo.sha256[:8]}.html",
        mime="text/html",
        icon=":material/description:",
        key="report",
        help="One file for any browser, ready to print: the photo, the answer, why, and how far to trust it.",
        on_click="ignore",
    )


def report_maker(identified: Identified, name: str, facts: str, taxonomy: Taxonomy) -> Callable[[], bytes]:
    """What makes the report about a photo: an HTML file in UTF-8; the arguments are those of `offer_report`.

    Streamlit calls it in a thread that knows no session, so what belongs to one is read here.
    """
    pixels = shown_pixels(identified.inference.photo)
    segmentation = chosen_superpixels()
    tested = models.tested(identified.inference.bundle)

    def make() -> bytes:
        subject = subject_of(identified.inference, segmentation)
        return _report(identified, name, facts, taxonomy, pixels, subject, tested)

    return make


def _report(
    identified: Identified,
    name: str,
    facts: str,
    taxonomy: Taxonomy,
    pixels: NDArray[np.uint8],
    subject: Subject,
    tested: Bundle,
) -> bytes:
    from flowers_core.reports.photo_report import PhotoReport, ReportCandidate, report_html

    prediction, bundle = identified.prediction, identified.inference.bundle
    answer, taxon = describe(prediction, taxonomy), taxonomy[identified.label]
    painted, reading = _map(subject, pixels, identified.label, taxonomy)
    report = PhotoReport(
        title=name,
        facts=facts,
        photo=pixels,
        headline=answer.headline,
        latin=f"{taxon.latin}, family {taxon.family}",
        mark=answer.mark,
        sentences=answer.sentences,
        candidates=[
            ReportCandidate(capital(taxonomy[each.label].name), taxonomy[each.label].latin, percent(each.probability))
            for each in prediction.top(TOP)
        ],
        map=painted,
        map_title=f"What speaks for {taxon.name}",
        reading=reading,
        neighbours=_neighbours(identified, taxonomy),
        opinion=_opinion(identified, taxonomy),
        trust=trust_figures(tested, identified.inference.numeric_format, of=bundle),
        card=_card(bundle, identified.inference.numeric_format),
        made=datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC"),
    )
    return report_html(report).encode()


def trust_figures(bundle: Bundle, numeric_format: str, of: Bundle | None = None) -> list[tuple[str, str]]:
    """How often a model is right on photos that it has not learnt from.

    Args:
        bundle: the model that was tested.
        numeric_format: of the model, such as `int8`.
        of: the model that these figures stand for, where that is another one.
    """
    rows = []
    if of is not None and of.name != bundle.name:
        rows.append(("measured of the same network, trained without the test photos", bundle.name))
    if test := bundle.metrics.get(numeric_format, {}).get("test"):
        rows += [
            (f"right names among {test.photos} test photos", percent(test.top1)),
            ("the same, each flower weighed alike", percent(test.balanced_accuracy)),
            ("probability stated and fraction right differ by, on average", percent(test.ece)),
        ]
    if corrupted := bundle.manifest.corruptions.get(numeric_format, {}).get("test"):
        rows.append(("right names where the photos are blurred, dark, far away and so on", percent(corrupted.mean)))
    confidence = bundle.manifest.confidence
    if confidence and (clean := confidence.figures.get("test", {}).get("clean")) and clean.sure_top1 is not None:
        rows.append((f"right names where it was sure, {percent(clean.sure)} of them", percent(clean.sure_top1)))
    return rows


def _map(subject: Subject, pixels: NDArray[np.uint8], label: int, taxonomy: Taxonomy) -> tuple[NDArray[np.uint8], str]:
    from app.elements.heatmap import close_up, reading
    from flowers_core.explain.overlay import draw

    explanation = CLOSED_FORM.explain(subject, ClassTarget(label))
    part, placed = close_up(pixels, explanation)
    return draw(part, placed, _OPACITY), reading(explanation, taxonomy)


def _neighbours(identified: Identified, taxonomy: Taxonomy) -> list[ReportNeighbour]:
    from app.identify.neighbours import SPLITS, known_photo
    from flowers_core.reports.photo_report import ReportNeighbour
    from flowers_core.retrieval.user_photos import USER_SPLIT

    if identified.gallery is None:
        return []
    embedding = identified.inference.forward.embedding[0]
    # Photos of somebody's own gallery are not named in a file that is passed on.
    known = set(SPLITS) - {"all", USER_SPLIT}
    found = identified.gallery.search(embedding, NEIGHBOURS, splits=known, exclude=identified.itself)
    bundle = identified.inference.bundle
    return [
        ReportNeighbour(capital(taxonomy[each.label].name), each.similarity, known_photo(each, bundle))
        for each in found
    ]


def _opinion(identified: Identified, taxonomy: Taxonomy) -> str:
    from app.identify.neighbours import knn_sentence

    if identified.knn is None:
        return ""
    return knn_sentence(identified.knn, identified.label, taxonomy).replace("**", "")


def _card(bundle: Bundle, numeric_format: str) -> list[tuple[str, str]]:
    from flowers_core.reports.model_card import card_facts

    own = [("name", f"{bundle.name}, {numeric_format}")]
    if (
        bundle.calibration is None
        or bundle.manifest.data is None
        or "test" not in bundle.tested_metrics.get("int8", {})
    ):
        return own
    return own + [(what, value.replace("`", "")) for what, value in card_facts(bundle)]
