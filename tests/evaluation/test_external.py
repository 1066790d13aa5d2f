"""Answers to external photos counted by hand; `tests/scripts/study` has a network answer drawn ones."""

from pathlib import Path

import numpy as np
import pytest

from flowers_core.data.download.external import FLOWERS, NO_FLOWER
from flowers_core.data.photo_folder import PhotoFolderError
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.evaluation.external import (
    ExternalAnswer,
    count_classes,
    count_flowers,
    count_without_flower,
    external_photos,
)
from flowers_core.inference.records.external import ExternalClass, ExternalFlowers, ExternalWithoutFlower
from tests.fixtures.drawn_flowers import draw_flower


def answer(label: int | None, *ranking: int, p: float = 0.5, sure: bool = False, decided: bool = False):
    return ExternalAnswer(label, ranking, p, sure, decided)


def test_flowers_are_counted_as_by_hand() -> None:
    answers = [
        answer(1, 1, 2, p=0.95, sure=True),
        answer(1, 2, 1, p=0.9),  # wrong with 90 %: a high-confidence error
        answer(2, 3, 4, p=0.99, sure=True),  # another one, and the model is sure
        answer(2, 4, 3, 2, p=0.3, decided=True),
        answer(2, 2, 3, p=0.4, decided=True),
    ]
    assert count_flowers(answers) == ExternalFlowers(
        photos=5,
        top1=2 / 5,
        top5=4 / 5,
        high_confidence_errors=2,
        sure=2,
        sure_correct=1,
        suggested=2,
        suggested_correct=1,
    )
    taxonomy = load_taxonomy()
    assert count_classes(answers) == {
        taxonomy[1].name: ExternalClass(2, 1, 2),
        taxonomy[2].name: ExternalClass(3, 1, 2),
    }


def test_without_a_flower_every_confident_name_is_an_error() -> None:
    answers = [answer(None, 1, p=0.95, sure=True), answer(None, 1, p=0.89, decided=True), answer(None, 2, p=0.9)]
    assert count_without_flower(answers) == ExternalWithoutFlower(
        photos=3, high_confidence_errors=2, sure=1, suggested=1
    )


def test_the_photos_are_those_of_both_folders(tmp_path: Path) -> None:
    (tmp_path / FLOWERS / "rose").mkdir(parents=True)
    with pytest.raises(PhotoFolderError, match="There are no such photos"):
        external_photos(tmp_path)
    (tmp_path / NO_FLOWER).mkdir()
    for path in (tmp_path / FLOWERS / "rose" / "a.png", tmp_path / NO_FLOWER / "b.png"):
        draw_flower(0, np.random.default_rng(0)).save(path)
    (tmp_path / NO_FLOWER / "LICENCE").write_text("no photo")
    rose = next(taxon.label for taxon in load_taxonomy() if taxon.name == "rose")
    assert external_photos(tmp_path) == [
        (tmp_path / FLOWERS / "rose" / "a.png", rose),
        (tmp_path / NO_FLOWER / "b.png", None),
    ]
