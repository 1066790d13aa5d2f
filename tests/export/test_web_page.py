"""What lies in the exported folder. How it behaves in a browser is in tests/e2e/test_web_page.py."""

import gzip
import json
import re
from pathlib import Path

import numpy as np
import pytest

from flowers_core.explain.concepts.concepts import CONCEPTS_FILE, load_concepts
from flowers_core.export import web_page
from flowers_core.export.web_page import export_web, page_files
from flowers_core.inference.bundle import Bundle, BundleError, load_bundle
from flowers_core.storage.paths import default_models_dir
from tests.fixtures.manifests import linked_copy
from tests.fixtures.shipped import TESTED

ROOT = Path(__file__).resolve().parents[2]
RUNTIME = {"litert.js": b"1", "litert_wasm.js": b"2", "litert.wasm": b"\0asm", "wasm-utils.js": b"3"}


@pytest.fixture(scope="module")
def files(bundle: Bundle) -> dict[str, bytes]:
    return page_files(bundle, RUNTIME)


def numbers_of(files: dict[str, bytes]) -> np.ndarray:
    """All numbers of the page, whose bytes lie apart by their place in a number."""
    places = np.frombuffer(gzip.decompress(files["model/arrays.bin.gz"]), np.uint8).reshape(4, -1)
    return places.T.copy().view("<f4").ravel()


def test_the_model_and_its_numbers_come_along_whole(files: dict[str, bytes], bundle: Bundle) -> None:
    assert gzip.decompress(files["model/int8.tflite.gz"]) == bundle.path("int8.tflite").read_bytes()
    assert gzip.decompress(files["runtime/litert.wasm.gz"]) == b"\0asm"
    weights, bias = bundle.head()
    numbers = numbers_of(files)
    np.testing.assert_array_equal(numbers[: weights.size + bias.size], np.concatenate([weights.ravel(), bias]))
    facts = json.loads(files["model/facts.json"])
    assert sum(facts["arrays"].values()) == len(numbers)
    assert list(facts["arrays"].items())[:2] == [("weights", weights.size), ("bias", bias.size)]
    assert [entry["name"] for entry in facts["classes"]] == list(bundle.class_names)
    assert facts["calibration"]["temperature"] == bundle.require_calibration().temperature
    # Plasma's ends.
    assert (facts["colours"][0], facts["colours"][255]) == ([13, 8, 135], [240, 249, 33])


def test_a_model_with_rules_for_confidence_brings_them(files: dict[str, bytes], bundle: Bundle) -> None:
    facts = json.loads(files["model/facts.json"])
    record = bundle.manifest.confidence
    assert record is not None
    assert facts["confidence"]["model"]["sure_from"] == record.model.sure_from
    assert set(facts["confidence"]) == {"model", "sets", "novelty"}
    assert facts["arrays"]["prototypes"] == 102 * facts["arrays"]["mean"]
    without = load_bundle(default_models_dir() / "inception_v3")
    assert json.loads(page_files(without, RUNTIME)["model/facts.json"])["confidence"] is None


def test_its_concepts_come_along(files: dict[str, bytes], bundle: Bundle) -> None:
    facts = json.loads(files["model/facts.json"])
    concepts = load_concepts(bundle.path(CONCEPTS_FILE), bundle.head()[0])
    count, channels = concepts.dictionary.concepts.shape
    numbers = numbers_of(files)
    ends = dict(zip(facts["arrays"], np.cumsum(list(facts["arrays"].values())).tolist(), strict=True))
    sizes = {"target": channels * count, "gram": count * count, "worths": count * 102}
    assert {name: facts["arrays"][f"concepts_{name}"] for name in sizes} == sizes
    gram = numbers[ends["concepts_target"] : ends["concepts_gram"]].reshape(count, count)
    assert facts["concepts"]["curvature"] == pytest.approx(np.linalg.norm(gram, 2), rel=1e-5)
    # A concept's own map is one of it and none of the others: A = V is what U = 1 minimizes.
    target = numbers[: ends["concepts_target"]][-channels * count :].reshape(channels, count)
    np.testing.assert_allclose(concepts.dictionary.concepts @ target, gram, atol=1e-3)
    np.testing.assert_allclose(target, concepts.dictionary.normal_equations()[0], rtol=1.6e-5)
    amounts = concepts.amounts * (concepts.dictionary.concepts @ bundle.head()[0]).T
    for concept, typical in enumerate(facts["concepts"]["typical"]):
        assert len(typical) <= 3
        assert typical[0] == amounts[:, concept].argmax()


