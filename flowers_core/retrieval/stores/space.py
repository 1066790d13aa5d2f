"""What the vectors of a large gallery are coordinates in: a model's embeddings, projected on their main directions."""

from __future__ import annotations

import io
from dataclasses import dataclass
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from flowers_core.errors import FlowersError
from flowers_core.retrieval.gallery import Gallery, unit_rows

#: Of 1280. Of a photo's ten nearest among the data set's 8189 by all 1280 values, about eight stay the nearest, and as
#: many as before show its flower (0.95); a vector is a tenth as large. `flowers benchmarks gallery` measures both.
DIMENSION = 128


class SpaceError(FlowersError):
    """Embeddings that do not fit a gallery's space, or a description of one that cannot be read."""


@dataclass(frozen=True, eq=False)
class EmbeddingSpace:
    """An orthogonal projection of a model's embeddings, after which they have norm 1.

    The mean is not taken away: cosines of embeddings stay near cosines of embeddings.

    Attributes:
        model: SHA-256 of the model that embeds.
        axes: (c, d) float32 with orthonormal columns; None where embeddings stay as they are.
        size: c.
    """

    model: str
    size: int
    axes: NDArray[np.float32] | None = None

    @classmethod
    def of(cls, gallery: Gallery, model: str, dimension: int = DIMENSION) -> EmbeddingSpace:
        """The directions along which the photos of a gallery differ most.

        Args:
            gallery: a bundle's.
            model: SHA-256 of the model that made its embeddings.
            dimension: d, at most as many as an embedding has values.
        """
        vectors = gallery.vectors()
        _, axes = np.linalg.eigh(vectors.T @ vectors)
        axes = axes[:, ::-1][:, :dimension]
        # An eigenvector's sign is arbitrary. It must not be, or two machines would make two spaces of one bundle.
        signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
        return cls(model, gallery.dimension, np.ascontiguousarray(axes * signs, dtype=np.float32))

    @property
    def dimension(self) -> int:
        """Values in a vector, d."""
        return self.size if self.axes is None else self.axes.shape[1]

    def same_as(self, other: EmbeddingSpace) -> bool:
        """Whether vectors of the two may be compared.

        Args:
            other: another space.
        """
        if (self.model, self.size, self.dimension) != (other.model, other.size, other.dimension):
            return False
        # Two machines' linear algebra differs in the last digits.
        return self.axes is None or other.axes is None or bool(np.allclose(self.axes, other.axes, atol=1e-3))

    def project(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Vectors of embeddings.

        Args:
            embeddings: (n, c), of any length but zero.

        Returns:
            (n, d) float32 of norm 1.

        Raises:
            SpaceError: embeddings of another size.
            GalleryError: one is zero or not finite.
        """
        values = np.asarray(embeddings, dtype=np.float32)
        if values.ndim != 2 or values.shape[1] != self.size:
            raise SpaceError(
                f"This gallery takes embeddings of {self.size} values, not of shape {values.shape}: "
                "it was made with another model."
            )
        return unit_rows(values if self.axes is None else values @ self.axes)

    def to_bytes(self) -> bytes:
        """What `from_bytes` reads."""
        axes = np.empty((self.size, 0), np.float32) if self.axes is None else self.axes
        file = io.BytesIO()
        np.savez(file, model=np.array(self.model), axes=axes)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> EmbeddingSpace:
        """The space that `to_bytes` wrote.

        Args:
            content: those bytes.

        Raises:
            SpaceError: they are others.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                model, axes = str(arrays["model"]), arrays["axes"].astype(np.float32)
        except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
            raise SpaceError("What the gallery's vectors mean cannot be read. Make the gallery anew.") from error
        return cls(model, len(axes), axes if axes.shape[1] else None)
