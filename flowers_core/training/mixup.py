"""Mixup: the network learns from mixtures of two photos, and is to answer with both labels in the same proportion.

Zhang et al. 2018 (arXiv 1710.09412). The photos are mixed where they leave the frozen layers, as in manifold mixup
(Verma et al. 2019, arXiv 1806.05236), so that what these say of each view is still computed once.
"""

import numpy as np
from numpy.typing import NDArray


def mixed(
    features: NDArray[np.generic], targets: NDArray[np.float32], parameter: float, rng: np.random.Generator
) -> tuple[NDArray[np.generic], NDArray[np.float32]]:
    """Mix each photo of a batch with another one of it, all in one proportion.

    The photo itself has the larger share, drawn from Beta(parameter, parameter).

    Args:
        features: (n, …), the output of the frozen layers.
        targets: probabilities (n, classes).
        parameter: of the Beta distribution, at least 0; 0 leaves the batch as it is.
        rng: draws the proportion and the other photos.

    Returns:
        Features and targets of the same shapes and dtypes.
    """
    if not parameter:
        return features, targets
    drawn = rng.beta(parameter, parameter)
    share, other = max(drawn, 1 - drawn), rng.permutation(len(features))

    def mix(values: NDArray[np.generic]) -> NDArray[np.float32]:
        every = values.astype(np.float32)
        found: NDArray[np.float32] = share * every + (1 - share) * every[other]
        return found

    return mix(features).astype(features.dtype), mix(targets).astype(targets.dtype)
