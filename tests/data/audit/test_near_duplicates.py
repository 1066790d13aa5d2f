import numpy as np
import pytest

from flowers_core.data.audit.image_statistics import ImageStatistics
from flowers_core.data.audit.near_duplicates import (
    NearDuplicate,
    duplicate_groups,
    find_near_duplicates,
    leaks,
    near_duplicate_rules,
)


def _facts(hashes: list[int], mirrored: list[int], digests: list[str]) -> ImageStatistics:
    n = len(hashes)
    zeros = np.zeros(n)
    return ImageStatistics(
        ids=np.arange(1, n + 1) * 10,
        sizes=np.full((n, 2), 300),
        sha256=tuple(digests),
        hashes=np.array(hashes, np.uint64),
        mirrored_hashes=np.array(mirrored, np.uint64),
        sharpness=zeros,
        highlights=zeros,
        shadows=zeros,
        mean_colour=np.zeros((n, 3)),
    )


def test_a_near_pair_needs_both_witnesses() -> None:
    pattern, other = 0xF0F0_3C3C_9999_0F0F, 0x5555_AAAA_CCCC_3333
    far = [0x0123_4567_89AB_CDEF ^ (number << 7) for number in range(3)]
    facts = _facts(
        [pattern, pattern ^ 0b111, pattern ^ 1, other, pattern],
        [other ^ 0b11, other ^ 1, *far],
        ["a", "b", "c", "d", "a"],
    )
    up, nearly_up, side = [1.0, 0.0], [1.0, 0.1], [0.0, 1.0]
    pairs = find_near_duplicates(facts, [up, nearly_up, side, up, side], max_distance=4, min_cosine=0.9)
    # 10 and 30 are near by hash and far by embedding. 10 and 50 are too, but equal byte by byte. The mirror images of
    # 10 and of 20 are 40 but for two bits and one.
    found = {(pair.first, pair.second): (pair.distance, pair.mirrored, pair.identical) for pair in pairs}
    assert found == {
        (10, 50): (0, False, True),
        (20, 40): (1, True, False),
        (30, 50): (1, False, False),
        (10, 40): (2, True, False),
        (10, 20): (3, False, False),
    }
    assert [pair.distance for pair in pairs] == [0, 1, 1, 2, 3]
    by_ids = {(pair.first, pair.second): pair.cosine for pair in pairs}
    assert by_ids[10, 20] == pytest.approx(1 / np.sqrt(1.01))
    assert by_ids[10, 50] == pytest.approx(0)


def test_groups_and_leaks() -> None:
    pairs = [NearDuplicate(a, b, 0, False, 1.0, False) for a, b in ((1, 2), (5, 9), (2, 7), (4, 5))]
    assert duplicate_groups(pairs) == [(1, 2, 7), (4, 5, 9)]
    ids = np.arange(1, 10)
    splits = np.array(["train", "test", "test", "test", "test", "test", "test", "test", "validation"])
    assert leaks(pairs, ids, splits) == [(pairs[0], "train", "test"), (pairs[1], "test", "validation")]


def test_the_rule_is_said_once_for_all_models_that_it_was_asked_of() -> None:
    rule = {"max_distance_of_64_bits": 11, "min_cosine": 0.75, "model": "seer"}
    said = near_duplicate_rules([rule, {**rule, "model": "judge"}, rule])
    assert said.count("A near copy is") == 1
    assert "at most 11 of 64 bits, and whose embedding by seer or judge has a cosine of 0.75 or more." in said
    assert near_duplicate_rules([rule, {**rule, "min_cosine": 0.8}]).count("A near copy is") == 2
    assert near_duplicate_rules([]) == ""
