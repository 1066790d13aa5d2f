"""One look and all looks counted by hand; `tests/scripts/study` counts them photo by photo on a network's answers."""

import pytest

from flowers_core.evaluation.multi_crop import Case, Outcome, count_cases

SURE_RIGHT, SURE_WRONG = Outcome(True, True, 0.95), Outcome(False, True, 0.95)
UNSURE_RIGHT, UNSURE_WRONG = Outcome(True, False, 0.5), Outcome(False, False, 0.5)


def test_cases_are_counted_as_by_hand() -> None:
    cases = [
        Case(SURE_RIGHT, SURE_RIGHT, decided=False),
        Case(SURE_WRONG, SURE_WRONG, decided=False),
        Case(UNSURE_RIGHT, UNSURE_RIGHT, decided=False),
        Case(UNSURE_RIGHT, UNSURE_WRONG, decided=True),  # crops that spoil a right answer
        Case(UNSURE_WRONG, SURE_RIGHT, decided=True),
        Case(UNSURE_WRONG, SURE_RIGHT, decided=True),
    ]
    found = count_cases(cases)
    assert (found.top1, found.top1_applied) == (pytest.approx(3 / 6), pytest.approx(4 / 6))
    assert (found.abstained, found.suggested, found.suggested_correct, found.answered_correct) == (4, 3, 2, 1)
    assert (found.sure_correct, found.sure_applied, found.sure_applied_correct) == (1, 4, 3)
    # From one look: two at 0.95, one right, and four at 0.5, two right. From all: four at 0.95, three right; two at
    # 0.5, one right.
    assert found.ece == pytest.approx(2 / 6 * 0.45)
    assert found.ece_applied == pytest.approx(4 / 6 * 0.2)
