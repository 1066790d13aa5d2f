"""What is said about a photo that looks like none of the flowers, and of sets of plausible ones."""

from dataclasses import replace

import numpy as np
import pytest

from app.identify.answer import Unlike, describe, distance_sentence, kinship, set_sentence
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.inference.novelty import PrototypeDistance
from flowers_core.inference.prediction import Prediction, ranked, taxa_of

TAXONOMY = load_taxonomy()


def _prediction(*labels: int, novel: bool = False) -> Prediction:
    """The labels are plausible, the first one a little more."""
    probabilities = np.full(102, 0.1 / (102 - len(labels)))
    for at, label in enumerate(labels):
        probabilities[label - 1] = (0.9 + (len(labels) - 1) * 0.01 * (at == 0) - 0.01 * (at > 0)) / len(labels)
    return ranked(probabilities, len(labels), "unsure", taxa_of(probabilities, TAXONOMY), novel=novel)


def _relatives(rank: str) -> tuple[int, int]:
    """Two flowers of one genus, or of one family and two genera."""
    taxa = [taxon for taxon in TAXONOMY if taxon.genus]
    pairs = ((a, b) for a in taxa for b in taxa if a.label < b.label and a.family == b.family)
    return next((a.label, b.label) for a, b in pairs if (a.genus == b.genus) == (rank == "genus"))


def test_a_photo_unlike_all_flowers_is_called_so_and_the_best_guess_stands_below() -> None:
    said = describe(_prediction(5, novel=True), TAXONOMY)
    assert (said.verdict, said.mark, said.headline) == ("unsure", "Not known", "None of the 102 flowers")
    assert "unlike the photos of all 102 flowers" in said.sentences
    assert f"the best guess is {TAXONOMY[5].name}" in said.sentences
    assert describe(_prediction(5), TAXONOMY).mark == "Likely"


def test_how_far_a_strange_photo_is() -> None:
    unlike = Unlike((PrototypeDistance(3, 50.0), PrototypeDistance(7, 60.0)), 25.0)
    first, second = TAXONOMY[3].name, TAXONOMY[7].name
    assert distance_sentence(unlike, TAXONOMY) == (
        f"Nearest is {first}, and even from that it is 2.0 times as far as a flower usually is from its kind; "
        f"then come {second}."
    )
    near = replace(unlike, usual=unlike.nearest[0].distance)
    assert distance_sentence(near, TAXONOMY).startswith(f"Nearest is {first}, but it is not clearly that; then ")
    assert "2.0 times as far" in describe(_prediction(5, novel=True), TAXONOMY, unlike).sentences
    # What looks like a flower is not compared.
    assert "times as far" not in describe(_prediction(5), TAXONOMY, unlike).sentences


@pytest.mark.parametrize("rank", ["genus", "family"])
def test_what_the_plausible_flowers_share(rank: str) -> None:
    first, second = _relatives(rank)
    shared = getattr(TAXONOMY[first], rank)
    assert kinship(_prediction(first, second), TAXONOMY) == f"Both are of the {rank} {shared}. "
    said = describe(_prediction(first, second), TAXONOMY).sentences
    assert said.endswith(
        f"Most likely it is one of these: {TAXONOMY[first].name} or {TAXONOMY[second].name}. "
        f"Both are of the {rank} {shared}."
    )


def test_strangers_share_nothing_and_long_sets_are_not_listed() -> None:
    strangers = next(b.label for b in TAXONOMY if b.family != TAXONOMY[1].family)
    assert kinship(_prediction(1, strangers), TAXONOMY) == ""
    assert kinship(_prediction(1), TAXONOMY) == ""
    assert set_sentence(_prediction(*range(1, 8)), TAXONOMY) == ""
    assert set_sentence(_prediction(1), TAXONOMY) == ""


def test_flowers_that_are_improbable_together_are_not_called_likely() -> None:
    probabilities = np.full(102, 0.73 / 99)
    probabilities[:3] = 0.11, 0.09, 0.07
    taxa = taxa_of(probabilities, TAXONOMY)
    assert set_sentence(ranked(probabilities, 3, "unsure", taxa), TAXONOMY) == ""
    assert set_sentence(_prediction(1, 2, 3), TAXONOMY).startswith("Most likely it is one of these: ")
