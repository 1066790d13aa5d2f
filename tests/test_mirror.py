"""The tests mirror the core path by path: `flowers_core/x/y.py` is tested in `tests/x/test_y.py`."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CORE = ROOT / "flowers_core"
TESTS = ROOT / "tests"

#: Modules without a test of their name → the test that works them out.
EXCEPTIONS = {
    # Pieces of one computation, whose result is what is worth asserting.
    "explain/subject.py": "explain/test_methods.py",
    "networks/compiled.py": "networks/test_classifier.py",
    "quantization/compact.py": "quantization/test_convert.py",
    "retrieval/neighbour.py": "retrieval/test_gallery.py",
    "retrieval/stores/store.py": "retrieval/stores/test_contract.py",
    "training/bookkeeping.py": "training/test_fit.py",
    "training/checkpoint.py": "training/test_fit.py",
    "training/examples.py": "training/test_fit.py",
    "training/feature_cache.py": "training/test_prepare.py",
    "training/first_head.py": "training/test_fit.py",
    "training/optimizers.py": "training/test_fit.py",
    "training/trainable_weights.py": "training/test_fit.py",
    # Fields without computation, written and read back with the manifest that they are part of.
    "inference/records/calibration.py": "inference/test_manifest.py",
    "inference/records/confidence.py": "inference/test_confidence_head.py",
    "inference/records/external.py": "inference/test_manifest.py",
    "inference/records/gallery.py": "inference/test_manifest.py",
    "inference/records/latency.py": "inference/test_manifest.py",
    "inference/records/near_novelty.py": "reports/test_near_novelty.py",
    "inference/records/metrics.py": "inference/test_manifest.py",
    "inference/records/multi_crop.py": "inference/test_manifest.py",
    "inference/records/quantization.py": "inference/test_manifest.py",
    "inference/records/several_photos.py": "inference/test_manifest.py",
    "inference/records/teaching.py": "retrieval/test_taught_model.py",
    "inference/records/training.py": "inference/test_manifest.py",
    # Another implementation behind our interface: it is what ours are tested against.
    "explain/attributions/tf_keras_vis_reference.py": "explain/attributions/test_gradient_cam.py",
    # Pictures and documents, compared as a whole.
    "data/audit/figures.py": "scripts/test_audit_data.py",
    "reports/model_card.py": "reports/test_results.py",
    "reports/ablation.py": "reports/test_run_records.py",
    "reports/corruptions.py": "reports/test_run_records.py",
    "reports/goals.py": "reports/test_run_records.py",
    "reports/lime.py": "reports/test_results.py",
    "reports/published.py": "reports/test_results.py",
    "reports/speed.py": "reports/test_run_records.py",
    # What a person asks for on the command line or on a page, tested as a person does.
    "training/recipes.py": "training/test_recipe.py",
}


def modules() -> list[str]:
    """Every module of the core, below it."""
    return sorted(
        path.relative_to(CORE).as_posix()
        for path in CORE.rglob("*.py")
        if path.name not in ("__init__.py", "errors.py")
    )


def dotted(module: str) -> str:
    return f"flowers_core.{module.removesuffix('.py').replace('/', '.')}"


def own_test(module: str) -> Path:
    path = TESTS / module
    return path.with_name(f"test_{path.name}")


@pytest.mark.parametrize("module", modules())
def test_a_module_has_a_test_at_its_mirrored_place(module: str) -> None:
    if module in EXCEPTIONS:
        assert not own_test(module).exists(), "It has a test of its own by now: take it out of EXCEPTIONS."
        assert (TESTS / EXCEPTIONS[module]).is_file()
    else:
        assert own_test(module).is_file(), "Write the test, or name in EXCEPTIONS the test that works the module out."


def test_exceptions_are_of_modules_that_are_there() -> None:
    assert set(EXCEPTIONS) <= set(modules())


def test_no_module_is_dead() -> None:
    """Something in the core, the app or the scripts imports each of them."""
    imported = set()
    for room in ("flowers_core", "app", "scripts"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and node.module:
                    imported |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
                elif isinstance(node, ast.Import):
                    imported |= {alias.name for alias in node.names}
    dead = {module for module in modules() if dotted(module) not in imported}
    assert dead == set()
