"""What a manifest records of the gallery, and the rule that weighs its nearest neighbours."""

from dataclasses import dataclass


@dataclass(frozen=True)
class GalleryFacts:
    """Facts about a gallery.

    Attributes:
        photos: number of photos.
        precision: the numeric format that computed the embeddings.
        compression: how the embeddings are stored.
        bytes: size of the file.
        recall_at_10: fraction of the true 10 nearest photos that the compressed gallery finds, 0…1.
    """

    photos: int
    precision: str
    compression: str
    bytes: int
    recall_at_10: float


@dataclass(frozen=True)
class KnnRule:
    """How neighbours are weighted: each of the k nearest by exp(cosine / temperature), normalized.

    Attributes:
        k: number of neighbours, at least 1.
        temperature: divides the cosines, above 0.
        floor: in (0, 1), the probability that is spread over all classes, since none of the k may be of the true class.
        splits: the splits that the neighbours come from.
        top1: accuracy on the photos that the rule was chosen on.
        nll: mean negative log-likelihood on these photos, in nats.
        photos: number of these photos.
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
