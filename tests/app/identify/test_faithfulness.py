"""What the page says of a measured map."""

import numpy as np

from app.identify.faithfulness import deletion_sentence, verdict
from flowers_core.explain.metrics.faithfulness import Baselines, Curves, Faithfulness


def constant(value: float, auc: float) -> Curves:
    return Curves(np.array([0.93, value, *[auc] * 9]), np.full(11, auc))


def curves(deletion: float, insertion: float) -> Curves:
    return Curves(np.full(11, deletion), np.full(11, insertion))


def against(ours: Curves, random: Curves, centre: Curves) -> Faithfulness:
    return Faithfulness(ours, Baselines((random,) * 20, centre))


def test_the_sentence_has_the_numbers() -> None:
    def said(without: float, name: str) -> str:
        return deletion_sentence(against(constant(without, 0.1), constant(0.91, 0.5), constant(0.8, 0.4)), name)

    assert said(0.12, "orange dahlia") == (
        "Removing the 10 % brightest area drops “orange dahlia” from 93 % to 12 %; random areas: 91 %."
    )
    assert "leaves “rose” at 93 %;" in said(0.9301, "rose")
    assert "raises “rose” from 93 % to 97 %;" in said(0.97, "rose")


def test_the_verdict_sets_the_map_against_random_ones_and_the_middle() -> None:
    random, middle = curves(0.5, 0.5), curves(0.3, 0.6)
    assert verdict(against(curves(0.1, 0.7), random, middle)) == (
        "It beats 20 of 20 random maps, and a map that only says “the middle”."
    )
    assert verdict(against(curves(0.9, 0.2), random, middle)) == (
        "Do not lean on this map: it beats only 0 of 20 random maps."
    )
    assert verdict(against(curves(0.4, 0.55), random, middle)).endswith(
        "but a map that only says “the middle” does as well."
    )


def test_the_middle_may_do_as_well_in_one_of_the_two() -> None:
    worse, ours = constant(0.9, 0.5), curves(0.1, 0.7)
    assert "but for taking away “the middle” would do as well" in verdict(against(ours, worse, curves(0.05, 0.6)))
    assert "but for putting back “the middle” would do as well" in verdict(against(ours, worse, curves(0.4, 0.8)))
