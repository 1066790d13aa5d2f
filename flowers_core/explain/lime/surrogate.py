"""The linear surrogate that LIME fits, with intervals of its coefficients and a test whether the ranking converged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

#: The normal distribution's quantile for 95 % intervals.
_QUANTILE = 1.96
#: Superpixels whose effects are known to differ by less than this fraction of the strongest count as equal.
TIE = 0.2


@dataclass(frozen=True, eq=False)
class Surrogate:
    """A linear model of the log-odds.

    Attributes:
        coefficients: (superpixels,) float64, the effect of showing each.
        covariance: (superpixels, superpixels) float64, of the coefficients' errors.
        intercept: the log-odds with every superpixel hidden, by this model.
        r2: fraction of the variance that the model explains, on the samples that it was fitted to; 0 if the log-odds
            are constant.
        r2_left_out: the same with each sample predicted by the fit to all others. With few samples a superpixel r2 is
            too high, and this one is low: below 0 if the fit is worse than the mean.
    """

    coefficients: npt.NDArray[np.float64]
    covariance: npt.NDArray[np.float64]
    intercept: float
    r2: float
    r2_left_out: float

    @property
    def margins(self) -> npt.NDArray[np.float64]:
        """Half the width of each coefficient's 95 % interval, (superpixels,)."""
        return _QUANTILE * np.sqrt(np.diag(self.covariance))

    def converged(self, top: int) -> bool:
        """Whether more samples would hardly change which superpixels are the `top` strongest.

        Zhou, Hooker and Wang 2021 ("S-LIME", KDD, arXiv 2106.07875) test, at each step of their selection, whether the
        best candidate leads the next significantly. Here the test compares each superpixel in the top with each one
        outside. Its lead must be significant (95 %), or known well enough to call the two equal (`TIE`). With all
        superpixels in the top the ranking has converged.
        """
        order = np.argsort(-self.coefficients)
        inside, outside = order[:top, None], order[None, top:]
        lead = self.coefficients[inside] - self.coefficients[outside]
        variance = np.diag(self.covariance)
        spread = variance[inside] + variance[outside] - 2 * self.covariance[inside, outside]
        margin = _QUANTILE * np.sqrt(np.maximum(spread, 0))
        tie = TIE * float(np.abs(self.coefficients).max())
        return bool(((lead > margin) | (lead + margin < tie)).all())


def ridge(
    masks: npt.NDArray[np.bool_],
    values: npt.NDArray[np.float64],
    alpha: float,
    groups: npt.NDArray[np.integer] | None = None,
) -> Surrogate:
    """Ridge regression with an unpenalized intercept, as scikit-learn's Ridge.

    Minimizes Σ_s (value_s − intercept − mask_s · coefficients)² + alpha ‖coefficients‖².

    Args:
        masks: (n, superpixels), the regressors.
        values: (n,), what to predict.
        alpha: > 0.
        groups: (n,), 0…m−1; samples of one group were not drawn independently. By default each sample is a group.

    Returns:
        Surrogate. Its left-out r2 needs no second fit: the residual of a left-out sample is its residual ÷ (1 −
        leverage). Its covariance comes from the same residuals. It is the sandwich estimator HC3 (MacKinnon and White
        1985), which assumes neither a linear model nor errors of equal size; neither holds here.
    """
    regressors = np.column_stack([masks.astype(np.float64), np.ones(len(masks))])
    penalty = np.diag([alpha] * masks.shape[1] + [0.0])
    inverse = np.linalg.inv(regressors.T @ regressors + penalty)
    solution = inverse @ (regressors.T @ values)
    residuals = values - regressors @ solution
    leverage = ((regressors @ inverse) * regressors).sum(axis=1)
    left_out = residuals / (1 - leverage)
    influence = (regressors * left_out[:, None]) @ inverse
    if groups is not None:
        together = np.zeros((int(groups.max()) + 1, influence.shape[1]))
        np.add.at(together, groups, influence)
        influence = together
    return Surrogate(
        coefficients=solution[:-1],
        covariance=(influence.T @ influence)[:-1, :-1],
        intercept=float(solution[-1]),
        r2=r_squared(values, residuals),
        r2_left_out=r_squared(values, left_out),
    )


def r_squared(values: npt.NDArray[np.float64], residuals: npt.NDArray[np.float64]) -> float:
    """The coefficient of determination, R².

    Args:
        values: (n,), what was to be predicted.
        residuals: (n,), the values minus the predictions.

    Returns:
        At most 1; 0 if the values are constant.
    """
    spread = float(((values - values.mean()) ** 2).sum())
    # A variance below 10⁻¹² is rounding.
    return 1 - float((residuals**2).sum()) / spread if spread > 1e-12 * len(values) else 0.0
