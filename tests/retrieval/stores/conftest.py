import numpy as np
import pytest

from flowers_core.retrieval.stores.lance_store import LanceStore
from flowers_core.retrieval.stores.space import EmbeddingSpace
from tests.fixtures.store_entries import store_entries


@pytest.fixture
def three_axes(tmp_path) -> LanceStore:
    """Entries x, y and z, each along an axis of its own."""
    store = LanceStore.create(str(tmp_path / "gallery"), EmbeddingSpace("model", 3))
    store.add(store_entries(np.eye(3), ["x", "y", "z"]))
    return store
