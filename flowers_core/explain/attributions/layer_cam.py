"""LayerCAM: each position of each channel weighted by its own gradient, where that is positive.

Jiang et al. 2021, "LayerCAM: Exploring Hierarchical Class Activation Maps for Localization", IEEE Transactions on Image
Processing 30. Made for early layers, where one weight for a whole channel says too little.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from flowers_core.explain.attributions.gradient_cam import layer_map
from flowers_core.explain.attributions.gradients import Slopes

METHOD = "layer_cam"


def positive_gradients(slopes: Slopes) -> npt.NDArray[np.float64]:
    """Σ_c ReLU(∂score/∂A_c) · A_c at each position, (h, w).

    In logits, of what speaks for the target only: gradients against it are left out.
    """
    return (np.maximum(slopes.gradients, 0) * slopes.activations).sum(axis=-1, dtype=np.float64)


explain_layer_cam = layer_map(METHOD, "logit", positive_gradients)
