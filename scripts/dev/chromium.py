"""The browser of this machine, for pictures and for tests."""

import os
import shutil

CANDIDATES = ("chromium", "chromium-browser", "google-chrome", "chrome")
#: It runs in a container, draws without a graphics card, and asks nobody else for anything.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def chromium() -> str | None:
    """Its path, as CHROMIUM names it or as it is found; None where there is none."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CANDIDATES)), None)
