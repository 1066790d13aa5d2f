"""The very configuration in `deploy/nginx.conf`, run by the real nginx in front of a real server of the app."""

import base64
import gzip
import hashlib
import re
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import streamlit

from app.resources.data import example_photo
from scripts.dev.running_app import ROOT, free_port, running, streamlit_command
from tests.fixtures.running_nginx import NGINX, nginx
from tests.fixtures.running_server import Visitor, elements, upgrade_status

pytestmark = pytest.mark.skipif(NGINX is None, reason="No nginx is installed.")
FORM = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n%s\r\n--b--\r\n'


class Replica(BaseHTTPRequestHandler):
    """Answers with the port on which it was asked."""

    def do_GET(self) -> None:
        name = str(self.server.server_address[1]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(name)))
        self.end_headers()
        self.wfile.write(name)

    def log_message(self, *_: object) -> None:
        pass


def ask(address: str, path: str, cookie: str = "") -> tuple[str, str]:
    """The body of an answer, and the cookie that came with it."""
    asking = HTTPConnection(urlsplit(address).netloc, timeout=10)
    try:
        asking.request("GET", path, headers={"Cookie": cookie} if cookie else {})
        response = asking.getresponse()
        return response.read().decode(), (response.getheader("Set-Cookie") or "").partition(";")[0]
    finally:
        asking.close()


def test_a_visitor_stays_with_one_server_and_visitors_spread_over_both(tmp_path: Path) -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Replica)) for _ in range(2)]
        for server in servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
        ports = (servers[0].server_address[1], servers[1].server_address[1])
        address = stack.enter_context(nginx(tmp_path, ports, "/flowers/"))
        homes = set()
        for _ in range(32):  # all to one of two by chance: once in 2 billion
            home, cookie = ask(address, "/flowers/")
            assert cookie.startswith("flowers_server=")
            later = [ask(address, f"/flowers/_stcore/{path}", cookie) for path in ("stream", "health", "media/1.jpg")]
            assert later == [(home, "")] * 3
            homes.add(home)
        assert homes == {str(port) for port in ports}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The app below its path behind nginx: its address, and nginx's folder."""
    folder = tmp_path_factory.mktemp("site")
    port = free_port()
    command = streamlit_command(ROOT / "app" / "main.py", port, "--server.baseUrlPath", "flowers")
    health = f"http://localhost:{port}/flowers/_stcore/health"
    data = {"FLOWERS_DATA_DIR": str(folder / "no-data-set"), "FLOWERS_CACHE_DIR": str(folder / "cache")}
    with (
        running(command, folder / "app.txt", health, data),
        nginx(folder, (port, port), "/flowers/_stcore/health") as address,
    ):
        yield f"{address}/flowers", folder


@pytest.mark.slow
def test_page_static_files_and_health_come_with_strict_headers(site: tuple[str, Path]) -> None:
    with Visitor(site[0]) as visitor:
        page = visitor.get("/")
        text = page.body.decode()
        script = re.search(r'<script type="module"[^>]* src="\.(/static/[^"]+)"', text)
        assert script
        static = visitor.get(script[1])
        health = visitor.get("/_stcore/health")
        missing = visitor.get("/../elsewhere")
    assert (page.status, static.status, health.status, missing.status) == (200, 200, 200, 404)
    assert "javascript" in static.headers["content-type"]
    assert health.body == b"ok"
    for answer in (page, static, health, missing):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "geolocation=()" in answer.headers["permissions-policy"]
        assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["server"] == "nginx"  # and no version
    inline = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(code.encode()).digest()).decode() for code in inline]
    policy = page.headers["content-security-policy"]
    assert re.findall(r"'sha256-([^']+)'", policy) == digests


@pytest.mark.slow
def test_scripts_come_compressed_and_are_kept_and_pictures_are_left_alone(site: tuple[str, Path]) -> None:
    static = Path(streamlit.__file__).parent / "static" / "static"
    script = max((static / "js").glob("index.*.js"), key=lambda path: path.stat().st_size)
    parts = urlsplit(site[0])

    def asked(path: str, **headers: str) -> tuple[HTTPMessage, bytes]:
        asking = HTTPConnection(parts.netloc, timeout=30)
        try:
            asking.request("GET", parts.path + path, headers=headers)
            response = asking.getresponse()
            return response.headers, response.read()
        finally:
            asking.close()

    headers, body = asked(f"/static/js/{script.name}", **{"Accept-Encoding": "gzip"})
    assert headers["Content-Encoding"] == "gzip"
    assert "immutable" in headers["Cache-Control"]
    assert gzip.decompress(body) == script.read_bytes()
    assert len(body) < 0.5 * script.stat().st_size
    headers, body = asked(f"/static/js/{script.name}")
    assert headers["Content-Encoding"] is None
    assert body == script.read_bytes()
    font = next(static.rglob("*.woff2"))
    headers, body = asked(f"/static/{font.relative_to(static).as_posix()}", **{"Accept-Encoding": "gzip"})
    assert headers["Content-Encoding"] is None
    assert body == font.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("path", ["", "/"])
def test_who_asks_for_less_is_led_to_the_page(site: tuple[str, Path], path: str) -> None:
    asking = HTTPConnection(urlsplit(site[0]).netloc, timeout=10)
    asking.request("GET", path or "/flowers")
    response = asking.getresponse()
    asking.close()
    assert (response.status, response.getheader("Location")) == (302, "/flowers/")


@pytest.mark.slow
def test_a_photo_goes_through_and_is_answered(site: tuple[str, Path]) -> None:
    with Visitor(site[0]) as visitor:
        uploader = elements(visitor.run(), "file_uploader")[0].id
        came = visitor.run(widgets=visitor.upload(uploader, "flower.jpg", example_photo().read_bytes()))
        said = " ".join(element.body for element in elements(came, "html"))
        assert 'aria-label="Answer"' in said
        assert elements(came, "exception") == []


@pytest.mark.slow
def test_a_websocket_opens_under_the_site_s_name_only(site: tuple[str, Path]) -> None:
    assert upgrade_status(site[0], "localhost") == 101
    assert upgrade_status(site[0], "rebound.example") == 403


@pytest.mark.slow
def test_too_large_a_body_is_refused_before_it_is_sent(site: tuple[str, Path]) -> None:
    with Visitor(site[0]) as visitor:
        visitor.run()
        refused = visitor.announce(visitor.upload_path(), 52 * 1024**2)
        assert (refused.status, refused.headers["server"]) == (413, "nginx")
        assert b"<center>nginx" in refused.body  # its own word, before the app has heard of it


@pytest.mark.slow
def test_while_a_photo_arrives_nothing_of_it_lies_on_disk(site: tuple[str, Path]) -> None:
    body = FORM % bytes(4 * 1024**2)
    with Visitor(site[0]) as visitor:
        visitor.run()
        asking = HTTPConnection(urlsplit(site[0]).netloc, timeout=30)
        asking.putrequest("PUT", visitor.upload_path())
        asking.putheader("Cookie", "; ".join(f"{name}={value}" for name, value in visitor.cookies.items()))
        asking.putheader("Content-Type", "multipart/form-data; boundary=b")
        asking.putheader("Content-Length", str(len(body)))
        asking.putheader("X-Xsrftoken", visitor.cookies["_streamlit_xsrf"])
        asking.endheaders(body[: 3 * 1024**2])
        time.sleep(0.5)
        kept = [path for room in ("client_body", "proxy") for path in (site[1] / room).rglob("*") if path.is_file()]
        asking.send(body[3 * 1024**2 :])
        status = asking.getresponse().status
        asking.close()
    assert kept == []
    assert status == 204
