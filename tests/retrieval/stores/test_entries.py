import numpy as np
import pyarrow as pa
import pytest

from flowers_core.retrieval.stores.entries import EntriesError, entries_of, entry_schema, last_of_each_key, vectors_of
from tests.fixtures.store_entries import store_entries


def test_vectors_go_into_a_table_and_come_back():
    vectors = np.eye(3, dtype=np.float32)[[0, 2]]
    table = store_entries(vectors, ["a", "b"])
    assert table.schema == entry_schema(3)
    assert np.array_equal(vectors_of(table), vectors)
    assert np.array_equal(vectors_of(pa.concat_tables([table, table])), np.concatenate([vectors, vectors]))
    assert np.array_equal(vectors_of(table.slice(1).to_batches()[0]), vectors[1:])


def test_of_a_key_the_last_counts():
    table = store_entries(np.eye(3, dtype=np.float32), ["a", "b", "a"], path=["old", "b", "new"])
    assert last_of_each_key(table).column("path").to_pylist() == ["b", "new"]


def test_entries_that_do_not_fit_are_refused():
    with pytest.raises(EntriesError, match="norm 1"):
        store_entries(2 * np.eye(2, dtype=np.float32), ["a", "b"])
    with pytest.raises(EntriesError, match="for each photo"):
        store_entries(np.eye(2, dtype=np.float32), ["a"])
    with pytest.raises(EntriesError, match="columns"):
        entries_of(np.eye(2, dtype=np.float32), key=["a", "b"])
