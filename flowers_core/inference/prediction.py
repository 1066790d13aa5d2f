"""The logits of one photo → calibrated candidates, a verdict on how sure the answer is, and genus and family.

Fitting the calibration is in `calibration.py`: it needs SciPy, which the first answer should not wait for.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.data.taxonomy import Taxon
from flowers_core.inference.records.calibration import Calibration

Verdict = Literal["sure", "between", "unsure"]
Rank = Literal["genus", "family"]

# More names than this in one sentence help nobody choose.
BETWEEN_AT_MOST = 3


@dataclass(frozen=True)
class Candidate:
    """A class with the probability that it is the right one, in [0, 1]."""

    label: int
    probability: float


@dataclass(frozen=True)
class Group:
    """A genus or family: the probability that the flower belongs to it, and which of the labels do."""

    rank: Rank
    name: str
    probability: float
    labels: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the model says about one photo.

    probabilities: (classes,) float64, read-only, sums to 1; column j is label j + 1.
    candidates: every class, most probable first, equal probabilities by label.
    plausible: the conformal set, most probable first. Of photos like those the calibration was fitted on, a share of
        `conformal_coverage` has its true class in this set (Sadinle et al. 2019, arXiv 1609.00451). When no class
        qualifies, the most probable one stands alone, so the set is never empty.
    verdict: "sure", "between" or "unsure"; `predict` has the rule.
    families, genera: most probable first, equal probabilities by name. A class that is no single genus is in no genus,
        so the genera may sum to less than 1; the families always sum to 1.
    novel: whether the photo looks like none of the flowers; False where the bundle has no rule to tell it by.
    """

    probabilities: NDArray[np.float64]
    candidates: tuple[Candidate, ...]
    plausible: tuple[int, ...]
    verdict: Verdict
    families: tuple[Group, ...]
    genera: tuple[Group, ...]
    novel: bool = False

    @property
    def sure(self) -> bool:
        """Whether one class stands alone and is probable enough to be named without doubt."""
        return self.verdict == "sure"

    def top(self, k: int) -> tuple[Candidate, ...]:
        """The k most probable candidates, or all when there are fewer."""
        if k < 1:
            raise ValueError(f"Ask for at least one candidate, not {k}.")
        return self.candidates[:k]


def log_softmax(logits: ArrayLike, temperature: float = 1.0) -> NDArray[np.float64]:
    """Logarithm of `softmax`, exact where a probability itself would round to zero. Shape as given, float64."""
    if not (np.isfinite(temperature) and temperature > 0):
        raise ValueError(f"The temperature must be a positive number, not {temperature}.")
    raw = np.asarray(logits, dtype=np.float64)
    if not np.isfinite(raw).all():
        raise ValueError("The model's output holds values that are not finite numbers.")
    # NumPy rather than scipy.special, whose import takes longer than a photo takes to classify.
    scaled = (raw - raw.max(axis=-1, keepdims=True)) / temperature
    return scaled - np.log(np.exp(scaled).sum(axis=-1, keepdims=True))


def softmax(logits: ArrayLike, temperature: float = 1.0) -> NDArray[np.float64]:
    """exp(logits / temperature), normalised over the last axis. Shape as given, float64, rows sum to 1.

    Raises ValueError for a temperature that is not positive and for logits that are not finite.
    """
    return np.exp(log_softmax(logits, temperature))


def predict(logits: ArrayLike, calibration: Calibration, taxonomy: Iterable[Taxon]) -> Prediction:
    """Calibrated reading of one photo's logits, (classes,).

    A class is plausible when 1 − p ≤ `conformal_threshold`. The verdict holds that set to the bar `unsure_below`, the
    top probability from which on answers to validation photos, as they are and spoilt, were right 98 % of the time:

    - "sure": one class is plausible, and its probability reaches the bar;
    - "between": two or three are, and together they reach it;
    - "unsure": otherwise. That is, many classes are plausible, or none (not even the most probable one passes the
      conformal test), or the plausible ones leave too much probability to all others. The last two are what a picture
      that shows none of these flowers mostly gets; a softmax over flowers cannot say "no flower" outright.

    Raises ValueError when the logits are not one finite number for each label of the taxonomy.
    """
    taxa = taxa_of(logits, taxonomy)
    probabilities = softmax(logits, calibration.temperature)
    passing = int((1 - probabilities <= calibration.conformal_threshold).sum())
    together = float(np.sort(probabilities)[::-1][: max(passing, 1)].sum())
    verdict = verdict_of(passing, together, calibration.unsure_below)
    return ranked(probabilities, max(passing, 1), verdict, taxa)


def taxa_of(logits: ArrayLike, taxonomy: Iterable[Taxon]) -> list[Taxon]:
    """The taxa in the order of one photo's logits. Raises ValueError when these do not fit."""
    taxa = sorted(taxonomy, key=lambda taxon: taxon.label)
    shape = np.shape(logits)
    if shape != (len(taxa),) or [taxon.label for taxon in taxa] != list(range(1, len(taxa) + 1)):
        raise ValueError(f"Logits of shape {shape} do not fit a taxonomy of {len(taxa)} classes.")
    return taxa


def ranked(
    probabilities: NDArray[np.float64], in_set: int, verdict: Verdict, taxa: list[Taxon], *, novel: bool = False
) -> Prediction:
    """A prediction from the probabilities (classes,) of all taxa, of which so many, at least one, are in the set."""
    probabilities.flags.writeable = False
    order = np.argsort(-probabilities, kind="stable")
    return Prediction(
        probabilities=probabilities,
        candidates=tuple(Candidate(int(column) + 1, float(probabilities[column])) for column in order),
        plausible=tuple(int(column) + 1 for column in order[:in_set]),
        verdict=verdict,
        families=_roll_up("family", probabilities, taxa, lambda taxon: taxon.family),
        genera=_roll_up("genus", probabilities, taxa, lambda taxon: taxon.genus),
        novel=novel,
    )


def verdict_of(in_set: int, together: float, unsure_below: float) -> Verdict:
    """The verdict on a set of so many classes that have so much probability together."""
    if not 1 <= in_set <= BETWEEN_AT_MOST or together < unsure_below:
        return "unsure"
    return "sure" if in_set == 1 else "between"


def _roll_up(
    rank: Rank, probabilities: NDArray[Any], taxa: list[Taxon], name_of: Callable[[Taxon], str | None]
) -> tuple[Group, ...]:
    labels: dict[str, list[int]] = {}
    for taxon in taxa:
        name = name_of(taxon)
        if name is not None:
            labels.setdefault(name, []).append(taxon.label)
    groups = (
        Group(rank, name, float(probabilities[np.array(members) - 1].sum()), tuple(members))
        for name, members in labels.items()
    )
    return tuple(sorted(groups, key=lambda group: (-group.probability, group.name)))
