"""The neighbours with everything that a bundle may bring beside its gallery, and with none of it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from app.elements.words import percent
from app.identify.identified import Identified
from app.identify.neighbour_maps import SIDE, neighbour_explanations
from app.identify.neighbours import closeness, doubt, knn_sentence, known_photo, left_out_sentence
from app.resources import session
from app.resources.session import Inference
from flowers_core.data.model_input import model_input
from flowers_core.data.photo_ref import oxford
from flowers_core.data.photos import read_photo
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.inference.answerer import Answer
from flowers_core.inference.bundle import DEFAULT_BUNDLE, load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.prediction import Candidate, Prediction
from flowers_core.inference.records.gallery import KnnRule
from flowers_core.inference.runtime import Forward, Runtime
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery
from flowers_core.retrieval.knn import KnnPrediction, knn_predict
from flowers_core.retrieval.neighbour import Neighbour
from flowers_core.retrieval.similarity import SIMILARITY_FILE, fit_class_similarity
from flowers_core.retrieval.user_photos import ExtendedGallery, load_user_photos, user_photos_file
from flowers_core.storage.paths import default_models_dir
from tests.app.conftest import drawn_photo, example_bytes, html, missing_photos, run
from tests.app.elements.test_words import prediction
from tests.fixtures.manifests import linked_copy

Open = Callable[..., AppTest]
SHIPPED = load_bundle(default_models_dir() / DEFAULT_BUNDLE)
RULE = KnnRule(k=20, temperature=0.03, floor=0.01, splits=("train",), top1=0.8, nll=0.9, photos=1020)


def _copy(models: Path) -> Path:
    """The shipped bundle in a folder of its own, by links, without what may be beside its gallery."""
    return linked_copy(SHIPPED, models / SHIPPED.name, without=(SIMILARITY_FILE,), knn=None)


@pytest.fixture
def bundle_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    models = tmp_path / "models"
    models.mkdir()
    monkeypatch.setenv("FLOWERS_MODELS_DIR", str(models))
    return _copy(models)


def _embedding() -> np.ndarray:
    pixels = model_input(read_photo(example_bytes()).pixels, SHIPPED.crop_rule).pixels
    return Runtime(SHIPPED.path("int8.tflite"), workers=1).forward(pixels[None]).embedding[0]


@pytest.mark.parametrize(
    ("learnt", "called"),
    [
        (("train", "validation"), "test photo 7"),
        (("train", "validation", "test"), "photo 7"),
        ((), "test photo 7"),
    ],
)
def test_a_split_names_a_photo_only_where_the_model_has_not_learnt_them_all(
    tmp_path: Path, learnt: tuple[str, ...], called: str
) -> None:
    training = replace(SHIPPED.training, splits=learnt) if learnt else None
    bundle = load_bundle(linked_copy(SHIPPED, tmp_path / "copy", training=training))
    assert known_photo(Neighbour(oxford(7), 1, "test", 0.9), bundle) == called


@pytest.mark.slow
def test_the_photo_itself_is_left_out_the_vote_and_the_likeness_are_told(open_page: Open, bundle_folder: Path) -> None:
    shipped = Gallery.load(SHIPPED.path(INDEX_FILE), SHIPPED.path(RECORDS_FILE))
    embedding = _embedding()
    photo = read_photo(example_bytes())
    twins = [neighbour.photo_id for neighbour in shipped.search(embedding, 2)]
    digests = [photo.sha256 if photo_id in twins else f"{photo_id:064x}" for photo_id in shipped.ids.tolist()]
    gallery = Gallery.build(shipped.vectors(), shipped.ids, shipped.labels, shipped.splits, digests)
    held_out = gallery.splits == "test"
    likeness = fit_class_similarity(gallery.vectors()[held_out], gallery.labels[held_out])
    writer = BundleWriter.open(bundle_folder)
    writer.add_bytes(INDEX_FILE, gallery.index_bytes())
    writer.add_npz(RECORDS_FILE, compressed=True, **gallery.record_arrays())
    writer.add_npz(SIMILARITY_FILE, compressed=True, **likeness.arrays())
    writer.update(knn=RULE)

    app = open_page(photo="example")
    page = html(app)
    expected = gallery.search(embedding, 12, exclude=twins)
    assert missing_photos(app) == [neighbour.photo_id for neighbour in expected]
    share = likeness.level_of(expected[0].label, expected[0].similarity)
    assert share is not None
    assert closeness(share) in page
    result = knn_predict(gallery.search(embedding, RULE.k, splits={"train"}, exclude=twins), RULE, 102)
    name = load_taxonomy()[result.label].name
    said = next(text.value for text in app.markdown if "second opinion" in text.value)
    assert f"the 20 nearest training photos speak for **{name}** ({percent(result.probability)} sure)" in said
    first, second = sorted(twins)
    assert f"This is photo {first} and {second} of the data set" in said
    # Of a part of the photo, the whole one would be no neighbour to learn from either.
    app = open_page(photo="example", part="10,10,60,70")
    said = next(text.value for text in app.markdown if "second opinion" in text.value)
    assert f"This is part of photo {first} and {second} of the data set" in said
    assert not set(twins) & set(missing_photos(app))


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0, "farther than all pairs"),
        (0.001, "farther than nearly all pairs"),
        (0.97, "closer than 97\xa0% of pairs"),
        (0.997, "closer than nearly all pairs"),
        (1.0, "closer than all pairs"),
    ],
)
def test_how_close_is_said_in_few_words(share: float, words: str) -> None:
    assert closeness(share) == words


def test_an_answer_that_the_nearest_photos_deny_is_doubted() -> None:
    gallery = Gallery.load(SHIPPED.path(INDEX_FILE), SHIPPED.path(RECORDS_FILE))
    photo = read_photo(example_bytes())
    seen = model_input(photo.pixels, SHIPPED.crop_rule)
    # A photo that is to the model what one of its training photos is.
    photo_id = int(gallery.ids[(gallery.splits == "train") & (gallery.labels == 54)][0])
    vector = gallery.vector(photo_id)
    forward = Forward(np.zeros((1, 102), np.float32), np.zeros((1, 1, 1, vector.size), np.float32), vector[None])
    inference = Inference(photo, SHIPPED, "int8", "any", seen, forward)

    def doubted(answer: Prediction) -> str:
        return doubt(Identified(inference, answer, None), load_taxonomy())

    assert doubted(prediction(sunflower=0.97)) == ""
    assert doubted(prediction(rose=0.97)) == (
        "The known photos that yours resembles most show sunflower instead; compare them below."
    )
    # What is one of two plausible names is not denied, and who is unsure need not be told.
    assert doubted(prediction(rose=0.5, sunflower=0.4)) == ""
    assert doubted(prediction(rose=0.3)) == ""


def test_the_doubt_stands_with_the_answer(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "answer", lambda _: Answer(prediction(rose=0.97), prediction(rose=0.97)))
    app = open_page(photo="example")
    assert [info.value[:32] for info in app.info] == ["The known photos that yours rese"]


@pytest.mark.slow
def test_without_all_that_the_neighbours_are_counted(open_page: Open, bundle_folder: Path) -> None:
    app = open_page(photo="example")
    assert any("nearest are labelled" in text.value for text in app.markdown)
    assert "of pairs" not in html(app)


@pytest.mark.slow
def test_a_damaged_likeness_is_done_without(open_page: Open, bundle_folder: Path) -> None:
    BundleWriter.open(bundle_folder).add_bytes(SIMILARITY_FILE, b"no such thing")
    assert "of pairs" not in html(open_page(photo="example"))


@pytest.mark.slow
def test_photos_of_ones_own_are_among_them(
    open_page: Open, bundle_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWERS_OWN_DIR", str(tmp_path / "own"))
    assert open_page(photo="example").segmented_control(key="among").options[-1] == "Test"
    kept = tmp_path / "mine" / "meadow.png"
    kept.parent.mkdir()
    Image.fromarray(drawn_photo()).save(kept)
    model = SHIPPED.digest("int8.tflite")
    embedding = _embedding()
    other = np.roll(embedding, 1)
    own = load_user_photos(tmp_path / "none.npz", model).with_added(
        [kept, tmp_path / "gone.jpg"], [None, 74], ["a" * 64, "b" * 64], np.stack([embedding, other])
    )
    own.save(user_photos_file(SHIPPED.name))
    app = open_page(photo="example")
    assert "One of yours" in html(app)
    assert "meadow.png" in html(app)
    app.segmented_control(key="among").set_value("user")
    run(app)
    assert "gone.jpg" in html(app)
    assert any("The nearest is labelled **rose**, " in text.value for text in app.markdown)


def test_sentences() -> None:
    taxonomy = load_taxonomy()
    result = KnnPrediction((Candidate(74, 0.83), Candidate(54, 0.1)), 20)
    assert knn_sentence(result, 74, taxonomy) == (
        "A second opinion: the 20 nearest training photos speak for **rose** (83\xa0% sure), as the model says."
    )
    assert "where the model says sunflower: the two disagree" in knn_sentence(result, 54, taxonomy)
    alone = KnnPrediction((Candidate(74, 0.83),), 1)
    assert "the nearest training photo speaks for **rose**, as the model says" in knn_sentence(alone, 74, taxonomy)
    assert left_out_sentence({oxford(7)}) == "This is photo 7 of the data set, which is left out."
    assert left_out_sentence({oxford(9), oxford(7)}).startswith("This is photo 7 and 9 of the data set")


@pytest.mark.slow
def test_filtered_by_split_and_class(open_page: Open, bundle_folder: Path) -> None:
    gallery = Gallery.load(SHIPPED.path(INDEX_FILE), SHIPPED.path(RECORDS_FILE))
    rose = next(taxon.label for taxon in load_taxonomy() if taxon.name == "rose")
    similar = gallery.vectors() @ _embedding()
    fits = np.flatnonzero((gallery.labels == rose) & (gallery.splits == "validation"))
    wanted = gallery.ids[fits[np.argsort(-similar[fits], kind="stable")]]
    app = open_page(photo="example", among="Validation", flower="rose")
    assert missing_photos(app) == wanted[:12].tolist()
    # The opinion is not that of photos that were chosen for their class.
    assert not any("12 nearest are labelled **rose**" in text.value for text in app.markdown)


@pytest.mark.slow
def test_why_near_adds_up_on_both_photos(open_page: Open, tmp_path: Path, drawn_dataset: Path) -> None:
    app = open_page(photo="example", near="true")
    assert any("On the left your photo" in text.value for text in app.markdown)
    assert sum("What in your photo is like" in str(image.proto) for image in app.image) == 12

    photo = read_photo(example_bytes())
    seen = model_input(photo.pixels, SHIPPED.crop_rule)
    runtime = Runtime(SHIPPED.path("int8.tflite"), workers=1)
    inference = Inference(photo, SHIPPED, "int8", "", seen, runtime.forward(seen.pixels[None]))
    gallery = Gallery.load(SHIPPED.path(INDEX_FILE), SHIPPED.path(RECORDS_FILE))
    (nearest,) = gallery.search(inference.forward.embedding[0], 1)
    path = tmp_path / "other.png"
    Image.fromarray(drawn_photo()).save(path)
    here, there = neighbour_explanations(inference, ExtendedGallery(gallery, SHIPPED.name), nearest.photo, path)
    # The INT8 model rounds its embedding once more than its features.
    assert here.contributions.sum() == pytest.approx(nearest.similarity, abs=1e-3)
    assert there is not None
    other = runtime.forward(model_input(read_photo(path.read_bytes()).pixels, SHIPPED.crop_rule).pixels[None])
    one, two = _embedding(), other.embedding[0]
    cosine = one @ two / np.linalg.norm(one) / np.linalg.norm(two)
    assert there[0].contributions.sum() == pytest.approx(cosine, abs=1e-3)
    # Position by position: what the features there contribute along the direction of the photo at hand.
    rows, columns = there[0].contributions.shape
    expected = other.features[0] @ one / (rows * columns * np.linalg.norm(one) * np.linalg.norm(two))
    np.testing.assert_allclose(there[0].contributions, expected, atol=1e-4)
    assert max(there[1].shape[:2]) == SIDE
    path.write_bytes(b"no photo")
    assert neighbour_explanations(inference, ExtendedGallery(gallery, SHIPPED.name), nearest.photo, path)[1] is None
    assert neighbour_explanations(inference, ExtendedGallery(gallery, SHIPPED.name), nearest.photo, None)[1] is None
