"""A photo that a model finds similar to another."""

from dataclasses import dataclass

from flowers_core.data.photo_ref import PhotoRef, Source


@dataclass(frozen=True)
class Neighbour:
    """A photo near to the one asked about.

    Attributes:
        photo_id: its number within its source.
        label: its class, 1…102.
        split: "train", "validation" or "test"; `user_photos.USER_SPLIT` for a user's photo.
        similarity: the cosine of the two embeddings, in [-1, 1].
        source: where the photo comes from.
        collection: the model whose gallery a user's photo is in, else empty.
    """

    photo_id: int
    label: int
    split: str
    similarity: float
    source: Source = "oxford"
    collection: str = ""

    @property
    def photo(self) -> PhotoRef:
        """The reference to the photo."""
        return PhotoRef(self.source, self.photo_id, self.collection)
