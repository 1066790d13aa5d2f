"""Photos that no two visitors share, each with what must be said of it."""

import io
from dataclasses import dataclass

import numpy as np

from app.elements.words import capital, percent
from flowers_core.data.photos import read_photo
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.inference.answerer import open_answerer
from flowers_core.inference.bundle import load_bundle
from flowers_core.inference.runtime import Runtime
from flowers_core.retrieval.gallery_prototypes import prototypes_of
from flowers_core.storage.paths import default_models_dir
from tests.fixtures.drawn_flowers import draw_flower

Row = tuple[str, str]


@dataclass(frozen=True)
class Asked:
    """A photo and what must be said of it: the most probable flowers, each with its share in words."""

    name: str
    content: bytes
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Outcome:
    """What became of one photo: seconds until the page was drawn, and what was wrong with it, if anything."""

    seconds: float
    wrong: str


def drawn(count: int, bundle_name: str, width: int = 500) -> list[Asked]:
    """So many photos, no two alike, with the answers of the model on this machine.

    Args:
        count: of the photos.
        bundle_name: of the model.
        width: in pixels; a phone's photo has 4000.
    """
    bundle, taxonomy = load_bundle(default_models_dir() / bundle_name), load_taxonomy()
    answerer = open_answerer(bundle, Runtime(bundle.path("int8.tflite")), lambda: prototypes_of(bundle))
    asked = []
    for at in range(count):
        file = io.BytesIO()
        draw_flower(at % 6, np.random.default_rng(at)).resize((width, width * 4 // 5)).save(file, "JPEG")
        found = answerer.answer(read_photo(file.getvalue()).pixels).prediction.top(5)
        rows = tuple((capital(taxonomy[one.label].name), percent(one.probability)) for one in found)
        asked.append(Asked(f"visitor-{at}.jpg", file.getvalue(), rows))
    return asked
