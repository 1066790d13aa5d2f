"""How parts of a photo and the whole become one answer, by hand."""

import numpy as np
import pytest

from flowers_core.inference.looks_rule import LOOKS_RULE, LooksRule, agreeing_crops, combined, looks_rule


def test_all_looks_make_one_answer() -> None:
    """Of four crops the two surest count: 0.8, 0.15 and 0.05 on average.

    With weights of 1 and 2 and a floor of 0.05 the whole photo's 0.2, 0.3 and 0.5 become 0.2 · 0.85², 0.3 · 0.2² and
    0.5 · 0.1²: 0.1445, 0.012 and 0.005, of 0.1615.
    """
    rule = LooksRule(0.5, 1.0, 2.0, floor=0.05, naming=0.5, sure_from=0.9, novel_sure_from=0.9)
    crops = np.array([(0.9, 0.0, 0.1), (0.4, 0.6, 0.0), (0.3, 0.4, 0.3), (0.7, 0.3, 0.0)])
    found = combined(np.array([0.2, 0.3, 0.5]), crops, rule)
    assert found == pytest.approx(np.array([0.1445, 0.012, 0.005]) / 0.1615)


def test_at_least_one_crop_counts_and_certainty_is_no_error() -> None:
    rule = LooksRule(0.1, 1.0, 1.0, floor=0.01, naming=0.5, sure_from=0.9, novel_sure_from=0.9)
    found = combined(np.array([0.0, 1.0, 0.0]), np.array([(0.0, 1.0, 0.0), (0.5, 0.3, 0.2)]), rule)
    assert np.isfinite(found).all()
    assert found.argmax() == 1


def test_crops_are_believed_where_one_that_names_the_flower_looks_like_it() -> None:
    """Of four crops three name the first class, one of these with less than half; the second looks like it."""
    crops = np.array([(0.9, 0.1, 0.0), (0.6, 0.4, 0.0), (0.45, 0.35, 0.2), (0.1, 0.8, 0.1)])
    assert agreeing_crops(crops, np.array([False, True, False, False]), 0).tolist() == [0, 1]
    # The fourth looks like what it names, which is another class; the third does, but hardly names it.
    assert agreeing_crops(crops, np.array([False, False, True, True]), 0).tolist() == []
    assert agreeing_crops(crops, np.array([False, False, False, True]), 1).tolist() == [3]


def test_the_rule_for_all_is_no_laxer_than_the_bundle() -> None:
    assert looks_rule(0.5) == LOOKS_RULE
    assert looks_rule(0.97).sure_from == 0.97
    assert looks_rule(0.5).sure_from == LOOKS_RULE.sure_from
    assert looks_rule(0.97).novel_sure_from > 1
    with pytest.raises(ValueError, match="share"):
        LooksRule(0.0, 1.0, 1.0, floor=0.01, naming=0.5, sure_from=0.9, novel_sure_from=0.9)
