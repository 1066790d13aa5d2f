"""The logits of one photo → calibrated candidates, a verdict on how sure the answer is, and genus and family.

Fitting the calibration is in `calibration.py`: it needs SciPy, which the first answer should not wait for.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.data.taxonomy import Taxon
from flowers_core.inference.records.calibration import Calibration

Verdict = Literal["sure", "between", "unsure"]
Rank = Literal["genus", "family"]
#: Four times out of five an answer of this probability is right.
PROBABLE_FROM = 0.8

# More names than this in one sentence help nobody choose.
BETWEEN_AT_MOST = 3


@dataclass(frozen=True)
class Candidate:
    """A class that may be the right one.

    Attributes:
        label: the class, 1-based.
        probability: that it is the right one, in [0, 1].
    """

    label: int
    probability: float


@dataclass(frozen=True)
class Group:
    """A genus or family that the flower may belong to.

    Attributes:
        rank: "genus" or "family".
        name: its Latin name.
        probability: sum of the probabilities of its classes, in [0, 1].
        labels: its classes, 1-based, ascending.
    """

    rank: Rank
    name: str
    probability: float
    labels: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Prediction:
    """The model's prediction for one photo.

    Attributes:
        probabilities: (classes,) float64, read-only, sums to 1; column j is label j + 1.
        candidates: every class, most probable first, equal probabilities by label.
        plausible: labels of the conformal set, most probable first. It holds the true class for a fraction
            `conformal_coverage` of photos like those the calibration was fitted to (Sadinle et al. 2019, arXiv
            1609.00451). If no class qualifies, the set is the most probable class, so it is never empty.
        verdict: "sure", "between" or "unsure"; `predict` has the rule.
        taxa: the classes in order of label.
        novel: whether the photo looks like none of the flowers; False if the bundle has no rule for it.
        strange: whether the whole photo looks like none of them, though a part of it was named.
    """

    probabilities: NDArray[np.float64]
    candidates: tuple[Candidate, ...]
    plausible: tuple[int, ...]
    verdict: Verdict
    taxa: tuple[Taxon, ...]
    novel: bool = False
    strange: bool = False

    # Only a page in doubt asks for these, and to add them up takes longer than all else that follows a forward pass.
    @cached_property
    def families(self) -> tuple[Group, ...]:
        """Most probable first, equal probabilities by name; they sum to less than 1 where a class's is not known."""
        return _roll_up("family", self.probabilities, self.taxa, lambda taxon: taxon.known_family)

    @cached_property
    def genera(self) -> tuple[Group, ...]:
        """As `families`. A class of several genera is in no genus, so the genera may sum to less than 1."""
        return _roll_up("genus", self.probabilities, self.taxa, lambda taxon: taxon.genus)

    @property
    def sure(self) -> bool:
        """Whether one class stands alone and is probable enough to be named without doubt."""
        return self.verdict == "sure"

    @property
    def probable(self) -> bool:
        """Whether the answer is not sure, and yet so probable that it is more than a guess."""
        doubtful = self.verdict == "unsure" and not (self.novel or self.strange)
        return doubtful and self.candidates[0].probability >= PROBABLE_FROM

    @property
    def verdict_word(self) -> str:
        """The verdict as tables have it: "sure", "likely" for an answer that is `probable`, "between" or "unsure"."""
        return "likely" if self.probable else self.verdict

    def top(self, k: int) -> tuple[Candidate, ...]:
        """The k most probable candidates, k ≥ 1, or all if there are fewer. Raises ValueError for a smaller k."""
        if k < 1:
            raise ValueError(f"Ask for at least one candidate, not {k}.")
        return self.candidates[:k]


def log_softmax(logits: ArrayLike, temperature: float = 1.0) -> NDArray[np.float64]:
    """Logarithm of `softmax`, exact also where a probability would round to zero.

    Args:
        logits: of any shape, over the classes in the last axis.
        temperature: divides the logits, above 0.

    Returns:
        float64 in the shape of the logits.

    Raises:
        ValueError: the temperature is not a positive number, or a logit is not finite.
    """
    if not (np.isfinite(temperature) and temperature > 0):
        raise ValueError(f"The temperature must be a positive number, not {temperature}.")
    raw = np.asarray(logits, dtype=np.float64)
    if not np.isfinite(raw).all():
        raise ValueError("The model's output holds values that are not finite numbers.")
    # NumPy rather than scipy.special, whose import takes longer than a photo takes to classify.
    scaled = (raw - raw.max(axis=-1, keepdims=True)) / temperature
    return scaled - np.log(np.exp(scaled).sum(axis=-1, keepdims=True))