def test_a_model_without_concepts_has_none(bundle: Bundle, tmp_path: Path) -> None:
    without = load_bundle(linked_copy(bundle, tmp_path / "copy", without=[CONCEPTS_FILE]))
    facts = json.loads(page_files(without, RUNTIME)["model/facts.json"])
    assert facts["concepts"] is None
    assert not any(name.startswith("concepts") for name in facts["arrays"])


def test_what_the_runtime_leaves_of_eight_megabytes_is_kept_by_the_small_model() -> None:
    """The page as a whole, with the real runtime, is weighed in tests/e2e/test_web_page.py."""
    runtime = 3_200_000
    files = page_files(load_bundle(default_models_dir() / "efficientnet_lite0_small"), RUNTIME)
    assert sum(len(content) for name, content in files.items() if not name.startswith("runtime/")) <= 8e6 - runtime


def test_the_page_says_what_it_does_not_know(files: dict[str, bytes], bundle: Bundle) -> None:
    facts = json.loads(files["model/facts.json"])
    right = f"{100 * TESTED.metrics['int8']['test'].top1:.1f}\N{NO-BREAK SPACE}%"
    assert f"Trained without 6149 photos of them, it named {right} of these rightly" in facts["knows"]
    assert "safe to eat" in facts["does_not_know"]
    size = bundle.path("int8.tflite").stat().st_size / 1e6
    assert f"{bundle.name}, {size:.1f} MB, under the Apache License 2.0" in facts["made"]


def test_the_page_of_a_model_that_was_tested_itself_says_so() -> None:
    small = load_bundle(default_models_dir() / "efficientnet_lite0_small")
    facts = json.loads(page_files(small, RUNTIME)["model/facts.json"])
    right = f"{100 * small.metrics['int8']['test'].top1:.1f}\N{NO-BREAK SPACE}%"
    assert f"Of 6149 photos of them that it had not seen before, it named {right} rightly" in facts["knows"]


def test_the_service_worker_keeps_every_file(files: dict[str, bytes]) -> None:
    first, second = files["offline.js"].decode().splitlines()[:2]
    assert re.fullmatch(r'const VERSION = "flowers-[0-9a-f]{16}";', first)
    kept = json.loads(second.removeprefix("const FILES = ").removesuffix(";"))
    assert set(kept) == set(files) - {"offline.js"} | {"./"}


def test_another_content_is_another_version(bundle: Bundle, files: dict[str, bytes]) -> None:
    assert page_files(bundle, RUNTIME) == files
    changed = page_files(bundle, RUNTIME | {"litert.js": b"new"})
    assert changed["offline.js"].splitlines()[0] != files["offline.js"].splitlines()[0]


def test_nothing_names_another_machine_and_every_file_that_is_named_is_there(files: dict[str, bytes]) -> None:
    own = {name: content.decode() for name, content in files.items() if name.endswith((".js", ".html", ".css"))}
    for name, text in own.items():
        if not name.startswith("runtime/"):
            assert "//" not in re.sub(r"(?m)(^|\s)//.*$", "", text), name
            named = re.findall(r'(?:from|href=|src=|fetch\(|unpacked\()\s*"(?:\./)?([\w./-]+)"', text)
            assert set(named) <= set(files), name
    assert "default-src 'none'" in own["index.html"]


def test_the_licence_is_the_projects() -> None:
    page = ROOT / "flowers_core" / "export" / "page"
    assert (page / "LICENSE.txt").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert (page / "icon.svg").read_bytes() == (ROOT / "app" / "favicon.svg").read_bytes()


def test_a_folder_is_replaced_as_a_whole(bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_page, "runtime_files", lambda: RUNTIME)
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "old.js").touch()
    uncalibrated = load_bundle(linked_copy(bundle, tmp_path / "copy", calibration=None))
    with pytest.raises(BundleError):
        export_web(uncalibrated, folder)
    assert [path.name for path in folder.iterdir()] == ["old.js"]
    size = export_web(bundle, folder)
    assert not (folder / "old.js").exists()
    assert size == sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
