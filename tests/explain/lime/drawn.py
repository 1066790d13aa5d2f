"""Drawn photos and models for the tests of LIME."""

import numpy as np

SIZE = 32
#: Sixteen squares of 8 × 8, numbered row by row.
SQUARES = np.kron(np.arange(16).reshape(4, 4), np.ones((8, 8), int)).astype(np.int32)
#: 190 and 210 in turn: hidden, a square becomes 200, which no pixel of it was.
CHEQUERED = np.repeat((190 + 20 * (np.indices((SIZE, SIZE)).sum(axis=0) % 2))[..., None], 3, axis=2).astype(np.uint8)


def photo(seed: int = 0) -> np.ndarray:
    """Patches of 4 × 4 pixels and a little noise, so that superpixels find something."""
    random = np.random.default_rng(seed)
    patches = np.kron(random.integers(0, 216, size=(8, 8, 3)), np.ones((4, 4, 1), int))
    return (patches + random.integers(0, 40, size=(SIZE, SIZE, 3))).astype(np.uint8)


def shown(batch: np.ndarray) -> np.ndarray:
    """Which squares of the chequered photo are shown, (n, 16) bool."""
    return (batch[..., 0] != 200).reshape(len(batch), 4, 8, 4, 8).all(axis=(2, 4)).reshape(len(batch), 16)


def smooth_logits(batch: np.ndarray) -> np.ndarray:
    """A model that uses the whole picture, five classes, not linear in anything."""
    assert batch.dtype == np.uint8
    small = batch.reshape(len(batch), 8, 4, 8, 4, 3).mean(axis=(2, 4)).reshape(len(batch), -1) / 255
    weights = np.random.default_rng(9).normal(size=(small.shape[1], 5))
    return (np.tanh((small - 0.5) @ weights / 3) * 3).astype(np.float32)


def two_classes(log_odds: np.ndarray) -> np.ndarray:
    """Logits (n, 2) whose second class has these log-odds (n,)."""
    return np.column_stack([np.zeros(len(log_odds)), log_odds])
