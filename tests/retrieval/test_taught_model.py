"""Lessons kept, undone, written and read back; the arithmetic of a lesson itself is in test_teaching."""

from pathlib import Path

import numpy as np
import pytest

from flowers_core.inference.bundle import Bundle, BundleError, load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.records.teaching import TaughtClass
from flowers_core.retrieval.gallery_prototypes import prototypes_of
from flowers_core.retrieval.lesson_photos import stored_photos
from flowers_core.retrieval.taught_model import carried_logits, taught_model, write_taught
from flowers_core.retrieval.teaching import TeachingError

DIAGONAL = np.array([[3.0, 3.1], [3.2, 2.9], [2.9, 3.0]])
DOWN = np.array([[0.1, -3.0], [-0.1, -3.1]])


def test_lessons_are_written_read_back_and_undone(two_axes: Bundle, tmp_path: Path) -> None:
    fresh, known = taught_model(two_axes), stored_photos(two_axes, 3.0)
    one, _ = fresh.learn("edelweiss", ["a", "b", "c"], DIAGONAL, known)
    two, _ = one.learn("  Moss   Rose ", ["d", "e"], DOWN, known)
    three, _ = two.learn("ROSE", ["f"], [[2.0, 1.7]], known)
    assert three.class_names == ("rose", "tulip", "edelweiss", "Moss Rose")
    assert three.head.logits([*DIAGONAL, *DOWN, [2.0, 1.7]]).argmax(axis=1).tolist() == [2, 2, 2, 3, 3, 0]
    assert three.examples.columns.tolist() == [2, 2, 2, 3, 3, 0]

    written = write_taught(two_axes, three, tmp_path / "tiny_taught")
    assert written.class_names == three.class_names
    assert [each.photos for each in written.manifest.taught] == [3, 2, 1]
    assert written.manifest.taught[0] == TaughtClass("edelweiss", 3, 1.0)
    assert written.path("int8.tflite").read_bytes() == b"model"
    np.testing.assert_allclose(written.head()[0], three.head.weights, rtol=1e-6)
    again = taught_model(written)
    np.testing.assert_array_equal(again.head.weights, three.head.weights)
    assert again.examples.columns.tolist() == three.examples.columns.tolist()
    np.testing.assert_array_equal(again.undone().head.weights, two.head.weights)

    assert write_taught(written, again.undone(), written.folder).class_names == two.class_names
    none = taught_model(load_bundle(written.folder)).undone().undone()
    np.testing.assert_array_equal(none.head.weights, fresh.head.weights)
    assert taught_model(write_taught(written, none, tmp_path / "tiny_taught")).lessons == ()
    with pytest.raises(TeachingError, match="nothing to undo"):
        none.undone()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny", "tiny_taught"]


def test_a_taught_class_has_a_prototype(two_axes: Bundle, tmp_path: Path) -> None:
    taught, _ = taught_model(two_axes).learn("edelweiss", ["a", "b", "c"], DIAGONAL, stored_photos(two_axes, 3.0))
    found = prototypes_of(write_taught(two_axes, taught, tmp_path / "tiny_taught"))
    assert found is not None
    np.testing.assert_allclose(found.vectors[2], [0.5**0.5, 0.5**0.5], atol=0.01)


def test_logits_are_carried_over_where_nothing_changed(two_axes: Bundle) -> None:
    before, known = taught_model(two_axes), stored_photos(two_axes, 3.0)
    after, _ = before.learn("edelweiss", ["a", "b", "c"], DIAGONAL, known)
    photo, said = np.array([[1.0, 2.0]]), np.array([[2.3, 4.8]])  # an INT8 graph does not say exactly 2.25 and 4.75
    found = carried_logits(said, photo, before, after)
    np.testing.assert_array_equal(found[:, :2], said)
    assert found[0, 2] == after.head.logits(photo)[0, 2]
    np.testing.assert_array_equal(carried_logits(found, photo, after, after.undone()), said)


@pytest.mark.parametrize("name", ["", "  ", "../rose", "a/b", "a\\b", "a\x00b", "x" * 81])
def test_what_cannot_name_a_flower_is_refused(two_axes: Bundle, name: str) -> None:
    with pytest.raises(TeachingError, match="cannot name a flower"):
        taught_model(two_axes).learn(name, ["a", "b"], DOWN, stored_photos(two_axes, 3.0))


def test_a_photo_counts_once_and_belongs_to_one_class(two_axes: Bundle) -> None:
    known = stored_photos(two_axes, 3.0)
    taught, _ = taught_model(two_axes).learn("edelweiss", ["a", "b", "a"], DIAGONAL, known)
    assert taught.lessons[0].digests == ("a", "b")
    with pytest.raises(TeachingError, match="knows these photos already"):
        taught.learn("Edelweiss", ["b"], DIAGONAL[1:2], known)
    with pytest.raises(TeachingError, match="was taught as 'edelweiss'; undo that lesson first"):
        taught.learn("rose", ["b"], DIAGONAL[1:2], known)


def test_a_taught_file_of_another_model_is_refused(two_axes: Bundle, tmp_path: Path) -> None:
    taught, _ = taught_model(two_axes).learn("edelweiss", ["a", "b", "c"], DIAGONAL, stored_photos(two_axes, 3.0))
    folder = write_taught(two_axes, taught, tmp_path / "tiny_taught").folder
    BundleWriter.open(folder).add_bytes("int8.tflite", b"other")
    with pytest.raises(BundleError, match="belongs to another model"):
        taught_model(load_bundle(folder))
    BundleWriter.open(folder).add_npz("taught.npz", names=np.array(["x"]))
    with pytest.raises(BundleError, match="is damaged"):
        taught_model(load_bundle(folder))
