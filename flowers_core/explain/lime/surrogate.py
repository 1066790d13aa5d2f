"""The linear model that LIME fits: weighted ridge regression with honest intervals, and a test of its ranking."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

ALPHA = 1.0
#: Of the normal distribution, for 95 %.
_QUANTILE = 1.96
#: Superpixels whose effects are known to differ by less than this share of the strongest are as good as equal.
TIE = 0.2


@dataclass(frozen=True, eq=False)
class Surrogate:
    """A weighted linear model of the probability.

    Attributes:
        coefficients: (regions,) float64.
        covariance: (regions, regions) float64, of the coefficients' errors: by `weighted_ridge` over other draws of as
            many samples.
        intercept: with every region hidden, according to the model.
        r2: share of the weighted variance that the model accounts for, on the samples that it was fitted to (as `lime`
            gives it); 0 where the probability does not move.
        r2_left_out: the same with each sample predicted by the fit to all others. It is what r2 should have been: with
            few samples for each region r2 flatters, and this one falls, below 0 where the fit is worse than the mean.
    """

    coefficients: npt.NDArray[np.float64]
    covariance: npt.NDArray[np.float64]
    intercept: float
    r2: float
    r2_left_out: float

    @property
    def margins(self) -> npt.NDArray[np.float64]:
        """Half the width of each coefficient's 95 % interval, (regions,)."""
        return _QUANTILE * np.sqrt(np.diag(self.covariance))

    def settled(self, top: int) -> bool:
        """Whether more samples would hardly change which regions are the `top` strongest.

        The test of Zhou, Hooker and Wang 2021 ("S-LIME", KDD, arXiv 2106.07875), who ask at each step of the selection
        whether the best candidate leads the next significantly, here asked of every region inside the top against
        every one outside: its lead must be more than chance's (95 %), or known well enough to call the two equal
        (`TIE`). Where all regions are in the top, there is nothing to settle.
        """
        order = np.argsort(-self.coefficients)
        inside, outside = order[:top, None], order[None, top:]
        lead = self.coefficients[inside] - self.coefficients[outside]
        variance = np.diag(self.covariance)
        spread = variance[inside] + variance[outside] - 2 * self.covariance[inside, outside]
        margin = _QUANTILE * np.sqrt(np.maximum(spread, 0))
        tie = TIE * float(np.abs(self.coefficients).max())
        return bool(((lead > margin) | (lead + margin < tie)).all())


def weighted_ridge(
    masks: npt.NDArray,
    values: npt.NDArray[np.float64],
    weights: npt.NDArray[np.float64],
    alpha: float = ALPHA,
    groups: npt.NDArray[np.integer] | None = None,
) -> Surrogate:
    """Ridge regression with sample weights and an intercept that goes unpenalised.

    Minimises Σ_s weight_s (value_s − intercept − mask_s · coefficients)² + alpha ‖coefficients‖², scikit-learn's Ridge.

    Args:
        masks: (n, regions), the regressors.
        values: (n,), what to predict.
        weights: (n,), > 0.
        alpha: > 0.
        groups: (n,), 0…m−1; samples of one group were not drawn apart from each other. By default each stands alone.

    Returns:
        Surrogate. Its left-out r2 takes no second fit: the residual of a sample left out is its residual ÷ (1 −
        leverage). With the same residuals its covariance is the sandwich "HC3" (MacKinnon and White 1985), which
        does not take the model to be linear nor its errors to be equally large, for neither is so here.
    """
    regressors = np.column_stack([masks.astype(np.float64), np.ones(len(masks))])
    weighted = regressors * weights[:, None]
    penalty = np.diag([alpha] * masks.shape[1] + [0.0])
    inverse = np.linalg.inv(regressors.T @ weighted + penalty)
    solution = inverse @ (weighted.T @ values)
    residuals = values - regressors @ solution
    leverage = ((weighted @ inverse) * regressors).sum(axis=1)
    left_out = residuals / (1 - leverage)
    pulls = (weighted * left_out[:, None]) @ inverse
    if groups is not None:
        together = np.zeros((int(groups.max()) + 1, pulls.shape[1]))
        np.add.at(together, groups, pulls)
        pulls = together
    return Surrogate(
        coefficients=solution[:-1],
        covariance=(pulls.T @ pulls)[:-1, :-1],
        intercept=float(solution[-1]),
        r2=share_accounted_for(values, residuals, weights),
        r2_left_out=share_accounted_for(values, left_out, weights),
    )


def share_accounted_for(
    values: npt.NDArray[np.float64], residuals: npt.NDArray[np.float64], weights: npt.NDArray[np.float64] | None = None
) -> float:
    """R² by values and residuals, (n,), and their weights; 0 where the values do not move."""
    weights = np.ones(len(values)) if weights is None else weights
    spread = float(weights @ (values - np.average(values, weights=weights)) ** 2)
    # Below a millionth of a probability there is nothing but rounding to account for.
    return 1 - float(weights @ residuals**2) / spread if spread > 1e-12 * float(weights.sum()) else 0.0
