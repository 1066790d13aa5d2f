import math

import keras
import numpy as np
import pytest

from flowers_core.training.schedules import CyclicLearningRate, OneCycleLearningRate, cosine_with_warmup


def rates(schedule, steps):
    return [float(schedule(step)) for step in steps]


def test_triangular_goes_up_and_down_between_its_bounds():
    schedule = CyclicLearningRate(0.1, 0.5, 4)
    assert rates(schedule, range(10)) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.4, 0.3, 0.2, 0.1, 0.2])


def test_triangular2_halves_the_height_after_each_cycle():
    schedule = CyclicLearningRate(0.1, 0.5, 2, "triangular2")
    # Cycles of 4 steps: peaks of height 0.4, 0.2, 0.1 above 0.1 at steps 2, 6, 10; valleys at 0, 4, 8.
    assert rates(schedule, (0, 1, 2, 4, 6, 8, 10)) == pytest.approx([0.1, 0.3, 0.5, 0.1, 0.3, 0.1, 0.2])


def test_exp_range_scales_the_height_by_gamma_to_the_step():
    schedule = CyclicLearningRate(1.0, 3.0, 2, "exp_range", gamma=0.5)
    # Heights 0, 1, 2, 1, 0, 1, 2 times 0.5 ** step.
    assert rates(schedule, range(7)) == pytest.approx([1.0, 1.5, 1.5, 1.125, 1.0, 1 + 1 / 32, 1 + 2 / 64])


def test_one_cycle_starts_low_peaks_and_ends_lower():
    schedule = OneCycleLearningRate(1.0, 100, rise=0.2, start_divisor=10.0, end_divisor=100.0)
    # Half-way along each cosine lies the mean of its ends.
    expected = [0.1, 0.55, 1.0, (1 + 0.01) / 2, 0.01, 0.01]
    assert rates(schedule, (0, 10, 20, 60, 100, 150)) == pytest.approx(expected, rel=1e-5)


def test_cosine_after_a_linear_warm_up():
    schedule = cosine_with_warmup(2.0, 110, warmup_steps=10, lower=0.5)
    quarter = 0.5 + 1.5 * 0.5 * (1 + math.cos(math.pi / 4))
    assert rates(schedule, (0, 5, 10, 35, 60, 110, 500)) == pytest.approx([0, 1.0, 2.0, quarter, 1.25, 0.5, 0.5])


def test_cosine_without_a_warm_up_starts_at_the_top():
    assert float(cosine_with_warmup(0.3, 10)(0)) == pytest.approx(0.3)


@pytest.mark.parametrize(
    "schedule",
    [
        CyclicLearningRate(1e-4, 1e-2, 7, "exp_range", gamma=0.99),
        CyclicLearningRate(1e-4, 1e-2, 7, "triangular2"),
        OneCycleLearningRate(0.02, 50),
        cosine_with_warmup(0.01, 40, 4, 1e-5),
    ],
)
def test_a_schedule_survives_saving_inside_its_optimizer(schedule, tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(schedule), "mse")
    model.save(tmp_path / "model.keras")
    restored = keras.saving.load_model(tmp_path / "model.keras").optimizer._learning_rate
    assert type(restored) is type(schedule)
    assert rates(restored, range(60)) == rates(schedule, range(60))


def test_keras_applies_the_rate_of_each_step():
    schedule = CyclicLearningRate(1.0, 3.0, 2)
    weight = keras.Variable(np.zeros(1, np.float32))
    optimizer = keras.optimizers.SGD(schedule)
    seen = []
    for _ in range(5):
        before = float(weight.numpy()[0])
        optimizer.apply([np.ones(1, np.float32)], [weight])
        seen.append(before - float(weight.numpy()[0]))
    assert seen == pytest.approx([1.0, 2.0, 3.0, 2.0, 1.0])


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: CyclicLearningRate(0.2, 0.1, 4), "lower"),
        (lambda: CyclicLearningRate(0.1, 0.2, 0), "cycle"),
        (lambda: CyclicLearningRate(0.1, 0.2, 4, "square"), "triangular2"),
        (lambda: CyclicLearningRate(0.1, 0.2, 4, "exp_range", gamma=1.5), "gamma"),
        (lambda: OneCycleLearningRate(0.1, 1), "steps"),
        (lambda: cosine_with_warmup(0.1, 10, 10), "warm-up"),
    ],
)
def test_settings_that_make_no_sense_are_refused_with_a_sentence(make, word):
    with pytest.raises(ValueError, match=word):
        make()
