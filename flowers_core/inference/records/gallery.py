"""What a manifest records of the gallery, and the rule that weighs its nearest neighbours."""

from dataclasses import dataclass


@dataclass(frozen=True)
class GalleryFacts:
    """The gallery's size in photos and bytes, whose embeddings it holds, and its recall of their 10 nearest."""

    photos: int
    precision: str
    compression: str
    bytes: int
    recall_at_10: float


@dataclass(frozen=True)
class KnnRule:
    """How neighbours are weighted: each of the k nearest by exp(cosine / temperature), normalized.

    Attributes:
        k: how many neighbours are asked, at least 1.
        temperature: above 0.
        floor: in (0, 1), the probability that is spread over all classes, since the true class may be among none of
            the k.
        splits: whose photos are asked.
        top1: accuracy on the photos that the rule was chosen on.
        nll: mean negative log-likelihood there, in nats.
        photos: their number.
    """

    k: int
    temperature: float
    floor: float
    splits: tuple[str, ...]
    top1: float
    nll: float
    photos: int

    def __post_init__(self) -> None:
        if not (self.k >= 1 and self.temperature > 0 and 0 < self.floor < 1):
            raise ValueError("a k-NN rule has k of at least 1, a temperature above 0 and a floor between 0 and 1.")
