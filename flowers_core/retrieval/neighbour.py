"""A photo that a model finds similar to another."""

from dataclasses import dataclass

from flowers_core.data.photo_ref import PhotoRef


@dataclass(frozen=True)
class Neighbour:
    """A photo near the query.

    Attributes:
        photo: which photo it is.
        label: its class, 1…k; `user_photos.UNLABELLED` if a user did not give one.
        split: "train", "validation" or "test"; `user_photos.USER_SPLIT` for a user's photo.
        similarity: the cosine of the two embeddings, in [-1, 1].
    """

    photo: PhotoRef
    label: int
    split: str
    similarity: float

    @property
    def photo_id(self) -> int:
        """The photo's id within its source."""
        return self.photo.id
