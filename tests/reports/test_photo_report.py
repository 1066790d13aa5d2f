"""The report of a photo: one file, whole, and nothing in it but what it was given."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
from PIL import Image

from flowers_core.reports.photo_report import (
    SIDE,
    PhotoReport,
    ReportCandidate,
    ReportNeighbour,
    project_version,
    report_html,
)

EVIL = '<script>alert(1)</script>"><img src=x onerror=y>&amp;'


def report(text: str = "a", **changes: object) -> PhotoReport:
    values = {
        "title": text,
        "facts": text,
        "photo": np.full((40, 60, 3), (200, 30, 90), np.uint8),
        "headline": text,
        "latin": text,
        "mark": text,
        "sentences": text,
        "candidates": [ReportCandidate(text, text, text)],
        "map": np.full((2400, 1200, 3), 120, np.uint8),
        "map_title": text,
        "reading": text,
        "neighbours": [ReportNeighbour(text, 0.876, text)],
        "opinion": text,
        "trust": [(text, text)],
        "card": [(text, text)],
        "made": text,
    }
    return PhotoReport(**(values | changes))


class Reader(HTMLParser):
    """What a browser would find: the tags with their attributes, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader


def test_whatever_a_text_holds_is_only_text() -> None:
    found = read(report_html(report(EVIL)))
    assert "script" not in {tag for tag, _ in found.tags}
    pictures = [attributes for tag, attributes in found.tags if tag == "img"]
    assert len(pictures) == 2
    assert all(set(attributes) == {"alt", "src"} for attributes in pictures)
    # Headline, latin, mark, sentences, facts, title and reading of the map, …: each once as it was given, or more.
    assert found.text.count(EVIL) >= 17


def test_nothing_is_fetched_and_nothing_may_run() -> None:
    found = read(report_html(report()))
    for tag, attributes in found.tags:
        assert tag not in ("script", "link", "iframe", "object")
        for name in ("src", "href", "action"):
            assert (attributes.get(name) or "data:").startswith("data:")
    policy = next(attributes["content"] for tag, attributes in found.tags if attributes.get("http-equiv"))
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_the_pictures_are_in_it_no_larger_than_a_page_shows() -> None:
    sources = re.findall(r"data:image/jpeg;base64,([A-Za-z0-9+/=]+)", report_html(report()))
    photo, explained = (Image.open(io.BytesIO(base64.b64decode(source))) for source in sources)
    assert photo.size == (60, 40)
    assert np.abs(np.asarray(photo).astype(int) - (200, 30, 90)).max() <= 6
    assert explained.size == (SIDE // 2, SIDE)


def test_what_is_not_known_is_left_out() -> None:
    html = report_html(report(map=None, neighbours=[], opinion=""))
    assert html.count("<img") == 1
    assert "resembles" not in html
    assert "may not be passed on" not in html
    assert "0.88" in report_html(report())
    assert f"Flowers {project_version()} on a" in html


def test_the_version_is_that_of_the_checkout() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", project_version())
