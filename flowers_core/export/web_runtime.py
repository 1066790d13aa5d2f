"""LiteRT for browsers, from its packages in npm's registry.

npm fetches them, so a person's own registry, mirror or proxy works here too. Nothing of a package is installed or run.
Its digest is checked, and then the few files that a page needs are read.
"""

from __future__ import annotations

import base64
import hashlib
import io
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flowers_core.errors import FlowersError
from flowers_core.storage.files import write_bytes
from flowers_core.storage.paths import default_cache_dir


class RuntimeMissing(FlowersError):
    """LiteRT for browsers could not be had. The message says what would help."""


@dataclass(frozen=True)
class NpmPackage:
    """One version of a package in npm's registry.

    Attributes:
        name: with its scope.
        version: the version.
        sha512: digest of its archive in base64, as npm's lock files write it.
    """

    name: str
    version: str
    sha512: str

    @property
    def file(self) -> str:
        """The name that npm gives the archive."""
        return f"{self.name.lstrip('@').replace('/', '-')}-{self.version}.tgz"


CORE = NpmPackage(
    "@litertjs/core",
    "2.5.3",
    "PlGmbMOq9WitX7FO0jhbdJw9GthatsyuCQXjTt/wJZo0FLaw48q4tz8IwqgqCIkviYGr9OFDL1kCnN4nzWoyJQ==",
)
LOADER = NpmPackage(
    "@litertjs/wasm-utils",
    "2.5.3",
    "4fJiw6tBQnIs+0jH/OQ16nYOiSl8/+zZnn5h2ul8aTKHi05sVqZW580Tmk78pC2kT39A9OYBVdFawteZ/sI1kQ==",
)
# The build without relaxed SIMD runs in every browser that has SIMD, and rounds alike on every processor.
_FILES: Mapping[NpmPackage, Mapping[str, str]] = {
    CORE: {
        "package/dist/index.js": "litert.js",
        "package/wasm/litert_wasm_compat_internal.js": "litert_wasm.js",
        "package/wasm/litert_wasm_compat_internal.wasm": "litert.wasm",
    },
    LOADER: {"package/dist/index.js": "wasm-utils.js"},
}


def runtime_files(folder: Path | None = None) -> dict[str, bytes]:
    """The files of LiteRT for browsers, by the names that the page knows them by.

    Args:
        folder: where archives are kept, so that they are fetched once; `npm` in the cache folder by default.

    Raises:
        RuntimeMissing: an archive is neither there nor can be fetched, or is another one than expected.
    """
    kept = folder or default_cache_dir() / "npm"
    files = {}
    for package, names in _FILES.items():
        with tarfile.open(fileobj=io.BytesIO(_archive(package, kept)), mode="r:gz") as archive:
            for member, name in names.items():
                opened = archive.extractfile(member)
                assert opened is not None  # the digest says that it is there
                files[name] = opened.read()
    for name in ("litert.js", "wasm-utils.js"):
        # There is no bundler: the one import by name becomes one by place, and no source map comes along.
        code = files[name].decode().replace(f'from "{LOADER.name}"', 'from "./wasm-utils.js"')
        files[name] = code.partition("//# sourceMappingURL=")[0].encode()
    return files


def _archive(package: NpmPackage, folder: Path) -> bytes:
    path = folder / package.file
    content = path.read_bytes() if path.is_file() else _fetched(package)
    if base64.b64encode(hashlib.sha512(content).digest()).decode() != package.sha512:
        raise RuntimeMissing(
            f"{package.file} is not the archive that {package.name} {package.version} is known by. "
            f"Delete {path}, and check which registry npm asks."
        )
    if not path.is_file():
        write_bytes(path, content)
    return content


def _fetched(package: NpmPackage) -> bytes:
    wanted = f"{package.name}@{package.version}"
    with tempfile.TemporaryDirectory() as beside:
        command = ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", beside, wanted]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
            return (Path(beside) / package.file).read_bytes()
        except FileNotFoundError as error:
            raise RuntimeMissing(
                f"The page runs on LiteRT for browsers, {wanted}, which npm fetches, and npm is not installed. "
                f"Install Node.js, or put {package.file} into {default_cache_dir() / 'npm'}."
            ) from error
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            why = (str(error.stderr or "").strip().splitlines() or ["it did not answer in time"])[0]
            raise RuntimeMissing(f"npm could not fetch {wanted}: {why}. Check the network and try again.") from error
