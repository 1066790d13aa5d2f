"""A few visitors in real browsers at a time, on two servers behind nginx; `tests/load/visitors.py` has the many."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flowers_core.inference.bundle import DEFAULT_BUNDLE
from scripts.dev.chromium import chromium
from tests.fixtures.running_nginx import NGINX
from tests.load.asked import drawn
from tests.load.browsers import visit_all
from tests.load.sites import own_site

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(NGINX is None, reason="No nginx is installed."),
    pytest.mark.skipif(chromium() is None, reason="No Chromium is installed; set CHROMIUM to its path."),
]


def test_each_of_three_browsers_is_answered_about_its_own_photos(tmp_path: Path) -> None:
    # In a thread of its own: the tests before it have left an event loop in this one.
    with own_site(2, tmp_path) as site, ThreadPoolExecutor(1) as pool:
        outcomes = pool.submit(visit_all, site.address, drawn(6, DEFAULT_BUNDLE), 3).result()
        assert site.tracebacks() == []
    assert [outcome.wrong for outcome in outcomes] == [""] * 6
