"""Shards: how photos are cut into them, and what their files say of photos that need not be read again."""

from pathlib import Path

import pytest

from flowers_core.indexing.shards import Embedded, LeftOutPhoto, Shard, ShardError, read_shard, shards_of, write_shard
from flowers_core.indexing.sources import Source
from tests.fixtures.store_entries import store_entries

A, B, C, D = (Source(f"/photos/{name}.jpg", 1.5) for name in "abcd")
TAR = Source("/photos/t.tar", 2.0)


def write(folder: Path, shard: Shard, sources: list[Source], keys: list[str], left_out=()):
    entries = store_entries(
        [[1.0, 0.0]] * len(keys),
        [key * 64 for key in keys],
        path=[source.uri for source in sources],
        modified=[source.modified for source in sources],
    )
    return write_shard(folder, shard, entries, left_out)


def test_photos_are_cut_by_number_and_a_tar_stands_alone() -> None:
    cut = list(shards_of([A, B, TAR, C, D], 3))
    assert [shard.sources for shard in cut] == [(TAR,), (A, B, C), (D,)]
    assert [shard.tar for shard in cut] == [TAR, None, None]


def test_a_name_stands_for_these_photos_as_they_are() -> None:
    names = [Shard((A, B)), Shard((A,)), Shard((B, A)), Shard((A, Source(B.uri, 9.0)))]
    assert len({shard.name for shard in names}) == 4
    assert Shard((A, B)).name == Shard((A, Source("/photos/b.jpg", 1.5))).name
    assert Shard((Source("/photos/caf\udce9.jpg"),)).name  # bytes that are no UTF-8


def test_a_file_holds_the_entries_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    done = write(tmp_path, Shard((A, B)), [A], ["a"], [LeftOutPhoto(B.uri, "It is broken.")])
    assert (done.photos, done.left_out) == (1, (LeftOutPhoto(B.uri, "It is broken."),))
    assert list(tmp_path.iterdir()) == [done.path]
    assert read_shard(done.path).column("path").to_pylist() == [A.uri]


def test_what_is_embedded_need_not_be_read_again(tmp_path: Path) -> None:
    write(tmp_path, Shard((A, B)), [A], ["a"], [LeftOutPhoto(B.uri, "It is broken.")])
    write(tmp_path, Shard((TAR,)), [C, D], ["a", "d"])
    (tmp_path / ".x.1.partial.parquet").write_bytes(b"half")  # of a process that was killed
    embedded = Embedded(tmp_path)
    assert [source in embedded for source in (A, B, C, TAR)] == [True, False, False, True]
    assert Source(A.uri, 3.0) not in embedded  # changed since
    assert (embedded.photos, embedded.distinct) == (3, 2)


def test_a_tar_that_broke_off_is_read_again(tmp_path: Path) -> None:
    write(tmp_path, Shard((TAR,)), [C], ["c"], [LeftOutPhoto(TAR.uri, "It could not be read to its end.")])
    assert TAR not in Embedded(tmp_path)


def test_no_shards(tmp_path: Path) -> None:
    embedded = Embedded(tmp_path)
    assert A not in embedded
    assert (embedded.photos, embedded.distinct) == (0, 0)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, Shard((A,)), [A], ["a"]).path
    path.write_bytes(path.read_bytes()[:-20])
    for read in (lambda: read_shard(path), lambda: Embedded(tmp_path)):
        with pytest.raises(ShardError, match=f"{path.name} is damaged: delete it"):
            read()
