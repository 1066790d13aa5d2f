"""A shard embedded by a real bundle: its entries are what the bundle says of each photo, asked one by one."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from flowers_core.data.audit.image_statistics import grey, perceptual_hash
from flowers_core.data.model_input import model_input
from flowers_core.data.photos import open_photo
from flowers_core.indexing.embed import embed_shard, index_shards
from flowers_core.indexing.shards import Shard, read_shard
from flowers_core.indexing.sources import find_sources
from flowers_core.indexing.workers import local_workers
from flowers_core.inference.answerer import open_answerer
from flowers_core.inference.bundle import load_bundle
from flowers_core.inference.runtime import open_runtime
from flowers_core.retrieval.stores.space import EmbeddingSpace, SpaceError
from flowers_core.storage.files import write_bytes
from flowers_core.storage.paths import default_models_dir
from tests.fixtures.drawn_flowers import draw_flower

SMALL = default_models_dir() / "efficientnet_lite0_small"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        draw_flower(number, np.random.default_rng(number)).save(folder / f"{number}.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    return folder


def test_entries_are_what_the_bundle_says_of_each_photo(photos: Path, tmp_path: Path) -> None:
    bundle = load_bundle(SMALL)
    rng = np.random.default_rng(0)
    size = len(bundle.head()[0])
    axes = np.linalg.qr(rng.normal(size=(size, 16)))[0].astype(np.float32)
    space = EmbeddingSpace(bundle.digest("int8.tflite"), size, axes)
    write_bytes(tmp_path / "shards" / "space.npz", space.to_bytes())
    shard = Shard(tuple(find_sources([str(photos)])))
    done = embed_shard(shard, bundle=SMALL, folder=tmp_path / "shards")
    assert [(Path(photo.uri).name, photo.sentence[:22]) for photo in done.left_out] == [
        ("broken.jpg", "This JPEG photo is dam")
    ]
    rows = read_shard(done.path).to_pylist()
    assert [Path(row["path"]).name for row in rows] == ["0.png", "1.png", "2.png"]
    answerer = open_answerer(bundle, open_runtime(bundle, "int8", workers=1))
    for row in rows:
        path = Path(row["path"])
        photo = open_photo(path)
        forward = answerer.runtime.forward(model_input(photo.pixels, bundle.crop_rule).pixels[None])
        best = answerer.first_look(forward).candidates[0]
        projected = forward.embedding[0].astype(np.float64) @ axes
        np.testing.assert_allclose(row["vector"], projected / np.linalg.norm(projected), atol=1e-6)
        assert row["key"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert (row["width"], row["height"]) == photo.original_size
        assert row["hash"] == perceptual_hash(grey(photo.pixels))[0]
        assert row["modified"] == path.stat().st_mtime
        assert row["name"] == bundle.taxonomy[row["label"]].name
        assert row["label"] == best.label
        assert row["confidence"] == pytest.approx(best.probability)


def test_a_shard_of_nothing_but_broken_photos_has_no_entries(photos: Path, tmp_path: Path) -> None:
    write_bytes(tmp_path / "shards" / "space.npz", EmbeddingSpace("", 1280).to_bytes())
    done = embed_shard(
        Shard(tuple(find_sources([str(photos / "broken.jpg")]))), bundle=SMALL, folder=tmp_path / "shards"
    )
    assert (done.photos, len(done.left_out)) == (0, 1)
    assert len(read_shard(done.path)) == 0


def test_another_model_s_gallery_is_refused(tmp_path: Path) -> None:
    space = EmbeddingSpace("of another", 1280)
    with pytest.raises(SpaceError, match="made with another model than 'efficientnet_lite0_small'"):
        index_shards([], local_workers(1), tmp_path, bundle=load_bundle(SMALL), space=space, size=10)
    assert list(tmp_path.iterdir()) == []
