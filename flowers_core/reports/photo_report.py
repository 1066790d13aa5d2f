"""What the model says of one photo, as one HTML file to keep, send or print: nothing is fetched from elsewhere."""

from __future__ import annotations

import base64
import io
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from flowers_core.storage.paths import project_root

# Longer side of a picture in the report, in pixels: sharp on half a printed page.
SIDE = 1000
_NOT_SHOWN = (
    "Photos of the data set belong to their owners and may not be passed on, so they are named here by their numbers "
    "and not shown."
)
_LIMITS = (
    "The model knows only these flowers and names one of them whatever a photo shows. Do not use it to judge what is "
    "safe to eat, to touch or to give to an animal."
)
_STYLE = """
:root { color-scheme: light; }
body { background: #fff; color: #23281f; font: 11pt/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 46rem;
  padding: 0 1rem; }
h1, h2 { font-family: Georgia, "Times New Roman", serif; font-weight: 600; line-height: 1.15; }
h1 { font-size: 24pt; margin: 0; }
h2 { border-top: 1px solid #dcd8c6; font-size: 14pt; margin: 1.6rem 0 .5rem; padding-top: .8rem; }
p { margin: .4rem 0; }
.latin { font-family: Georgia, serif; font-style: italic; }
.quiet, figcaption, footer { color: #5d6355; font-size: 9.5pt; }
.mark { background: #eef1e6; border-radius: .3rem; font-weight: 600; padding: .1rem .45rem; }
.pictures { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); }
figure { break-inside: avoid; margin: .6rem 0 0; }
img { border-radius: .4rem; display: block; max-height: 24rem; max-width: 100%; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #eceadf; padding: .25rem .5rem .25rem 0; text-align: left; vertical-align: top; }
th { font-weight: 600; }
th.number { text-align: right; }
td:first-child { overflow-wrap: normal; }
td.number { font-variant-numeric: tabular-nums; text-align: right; white-space: nowrap; }
tr { break-inside: avoid; }
h2 { break-after: avoid; }
td { overflow-wrap: anywhere; }
@page { margin: 18mm; }
@media print { body { margin: 0; max-width: none; padding: 0; } }
"""


@dataclass(frozen=True)
class ReportCandidate:
    """A flower that the photo may show: its name, its botanical name, and its probability as text."""

    name: str
    latin: str
    probability: str


@dataclass(frozen=True)
class ReportNeighbour:
    """A known photo that this one resembles: what it shows, its cosine, 0…1, and which photo it is."""

    name: str
    similarity: float
    photo: str


@dataclass(frozen=True, eq=False)
class PhotoReport:
    """Everything that the report says. Texts are plain: whatever they hold is shown as it is.

    Attributes:
        title: name of the photo's file.
        facts: of the photo, such as its size and author.
        photo: (h, w, 3) uint8 RGB.
        headline, latin: the answer.
        mark, sentences: how sure it is, in a word or two and in sentences.
        candidates: the most probable flowers, best first.
        map: (h, w, 3) uint8 RGB, the photo with what speaks for the answer; None for no map.
        map_title, reading: what the map shows and how to read it.
        neighbours: the most similar known photos, nearest first.
        opinion: what the neighbours say together.
        trust: how often the model is right: what is measured, and the figure.
        card: of the model: what, and its value.
        made: when the report was made.
    """

    title: str
    facts: str
    photo: NDArray[np.uint8]
    headline: str
    latin: str
    mark: str
    sentences: str
    candidates: Sequence[ReportCandidate]
    map: NDArray[np.uint8] | None
    map_title: str
    reading: str
    neighbours: Sequence[ReportNeighbour]
    opinion: str
    trust: Sequence[tuple[str, str]]
    card: Sequence[tuple[str, str]]
    made: str


def report_html(report: PhotoReport) -> str:
    """The report as a document that needs no other file."""
    pictures = [_figure(report.photo, "The photo", report.facts)]
    if report.map is not None:
        pictures.append(_figure(report.map, report.map_title, f"{report.map_title}. {report.reading}"))
    candidates = [(each.name, each.latin, each.probability) for each in report.candidates]
    neighbours = [(each.name, each.photo, f"{each.similarity:.2f}") for each in report.neighbours]
    parts = [
        f"<h1>{escape(report.headline)}</h1>",
        f'<p class="latin">{escape(report.latin)}</p>',
        f'<p><span class="mark">{escape(report.mark)}</span> {escape(report.sentences)}</p>',
        f'<div class="pictures">{"".join(pictures)}</div>',
        "<h2>The most probable flowers</h2>",
        _table(("flower", "botanical name", "probability"), candidates),
        "<h2>What it resembles</h2>" if neighbours else "",
        f"<p>{escape(report.opinion)}</p>" if report.opinion else "",
        _table(("shows", "photo", "similarity"), neighbours) if neighbours else "",
        f'<p class="quiet">{escape(_NOT_SHOWN)}</p>' if neighbours else "",
        "<h2>How far to trust it</h2>",
        _table(("measured", "figure"), report.trust),
        f"<p>{escape(_LIMITS)}</p>",
        "<h2>The model</h2>",
        _table(("", ""), report.card),
    ]
    footer = f"Made by Flowers {project_version()} on {report.made}, from {report.title}."
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">"
        f"<title>{escape(report.headline)} – {escape(report.title)}</title><style>{_STYLE}</style></head><body>\n"
        + "\n".join(part for part in parts if part)
        + f"\n<footer><p>{escape(footer)}</p></footer></body></html>\n"
    )


def project_version() -> str:
    """The version of this project: of the installed package, or of the checkout that runs."""
    root = project_root()
    if root is not None:
        with (root / "pyproject.toml").open("rb") as handle:
            return str(tomllib.load(handle)["project"]["version"])
    try:
        return version("flowers")
    except PackageNotFoundError:
        return "of unknown version"


def _figure(pixels: NDArray[np.uint8], alt: str, caption: str) -> str:
    image = Image.fromarray(pixels)
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=88)
    source = base64.b64encode(file.getvalue()).decode()
    return (
        f'<figure><img alt="{escape(alt)}" src="data:image/jpeg;base64,{source}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table. Of three columns the last holds numbers, aligned to the right."""
    names = [f"<th>{escape(name)}</th>" for name in header]
    if len(header) > 2:
        names[-1] = f'<th class="number">{escape(header[-1])}</th>'
    head = "".join(names) if any(header) else ""
    lines = []
    for row in rows:
        cells = [f"<td>{escape(text)}</td>" for text in row]
        if len(row) > 2:
            cells[-1] = f'<td class="number">{escape(row[-1])}</td>'
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table>{f'<thead><tr>{head}</tr></thead>' if head else ''}<tbody>{''.join(lines)}</tbody></table>"
