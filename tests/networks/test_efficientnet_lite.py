from flowers_core.networks.efficientnet_lite import lite_blocks

# (expansion, kernel, stride, channels) of every block, worked out by hand. Lite1 repeats its stages but the first and
# the last ⌈1.1 · (2, 2, 3, 3, 4)⌉ = 3, 3, 4, 4, 5 times. Lite2 does so as often, ⌈1.2 · …⌉; its channels are 1.1 · (16,
# 24, 40, 80, 112, 192, 320) = 17.6, 26.4, 44, 88, 123.2, 211.2, 352 to the nearest multiple of 8, halves up.
LITE1_BLOCKS = [
    (1, 3, 1, 16),
    *[(6, 3, 2, 24), (6, 3, 1, 24), (6, 3, 1, 24)],
    *[(6, 5, 2, 40), (6, 5, 1, 40), (6, 5, 1, 40)],
    *[(6, 3, 2, 80), (6, 3, 1, 80), (6, 3, 1, 80), (6, 3, 1, 80)],
    *[(6, 5, 1, 112), (6, 5, 1, 112), (6, 5, 1, 112), (6, 5, 1, 112)],
    *[(6, 5, 2, 192), (6, 5, 1, 192), (6, 5, 1, 192), (6, 5, 1, 192), (6, 5, 1, 192)],
    (6, 3, 1, 320),
]
LITE2_CHANNELS = {16: 16, 24: 24, 40: 48, 80: 88, 112: 120, 192: 208, 320: 352}


def test_the_blocks_of_lite1_and_lite2() -> None:
    assert lite_blocks(width=1.0, depth=1.1) == LITE1_BLOCKS
    assert lite_blocks(width=1.1, depth=1.2) == [(*block, LITE2_CHANNELS[c]) for *block, c in LITE1_BLOCKS]


def test_channels_are_not_rounded_down_by_more_than_a_tenth() -> None:
    """At 0.3 of the width, 40 and 80 channels are 12 and 24; 24 are 7.2, and 16 are 4.8, for which 8 is the least;
    112 are 33.6, and 32 is more than nine tenths of that."""
    channels = [c for *_, c in lite_blocks(width=0.3, depth=1.0)]
    assert channels == [8, 8, 8, 16, 16, 24, 24, 24, 32, 32, 32, 56, 56, 56, 56, 96]