def softmax(logits: ArrayLike, temperature: float = 1.0) -> NDArray[np.float64]:
    """exp(logits / temperature), normalized over the last axis.

    Args:
        logits: of any shape, over the classes in the last axis.
        temperature: divides the logits, above 0.

    Returns:
        float64 in the shape of the logits; rows sum to 1.

    Raises:
        ValueError: the temperature is not a positive number, or a logit is not finite.
    """
    return np.exp(log_softmax(logits, temperature))


def predict(logits: ArrayLike, calibration: Calibration, taxonomy: Iterable[Taxon]) -> Prediction:
    """The calibrated prediction for one photo.

    A class is in the conformal set if 1 − p ≤ `conformal_threshold`. The verdict compares this set with `unsure_below`,
    the lowest top probability at which validation accuracy, clean and corrupted, is at least 98 %:

    - "sure": the set is one class, and its probability reaches `unsure_below`;
    - "between": the set is two or three classes, which together reach `unsure_below`;
    - "unsure": otherwise. Then the set has many classes or none, or leaves too much probability to all other classes.
      A picture that shows none of these flowers mostly gets an empty set or a set with too little probability; a
      softmax over flowers cannot say "no flower" outright.

    Args:
        logits: (classes,).
        calibration: temperature and thresholds.
        taxonomy: the classes, one for each logit.

    Raises:
        ValueError: the logits are not one finite number for each label of the taxonomy.
    """
    taxa = taxa_of(logits, taxonomy)
    probabilities = softmax(logits, calibration.temperature)
    passing = int((1 - probabilities <= calibration.conformal_threshold).sum())
    together = float(np.sort(probabilities)[::-1][: max(passing, 1)].sum())
    verdict = verdict_of(passing, together, calibration.unsure_below)
    return ranked(probabilities, max(passing, 1), verdict, taxa)


def taxa_of(logits: ArrayLike, taxonomy: Iterable[Taxon]) -> list[Taxon]:
    """The taxa in the order of one photo's logits.

    Args:
        logits: (classes,).
        taxonomy: the classes in any order.

    Raises:
        ValueError: there is not one logit for each label 1…classes.
    """
    taxa = sorted(taxonomy, key=lambda taxon: taxon.label)
    shape = np.shape(logits)
    if shape != (len(taxa),) or [taxon.label for taxon in taxa] != list(range(1, len(taxa) + 1)):
        raise ValueError(f"Logits of shape {shape} do not fit a taxonomy of {len(taxa)} classes.")
    return taxa


def ranked(
    probabilities: NDArray[np.float64], in_set: int, verdict: Verdict, taxa: list[Taxon], *, novel: bool = False
) -> Prediction:
    """Build a prediction from probabilities.

    Args:
        probabilities: (classes,) float64, sums to 1; made read-only.
        in_set: number of classes in the prediction set, at least 1.
        verdict: the verdict.
        taxa: the classes in order of label.
        novel: whether the photo looks like none of the flowers.
    """
    probabilities.flags.writeable = False
    order = np.argsort(-probabilities, kind="stable")
    candidates = tuple(map(Candidate, (order + 1).tolist(), probabilities[order].tolist()))
    plausible = tuple(candidate.label for candidate in candidates[:in_set])
    return Prediction(probabilities, candidates, plausible, verdict, tuple(taxa), novel)


def verdict_of(in_set: int, together: float, unsure_below: float) -> Verdict:
    """The verdict on a prediction set.

    Args:
        in_set: number of classes in the set.
        together: sum of their probabilities, in [0, 1].
        unsure_below: the least sum for a verdict other than "unsure", in [0, 1].
    """
    if not 1 <= in_set <= BETWEEN_AT_MOST or together < unsure_below:
        return "unsure"
    return "sure" if in_set == 1 else "between"


def _roll_up(
    rank: Rank, probabilities: NDArray[Any], taxa: Iterable[Taxon], name_of: Callable[[Taxon], str | None]
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
