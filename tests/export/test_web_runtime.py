"""Archives in a folder, or fetched by whatever is called npm."""

import base64
import hashlib
import io
import os
import tarfile
from pathlib import Path

import pytest

from flowers_core.export import web_runtime
from flowers_core.export.web_runtime import NpmPackage, RuntimeMissing, runtime_files

MEMBERS = {
    "package/dist/index.js": b'import { load } from "@litertjs/wasm-utils";\nload();\n//# sourceMappingURL=map',
    "package/glue.js": b"glue",
    "package/code.wasm": b"\0asm",
}
LOADER = {"package/dist/index.js": b"export const load = 1;\n"}


def archive_of(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


@pytest.fixture
def archives(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Two small packages in the place of LiteRT's."""
    contents = [archive_of(MEMBERS), archive_of(LOADER)]
    digests = [base64.b64encode(hashlib.sha512(content).digest()).decode() for content in contents]
    core = NpmPackage("@litertjs/core", "9.0.0", digests[0])
    loader = NpmPackage("@litertjs/wasm-utils", "9.0.0", digests[1])
    names = {"package/dist/index.js": "litert.js", "package/glue.js": "glue.js", "package/code.wasm": "litert.wasm"}
    wanted = {core: names, loader: {"package/dist/index.js": "wasm-utils.js"}}
    monkeypatch.setattr(web_runtime, "_FILES", wanted)
    return dict(zip((core.file, loader.file), contents, strict=True))


def put(folder: Path, archives: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in archives.items():
        (folder / name).write_bytes(content)
    return folder


def test_the_files_of_kept_archives(archives: dict[str, bytes], tmp_path: Path) -> None:
    assert runtime_files(put(tmp_path, archives)) == {
        "litert.js": b'import { load } from "./wasm-utils.js";\nload();\n',
        "glue.js": b"glue",
        "litert.wasm": b"\0asm",
        "wasm-utils.js": b"export const load = 1;\n",
    }


def test_another_archive_is_refused(archives: dict[str, bytes], tmp_path: Path) -> None:
    put(tmp_path, dict.fromkeys(archives, archive_of({"package/dist/index.js": b"evil()"})))
    with pytest.raises(RuntimeMissing, match=r"litertjs-core-9\.0\.0\.tgz is not the archive"):
        runtime_files(tmp_path)


def npm(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a shell script be the only npm there is."""
    folder.mkdir()
    (folder / "npm").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")


@pytest.mark.skipif(os.name != "posix", reason="npm is a shell script here")
def test_what_is_missing_is_fetched_once(
    archives: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, kept = put(tmp_path / "registry", archives), tmp_path / "kept"
    # npm pack --silent --ignore-scripts --pack-destination FOLDER @litertjs/NAME@9.0.0
    script = f"""name=${{6#@litertjs/}}; cp {registry}/litertjs-${{name%@9.0.0}}-9.0.0.tgz "$5"/"""
    npm(tmp_path / "bin", script, monkeypatch)
    assert runtime_files(kept)["glue.js"] == b"glue"
    assert {path.name for path in kept.iterdir()} == set(archives)
    (tmp_path / "bin" / "npm").write_text("#!/bin/sh\nexit 1\n")
    assert runtime_files(kept)["glue.js"] == b"glue"


@pytest.mark.skipif(os.name != "posix", reason="npm is a shell script here")
def test_a_failed_fetch_is_told_and_leaves_nothing(
    archives: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm(tmp_path / "bin", "echo 'npm error network' >&2; exit 1", monkeypatch)
    with pytest.raises(RuntimeMissing, match=r"npm could not fetch @litertjs/core@9\.0\.0: npm error network"):
        runtime_files(tmp_path / "kept")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeMissing, match="npm is not installed"):
        runtime_files(tmp_path / "kept")
    assert not (tmp_path / "kept").exists()
