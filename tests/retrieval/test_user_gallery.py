"""Photos of one's own are embedded once, kept, and taken out again."""

from pathlib import Path

import numpy as np
import pytest

from flowers_core.data.model_input import model_input
from flowers_core.data.photos import open_photo
from flowers_core.inference.bundle import load_bundle
from flowers_core.inference.runtime import Runtime
from flowers_core.retrieval.user_gallery import Change, add_user_photos, remove_user_photos
from flowers_core.retrieval.user_photos import load_user_photos, user_photos_file
from tests.fixtures.drawn_flowers import draw_flower


def test_photos_join_the_gallery_once_and_leave_it(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWERS_OWN_DIR", str(tmp_path / "own"))
    bundle, mine = load_bundle(tiny_bundle), tmp_path / "mine"
    (mine / "rose").mkdir(parents=True)
    for number in range(34):  # more than one batch
        draw_flower(number % 6, np.random.default_rng(number)).save(mine / "rose" / f"{number}.png")
    (mine / "rose" / "broken.jpg").write_bytes(b"no photo")
    complaints: list[str] = []

    def add() -> Change:
        return add_user_photos(bundle, mine, unreadable=lambda error: complaints.append(str(error)))

    assert add() == Change(before=0, after=34)
    assert [complaint.split(":")[0] for complaint in complaints] == ["broken.jpg"]
    own = load_user_photos(user_photos_file(bundle.name), bundle.digest("int8.tflite") or "")
    pixels = model_input(open_photo(mine / "rose" / "7.png").pixels, bundle.crop_rule).pixels
    embedding = Runtime(bundle.path("int8.tflite")).forward(pixels[None]).embedding[0]
    at = [Path(path).name for path in own.paths].index("7.png")
    np.testing.assert_array_equal(own.embeddings[at], embedding)

    assert add() == Change(before=34, after=34)
    (mine / "rose" / "0.png").rename(mine / "zero.png")
    moved = add()
    assert (moved.before, moved.after, moved.moved) == (34, 34, True)
    assert remove_user_photos(bundle, mine / "rose") == Change(before=34, after=1)
