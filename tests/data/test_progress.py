"""A `Track` changes nothing about what passes through it."""

from flowers_core.data.progress import untracked


def test_untracked_steps_are_the_steps_themselves() -> None:
    seen = []
    for step in untracked((seen.append(n) or n for n in range(3)), "numbers", 3):
        assert seen == list(range(step + 1))  # one at a time: nothing is drawn ahead
    assert seen == [0, 1, 2]
