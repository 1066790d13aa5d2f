"""What is said about a photo that looks like none of the flowers."""

import numpy as np

from app.identify.answer import describe
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.inference.prediction import ranked, taxa_of

TAXONOMY = load_taxonomy()


def test_a_photo_unlike_all_flowers_is_called_so_and_the_best_guess_stands_below() -> None:
    probabilities = np.full(102, 0.7 / 101)
    probabilities[4] = 0.3
    taxa = taxa_of(probabilities, TAXONOMY)
    said = describe(ranked(probabilities.copy(), 1, "unsure", taxa, novel=True), TAXONOMY)
    assert (said.verdict, said.mark) == ("unsure", "Probably none that it knows")
    assert said.headline == f"Perhaps {TAXONOMY[5].name}"
    assert "unlike the photos of all 102 flowers" in said.sentences
    assert "30 %" in said.sentences.replace(" ", " ")
    known = describe(ranked(probabilities.copy(), 1, "unsure", taxa), TAXONOMY)
    assert known.mark == "Not sure"
