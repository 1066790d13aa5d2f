"""What is recorded of how well networks tell flowers that were left out of their training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flowers_core.inference.records.confidence import DetectionFigures


@dataclass(frozen=True)
class NearDraw:
    """One draw of classes that a network never learnt.

    Attributes:
        seed: draws the classes; their labels, 1-based and ascending, are `left_out`.
        top1: accuracy on test photos of the other classes, 0…1.
        known, others: test photos of the classes that were learnt, and of those that were left out.
        scores: by the score's name.
        validation: likewise, (AUROC, FPR) on validation photos, by which scores are chosen; none in older records.
    """

    seed: int
    left_out: tuple[int, ...]
    top1: float
    known: int
    others: int
    scores: Mapping[str, DetectionFigures]
    validation: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class NearNoveltyRecord:
    """All draws of one protocol.

    Attributes:
        protocol: "frozen" for a head on the embeddings of ImageNet's weights, "trained" for whole trainings.
        network: the backbone, or the command that trained the first draw's network.
        draws: one for each seed.
        other_branches: the commands that trained further branches of the first draw's network.
    """

    protocol: str
    network: str
    draws: tuple[NearDraw, ...]
    other_branches: tuple[str, ...] = ()

    @property
    def chosen(self) -> str | None:
        """The score with the best mean AUROC on validation photos; None in records from before they were looked at."""
        if not all(draw.validation for draw in self.draws):
            return None
        means = {name: sum(draw.validation[name][0] for draw in self.draws) for name in self.draws[0].validation}
        return max(means, key=lambda name: means[name])
