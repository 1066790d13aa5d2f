"""What pyproject.toml and the requirements say is what the code imports."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OURS = {"app", "flowers_core", "scripts", "tests"}
#: Import names that are not the name of the package.
PACKAGES = {
    "ai_edge_litert": "ai-edge-litert",
    "faiss": "faiss-cpu",
    "PIL": "pillow",
    "pillow_heif": "pillow-heif",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "qdrant_client": "qdrant-client",
    "tf_keras_vis": "tf-keras-vis",
}


def imported(room: str) -> set[str]:
    """The packages that the code of a folder imports anywhere, by their names in an index."""
    found = set()
    for path in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
                names = [str(part.value) for part in ast.walk(node.args[0]) if isinstance(part, ast.Constant)][:1]
            found |= {name.partition(".")[0] for name in names}
    outside = found - OURS - set(sys.stdlib_module_names) - {"__future__"}
    return {PACKAGES.get(name, name).lower() for name in outside}


def named(requirements: list[str]) -> set[str]:
    """The packages in a list of requirements."""
    return {re.split(r"[<>=\[; ]", line)[0].lower() for line in requirements} - {"flowers"}


def pinned(file_name: str) -> dict[str, str]:
    """The packages that a requirements file pins itself, with their versions."""
    lines = (ROOT / file_name).read_text(encoding="utf-8").splitlines()
    pins = (line.split("==") for line in lines if line and not line.startswith(("#", "-r")))
    return {name.partition("[")[0]: version for name, version in pins}


SERVE = named(PROJECT["dependencies"])
EXTRAS = {name: named(lines) for name, lines in PROJECT["optional-dependencies"].items()}
EVERYTHING = SERVE | EXTRAS["train"] | EXTRAS["references"] | EXTRAS["large"] | EXTRAS["cluster"]


@pytest.mark.parametrize("room", ["app", "flowers_core", "scripts"])
def test_what_is_imported_is_declared(room: str) -> None:
    # The pictures for the README are taken with the tests' browser; other people's clients are compared where they are.
    assert imported(room) - {"playwright", "mediapipe", "onnxruntime"} <= EVERYTHING


@pytest.mark.slow
def test_what_is_declared_is_imported() -> None:
    everything = imported("app") | imported("flowers_core") | imported("scripts")
    assert everything >= EVERYTHING - {"s3fs"}  # fsspec imports it for s3:// by its name


def test_each_set_is_pinned_in_a_file_of_its_own() -> None:
    assert set(pinned("requirements-serve.txt")) == SERVE
    assert set(pinned("requirements.txt")) == EXTRAS["train"] | EXTRAS["references"]
    assert set(pinned("requirements-test.txt")) == EXTRAS["test"] | EXTRAS["large"] | EXTRAS["cluster"] | EXTRAS[
        "dev"
    ] - {"pre-commit"}


def test_pins_are_exact() -> None:
    for name in ("requirements-serve.txt", "requirements.txt", "requirements-test.txt"):
        assert all(re.fullmatch(r"\d+(\.\d+)+", version) for version in pinned(name).values())


def test_pythons_are_named_alike_everywhere() -> None:
    assert PROJECT["requires-python"] == ">=3.11,<3.14"
    pythons = ["3.11", "3.12", "3.13"]
    assert [text.rpartition(" ")[2] for text in PROJECT["classifiers"] if "Python :: 3" in text] == pythons
    workflow = (ROOT / ".github" / "workflows" / "check.yml").read_text(encoding="utf-8")
    quoted = ", ".join(f'"{version}"' for version in pythons)
    assert f"python: [{quoted}]" in workflow
    assert "(3, 11) <= sys.version_info[:2] <= (3, 13)" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_what_is_not_code_is_packaged() -> None:
    data = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]
    for room in ("app", "flowers_core", "scripts"):
        files = {path for path in (ROOT / room).rglob("*") if path.is_file() and path.suffix not in {".py", ".pyc"}}
        assert files == {path for pattern in data.get(room, []) for path in (ROOT / room).glob(pattern)}
