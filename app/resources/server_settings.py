"""The server's settings: the project's hold, or the page says which do not.

Streamlit reads `.streamlit/config.toml` beside the script that it was given. Given another script, or a link to this
one, it would silently listen on every interface and take files of any size.
"""

import contextlib
import ctypes
import gc
import os
import sys
import tomllib
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.formparsers import MultiPartParser
from streamlit.config import get_where_defined

SETTINGS = Path(__file__).resolve().parents[1] / ".streamlit" / "config.toml"
#: What guards the visitors and the machine. A theme may differ.
GUARDS = (
    "server.address",
    "server.allowedHosts",
    "server.enableCORS",
    "server.enableXsrfProtection",
    "server.maxUploadSize",
    "browser.gatherUsageStats",
    "client.showErrorDetails",
)

# As <malloc.h> has it; and the bytes from which on a block has pages of its own.
_M_MMAP_THRESHOLD, _OWN_PAGES_FROM = -3, 1 << 20
# So many new modules are worth another look; and how many there were at the last one.
_MANY = 50
_spared = {"modules": 0}


def unlike_project() -> list[str]:
    """The options that guard and differ from the project's without somebody's word.

    An option of the command line and an environment variable are somebody's word; a `config.toml` elsewhere and
    Streamlit's own value are not.
    """
    ours = _flat(tomllib.loads(SETTINGS.read_text(encoding="utf-8")))
    return [key for key in GUARDS if not _by_request(key) and st.get_option(key) != ours[key]]


def refusal(unlike: list[str]) -> str:
    """What is said instead of a page on a server with such settings."""
    return (
        f"This server was started without the settings of the app: {', '.join(unlike)}. Start it with `flowers app`, "
        "or with `streamlit run` and the path of the app’s own `main.py`. To change a setting on purpose, give it as "
        "an option or as an environment variable."
    )


def keep_uploads_in_memory() -> None:
    """Let no upload touch the disk: by itself Starlette writes those above 1 MB to a temporary file."""
    MultiPartParser.spool_max_size = st.get_option("server.maxUploadSize") * 1024**2


def say_nothing_of_uploads() -> None:
    """Let no upload reach the log: Pillow warns of odd metadata with what they hold.

    Python would remember each such text for ever, too, and one file can bring thousands.
    """
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.", append=True)


def spare_loaded_modules() -> None:
    """Let Python no longer look through what is loaded for good, whenever much more of it is loaded than before.

    Streamlit collects garbage after every run, and so does each edit by hand. With all modules to look through that
    takes longer than the run itself.
    """
    if len(sys.modules) > _spared["modules"] + _MANY:
        _spared["modules"] = len(sys.modules)
        gc.collect()
        gc.freeze()


def give_back_memory() -> None:
    """Let what a photo took to decode go back to the system at once, where glibc manages the memory.

    By itself it raises its threshold to the size of what was freed, and then keeps such blocks for each thread.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):  # there is no such library, or it is not glibc
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _OWN_PAGES_FROM)


def models_may_be_kept() -> bool:
    """Whether the server's owner lets visitors put models into its folder: FLOWERS_KEEP_MODELS is 1."""
    return os.environ.get("FLOWERS_KEEP_MODELS") == "1"


def told_format() -> str | None:
    """The numeric format that the server's owner chose in FLOWERS_FORMAT; None for the quickest one."""
    return os.environ.get("FLOWERS_FORMAT") or None


def told_gallery() -> str | None:
    """The large gallery that the server's owner named in FLOWERS_GALLERY: a name, a folder or a URI; None for none."""
    return os.environ.get("FLOWERS_GALLERY") or None


def _by_request(key: str) -> bool:
    # Streamlit says "environment variable" or "command-line argument or environment variable".
    return "environment variable" in get_where_defined(key)


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{section}.{name}": value for section, options in settings.items() for name, value in options.items()}
