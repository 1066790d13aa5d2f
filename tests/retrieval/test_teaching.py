"""A head that learns a class from a few photos: by hand on embeddings of two values, and against SciPy's optimizer."""

import numpy as np
import pytest
from scipy.optimize import minimize

from flowers_core.retrieval.teaching import (
    LEAD,
    Cost,
    Examples,
    Head,
    TeachingError,
    cost,
    foretold_column,
    teach,
)

#: Class 0 lies along the first axis, class 1 along the second.
HEAD = Head(np.array([[2.0, 0.0], [0.0, 2.0]]), np.array([0.25, 0.75]))
KNOWN = Examples(np.array([[3.0, 0.2], [2.8, 0.0], [0.1, 3.0], [0.0, 3.2]]), np.array([0, 0, 1, 1]))
#: Between the two.
NEW = np.array([[3.0, 3.1], [3.2, 2.9], [2.9, 3.0]])


def test_logits_and_columns_by_hand() -> None:
    np.testing.assert_allclose(HEAD.logits([[1, 10]]), [[2.25, 20.75]])
    more = HEAD.with_column(2, np.array([1.0, 1.0]), -3.0)
    np.testing.assert_allclose(more.logits([[1, 10]]), [[2.25, 20.75, 8]])
    np.testing.assert_allclose(more.with_column(0, np.array([0.0, 0.0]), 7.0).logits([[1, 10]]), [[7, 20.75, 8]])
    assert HEAD.classes == 2


def test_a_column_is_foretold_from_the_means() -> None:
    """μ − μ̄ is (±½, ∓½), W − W̄ is (±1, ∓1): the slope is 2, and (1, 1) lies (½, ½) from the centre."""
    known = Examples(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, 1]))
    weights, bias = foretold_column(HEAD, known, np.array([[0.5, 1.5], [1.5, 0.5]]))
    np.testing.assert_allclose(weights, [2, 2])
    assert bias == 0.5


def test_a_new_class_is_learnt_and_the_others_stay() -> None:
    taught = teach(HEAD, KNOWN, NEW)
    assert taught.column == 2
    np.testing.assert_array_equal(taught.head.weights[:, :2], HEAD.weights)
    np.testing.assert_array_equal(taught.head.bias[:2], HEAD.bias)
    assert taught.head.logits(NEW).argmax(axis=1).tolist() == [2, 2, 2]
    assert taught.head.logits(KNOWN.embeddings).argmax(axis=1).tolist() == [0, 0, 1, 1]
    assert taught.leave_one_out == 1


def test_the_column_is_the_optimum_that_scipy_finds() -> None:
    """Softmax cross-entropy over all logits, written out, plus the penalty: nothing of the margins or the kernel."""
    taught = teach(HEAD, KNOWN, NEW)
    start, start_bias = foretold_column(HEAD, KNOWN, NEW)
    embeddings, columns = np.concatenate([NEW, KNOWN.embeddings]), np.array([2, 2, 2, *KNOWN.columns])
    scale = np.sqrt((embeddings**2).sum(axis=1).mean())

    def objective(values: np.ndarray) -> float:
        logits = HEAD.with_column(2, values[:2], values[2]).logits(embeddings)
        losses = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(7), columns]
        apart = ((scale * (values[:2] - start)) ** 2).sum() + (values[2] - start_bias) ** 2
        return float(losses.sum() + taught.regularization / 2 * apart)

    best = minimize(objective, [*start, start_bias], tol=1e-12)
    found = [*taught.head.weights[:, 2], taught.head.bias[2] + LEAD]  # by which the bias of a new class is less
    assert objective(np.array(found)) == pytest.approx(best.fun, abs=1e-5)
    np.testing.assert_allclose(found, best.x, atol=0.02)


def test_what_was_left_out_is_answered_by_a_head_that_had_not_seen_it() -> None:
    """A photo that lies with class 1 is named wrongly where it is left out."""
    odd = np.array([*NEW, [0.0, 3.1]])
    taught = teach(HEAD, KNOWN, odd)
    assert taught.held_out.shape == (4, 3)
    np.testing.assert_allclose(taught.held_out[:, :2], HEAD.logits(odd))
    assert taught.leave_one_out == 0.75


def test_a_correction_changes_one_column() -> None:
    photo = np.array([[1.6, 1.5]])  # looks like class 1 by the bias
    assert HEAD.logits(photo).argmax() == 1
    taught = teach(HEAD, KNOWN, photo, column=0)
    np.testing.assert_array_equal(taught.head.weights[:, 1], HEAD.weights[:, 1])
    assert taught.head.bias[1] == HEAD.bias[1]
    assert taught.head.classes == 2
    assert taught.head.logits(photo).argmax() == 0
    assert taught.head.logits(KNOWN.embeddings).argmax(axis=1).tolist() == [0, 0, 1, 1]
    np.testing.assert_allclose(taught.held_out[:, 1], HEAD.logits(photo)[:, 1])


def test_a_second_class_is_told_from_the_first() -> None:
    first = teach(HEAD, KNOWN, NEW)
    known = KNOWN.joined(Examples(NEW, np.array([2, 2, 2])))
    second = np.array([[-3.0, 0.1], [-3.1, -0.1]])
    taught = teach(first.head, known, second)
    assert taught.column == 3
    assert taught.head.logits(second).argmax(axis=1).tolist() == [3, 3]
    assert taught.head.logits(known.embeddings).argmax(axis=1).tolist() == known.columns.tolist()


def test_gained_and_lost_photos_by_hand() -> None:
    after = HEAD.with_column(2, np.array([3.0, 3.0]), -10.0)
    photos = Examples(np.array([[5.0, 0.0], [5.0, 4.0], [4.0, 4.0]]), np.array([0, 0, 2]))
    # Logits after: (10.25, 0.75, 5), (10.25, 8.75, 17), (8.25, 8.75, 14).
    assert cost(HEAD, after, photos) == Cost(gained=(2,), lost=(1,))


@pytest.mark.parametrize(
    ("photos", "message"),
    [
        (np.ones((1, 2)), "One photo is not enough"),
        (np.ones((0, 2)), "One photo is not enough"),
        (np.ones((3, 5)), "are not this model's, which have 2 values"),
        (np.full((3, 2), np.nan), "are not this model's"),
    ],
)
def test_what_nothing_can_be_learnt_from_is_refused(photos: np.ndarray, message: str) -> None:
    with pytest.raises(TeachingError, match=message):
        teach(HEAD, KNOWN, photos)


def test_a_class_needs_others_to_be_told_from() -> None:
    with pytest.raises(TeachingError, match="no stored photos of other classes"):
        teach(HEAD, Examples(np.ones((1, 2)), np.array([0])), NEW, column=0)
