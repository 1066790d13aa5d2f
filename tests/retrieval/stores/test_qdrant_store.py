import numpy as np
import pytest
from qdrant_client import QdrantClient

from flowers_core.retrieval.stores.qdrant_store import QdrantStore
from flowers_core.retrieval.stores.space import EmbeddingSpace
from flowers_core.retrieval.stores.store import StoreError
from tests.fixtures.store_entries import store_entries

SPACE = EmbeddingSpace("model", 4, np.eye(4, 2, dtype=np.float32))


def test_a_gallery_outlives_its_client(tmp_path):
    client = QdrantClient(path=str(tmp_path))
    QdrantStore.create(client, "meadow", SPACE).add(store_entries(np.eye(2, dtype=np.float32), ["a", "b"]))
    client.close()
    store = QdrantStore.open(QdrantClient(path=str(tmp_path)), "meadow")
    assert store.count() == 2
    assert store.space.same_as(SPACE)


def test_two_galleries_and_two_models_keep_apart():
    client = QdrantClient(":memory:")
    QdrantStore.create(client, "meadow", SPACE).add(store_entries(np.eye(2, dtype=np.float32), ["a", "b"]))
    assert QdrantStore.create(client, "pond", SPACE).count() == 0
    with pytest.raises(StoreError, match="another model"):
        QdrantStore.create(client, "meadow", EmbeddingSpace("other", 4, SPACE.axes))


def test_a_gallery_that_is_not_there_is_told():
    with pytest.raises(StoreError, match="no gallery meadow"):
        QdrantStore.open(QdrantClient(":memory:"), "meadow")
