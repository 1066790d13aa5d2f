"""A bundle as one static page that names the flower in a photo on the device itself, without a network."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import json
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.taxonomy import Taxon
from flowers_core.explain.concepts.classes import typical, worth
from flowers_core.explain.concepts.concepts import CONCEPTS_FILE, Concepts, load_concepts
from flowers_core.explain.overlay import colourise
from flowers_core.export.model_file import LICENSE
from flowers_core.export.web_runtime import CORE, runtime_files
from flowers_core.inference.bundle import Bundle, model_file
from flowers_core.inference.confidence_head import confidence_head
from flowers_core.storage.files import replace_folder

_PAGE = Path(__file__).with_name("page")
_FORMAT = "int8"
_WORKER = "offline.js"
#: What the page needs of a confidence record; its figures are not for the page.
_RULES = ("model", "sets", "novelty")


def export_web(bundle: Bundle, folder: Path) -> int:
    """Write the page: its own files, LiteRT for browsers, and the INT8 model with what belongs to it.

    The network and the numbers lie compressed, so that the page is as small on every host.

    Args:
        bundle: calibrated.
        folder: what is there is replaced as a whole.

    Returns:
        How many bytes the folder has.

    Raises:
        BundleError: the bundle is not calibrated, or lacks the INT8 model.
        RuntimeMissing: LiteRT for browsers could not be had.
    """
    files = page_files(bundle, runtime_files())
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".page-", dir=folder.parent) as beside:
        new = Path(beside) / "new"
        for name, content in files.items():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).write_bytes(content)
        replace_folder(new, folder, Path(beside) / "old")
    return sum(map(len, files.values()))


def page_files(bundle: Bundle, runtime: Mapping[str, bytes]) -> dict[str, bytes]:
    """Every file of the page by its path below the folder.

    Args:
        bundle: calibrated.
        runtime: of `runtime_files`.

    Raises:
        BundleError: the bundle is not calibrated, or lacks the INT8 model.
    """
    concepts = _concepts(bundle)
    arrays = _arrays(bundle, concepts)
    files = {path.name: path.read_bytes() for path in sorted(_PAGE.iterdir())}
    worker = files.pop(_WORKER)
    for name, content in runtime.items():
        files[f"runtime/{name}"] = content
    wasm = files.pop("runtime/litert.wasm")
    files["runtime/litert.wasm.gz"] = _compressed(wasm)
    files[f"model/{model_file(_FORMAT)}.gz"] = _compressed(bundle.path(model_file(_FORMAT)).read_bytes())
    files["model/arrays.bin.gz"] = _compressed(_by_place(arrays.values()))
    files["model/facts.json"] = json.dumps(_facts(bundle, arrays, concepts), ensure_ascii=False).encode()
    # Another content gets another version, by which browsers know that theirs is old.
    digest = hashlib.sha256(b"".join(name.encode() + files[name] for name in sorted(files)) + worker)
    version = json.dumps(f"flowers-{digest.hexdigest()[:16]}")
    files[_WORKER] = (
        f"const VERSION = {version};\nconst FILES = {json.dumps(['./', *sorted(files)])};\n".encode() + worker
    )
    return files


def _by_place(arrays: Iterable[NDArray[np.float32]]) -> bytes:
    """Every first byte of the numbers as little-endian float32, every second one, and so on: these compress better."""
    numbers = np.concatenate([array.astype("<f4").ravel() for array in arrays])
    return numbers.view(np.uint8).reshape(-1, 4).T.tobytes()


def _shorter(numbers: NDArray[np.floating]) -> NDArray[np.float32]:
    """Numbers rounded to 16 significant bits, by 16 parts in a million at most; their last bytes, zero, compress."""
    bits = numbers.astype(np.float32).view(np.uint32)
    return ((bits + 0x80) & np.uint32(0xFFFFFF00)).view(np.float32)


def _concepts(bundle: Bundle) -> Concepts | None:
    """The bundle's concepts, if it has them; those of a model that was taught classes later are of the old ones."""
    if not bundle.has(CONCEPTS_FILE) or bundle.manifest.taught:
        return None
    return load_concepts(bundle.path(CONCEPTS_FILE), bundle.head()[0])


def _arrays(bundle: Bundle, concepts: Concepts | None) -> dict[str, NDArray[np.float32]]:
    weights, bias = bundle.head()
    arrays = {"weights": weights, "bias": bias}
    confidence = confidence_head(bundle)
    if confidence is not None:
        space = confidence.space
        arrays |= {
            "prototypes": space.prototypes,
            "scale": space.scale,
            "mean": space.mean,
            "projection": space.projection,
        }
    if concepts is not None:
        target, gram, _ = concepts.dictionary.normal_equations()
        numbers = {"target": target, "gram": gram, "worths": concepts.dictionary.concepts @ weights}
        arrays |= {f"concepts_{name}": _shorter(array) for name, array in numbers.items()}
    return arrays


def _facts(bundle: Bundle, arrays: Mapping[str, NDArray[np.float32]], concepts: Concepts | None) -> dict[str, Any]:
    record = bundle.manifest.confidence
    return {
        "name": bundle.name,
        "size": bundle.crop_rule.size,
        "crop_fraction": bundle.crop_rule.crop_fraction,
        "taught": bool(bundle.manifest.taught),
        "classes": [_class(taxon) for taxon in bundle.taxonomy],
        "calibration": dataclasses.asdict(bundle.require_calibration()),
        "confidence": record and {name: dataclasses.asdict(getattr(record, name)) for name in _RULES},
        "concepts": concepts and _concept_facts(concepts, bundle.head()[0]),
        "arrays": {name: int(array.size) for name, array in arrays.items()},
        "colours": colourise(np.arange(256)[None] / 255, limit=1.0)[0, :, :3].tolist(),
        **_sentences(bundle),
    }


def _concept_facts(concepts: Concepts, head: NDArray[np.float32]) -> dict[str, Any]:
    """What the page says of each: the classes that it is typical of, from 0."""
    worths = worth(concepts, head)
    return {
        "typical": [typical(worths[:, concept]) for concept in range(len(concepts))],
        "curvature": concepts.dictionary.normal_equations()[2],
    }


def _class(taxon: Taxon) -> dict[str, Any]:
    return {"name": taxon.name, "latin": taxon.latin, "italic": taxon.latin != taxon.family}


def _sentences(bundle: Bundle) -> dict[str, str]:
    right = ""
    if tested := bundle.tested_metrics.get(_FORMAT, {}).get("test"):
        share, photos = f"{100 * tested.top1:.1f}\u00a0%", f"{tested.photos} photos of them"
        right = (
            f" Trained without {photos}, it named {share} of these rightly"
            if bundle.sibling
            else f" Of {photos} that it had not seen before, it named {share} rightly"
        ) + "; of photos of other origin, such as yours, expect fewer."
    size = bundle.manifest.files[model_file(_FORMAT)].bytes
    return {
        "knows": f"It knows {len(bundle.class_names)} kinds of flowers, in bloom and seen from near.{right}",
        "does_not_know": "It knows no other plant, and next to nothing of leaves, buds, fruit or flowers far away. "
        "Of those it often says that it is not sure, but not always. Do not judge by it what is safe to eat, to touch "
        "or to give to an animal.",
        "made": f"The model is {bundle.name}, {size / 1e6:.1f} MB, under the {LICENSE}. It runs on LiteRT "
        f"{CORE.version}, under the same licence.",
    }


def _compressed(content: bytes) -> bytes:
    return gzip.compress(content, 9, mtime=0)
