"""Sets by hand, and the group that a set lies in."""

import pytest

from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.inference.prediction_set import SetRule, common_taxon, in_set


def test_sets_by_hand() -> None:
    rows = [[0.2, 0.6, 0.15, 0.05], [0.01, 0.02, 0.95, 0.02], [0.25, 0.25, 0.25, 0.25]]
    # Until 0.7 is reached: 0.6 and 0.2; 0.95 alone; three times 0.25.
    assert in_set(rows, 0.7, 0.0).tolist() == [
        [True, True, False, False],
        [False, False, True, False],
        [True, True, True, False],
    ]
    # The first class is in, however little it has; others must have 0.3.
    assert in_set(rows, 1.0, 0.3).sum(axis=1).tolist() == [1, 1, 1]
    assert in_set(rows, 1.0, 0.05).sum(axis=1).tolist() == [4, 1, 4]


def test_a_rule_is_within_bounds() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        SetRule(1.1, 0.0, 0.95, 0.94, 1.2, 1.8)


def test_the_group_of_a_set() -> None:
    taxonomy = load_taxonomy()
    taxa = list(taxonomy)
    first, second = next((a, b) for a in taxa for b in taxa if a.label < b.label and a.genus == b.genus is not None)
    assert common_taxon([first.label], taxonomy) == common_taxon([first.label, second.label], taxonomy) == first.genus
    one, relative = next((a, b) for a in taxa for b in taxa if a.family == b.family and a.genus != b.genus)
    assert common_taxon([one.label, relative.label], taxonomy) == one.family
    stranger = next(taxon for taxon in taxa if taxon.family != one.family)
    assert common_taxon([one.label, stranger.label], taxonomy) is None
