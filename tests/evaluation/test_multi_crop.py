"""Suggestions counted by hand; `tests/scripts/study` counts them photo by photo on a network's answers."""

import pytest

from flowers_core.evaluation.multi_crop import Case, count_cases


def test_cases_are_counted_as_by_hand() -> None:
    cases = [
        Case(sure=True, right=True, suggested=None),
        Case(sure=True, right=False, suggested=None),
        Case(sure=False, right=True, suggested=None),
        Case(sure=False, right=True, suggested=False),  # a suggestion that spoils a right answer
        Case(sure=False, right=False, suggested=True),
        Case(sure=False, right=False, suggested=True),
    ]
    found = count_cases(cases)
    assert found.top1 == pytest.approx(3 / 6)
    assert (found.abstained, found.suggested, found.suggested_correct, found.answered_correct) == (4, 3, 2, 1)
    # With every suggestion in the answer's place: the first, the third, and the last two are right.
    assert found.top1_applied == pytest.approx(4 / 6)
