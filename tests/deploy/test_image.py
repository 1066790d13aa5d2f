"""What `deploy/Dockerfile` and `deploy/compose.yaml` name is there, and starts."""

import os
import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from scripts.dev.running_app import ROOT, free_port, running

DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
COMPOSE = (ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8")


def lines(keyword: str) -> list[str]:
    """What follows a keyword of the Dockerfile, for each time that it stands there."""
    return re.findall(rf"^{keyword} +(.+)$", DOCKERFILE, re.MULTILINE)


def copied() -> list[str]:
    """The files and folders that the image takes."""
    return [word for line in lines("COPY") for word in line.split()[:-1]]


def variables() -> dict[str, str]:
    return dict(word.split("=", 1) for line in lines("ENV") for word in line.split())


def test_what_is_copied_is_there_and_let_in() -> None:
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = {rule[1:] for rule in rules if rule.startswith("!")}
    assert rules[1] == "*"
    assert set(copied()) == let_in
    assert [name for name in copied() if not (ROOT / name).exists()] == []
    assert {"app", "flowers_core", "models", "requirements-serve.txt"} <= set(copied())


def test_what_stays_out_is_only_what_tensorflow_reads() -> None:
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    out = [rule for rule in rules if rule and rule[0] not in "!#*"]
    assert out == ["models/*/classifier.keras"]
    files = [path.relative_to(ROOT).as_posix() for path in (ROOT / "models").rglob("*") if path.is_file()]
    left_out = [name for name in files if fnmatch(name, out[0])]
    assert left_out
    assert all(name.endswith(".keras") for name in left_out)


def test_only_what_serves_is_installed_and_by_nobody_in_particular() -> None:
    assert [line for line in lines("RUN") if "install" in line] == [
        "python -m pip install --no-cache-dir --no-compile --requirement requirements-serve.txt"
    ]
    assert lines("USER") == ["flowers"]
    assert "USER flowers" in DOCKERFILE[DOCKERFILE.rindex("COPY") :]  # what was copied is root's: it cannot be changed
    assert re.fullmatch(r"python:3\.1[123]-slim", lines("FROM")[0])


def test_the_variables_are_options_that_streamlit_and_the_app_know() -> None:
    from streamlit.config import get_config_options

    known = {option.env_var for option in get_config_options().values()} | {"PYTHONDONTWRITEBYTECODE"}
    paths = (ROOT / "flowers_core" / "storage" / "paths.py").read_text(encoding="utf-8")
    guide = (ROOT / "docs" / "DEPLOYING.md").read_text(encoding="utf-8")
    named = set(variables()) | set(re.findall(r"^    (STREAMLIT_\w+):", COMPOSE, re.MULTILINE))
    named |= set(re.findall(r"`((?:STREAMLIT|FLOWERS)_[A-Z_]+)`", guide)) - {"FLOWERS_LISTEN"}
    assert {name for name in named if name not in known and f'"{name}"' not in paths} == set()


def test_both_servers_are_behind_nginx_under_its_path() -> None:
    nginx = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    servers = re.findall(r"^  (app\d): \*app$", COMPOSE, re.MULTILINE)
    assert re.findall(r"server (app\d):8501;", nginx) == servers == ["app1", "app2"]
    assert "STREAMLIT_SERVER_BASE_URL_PATH: flowers\n" in COMPOSE
    assert "location /flowers/ {" in nginx
    assert "./nginx.conf:/etc/nginx/nginx.conf:ro" in COMPOSE
    assert (ROOT / "deploy" / "compose.yaml").parent.joinpath("..", "deploy", "Dockerfile").is_file()


def test_the_cloud_installs_what_serves() -> None:
    beside_main = ROOT / "app" / "requirements.txt"
    named = [line.removeprefix("-r ") for line in beside_main.read_text().splitlines() if line.startswith("-r ")]
    assert [(beside_main.parent / name).resolve() for name in named] == [ROOT / "requirements-serve.txt"]


def test_the_steps_without_docker_can_be_read_by_bash() -> None:
    subprocess.run(["bash", "-n", "deploy/try_image.sh"], cwd=ROOT, check=True)
    assert os.access(ROOT / "deploy" / "try_image.sh", os.X_OK)


@pytest.mark.slow
def test_the_entry_point_starts_and_the_health_check_passes(tmp_path: Path) -> None:
    entry = re.findall(r'"([^"]+)"', lines("ENTRYPOINT")[0])
    check = re.findall(r'"([^"]+)"', lines("HEALTHCHECK")[0].partition("CMD")[2])
    assert entry[0] == check[0] == "python"
    port = free_port()
    own = {"STREAMLIT_SERVER_PORT": str(port), "STREAMLIT_SERVER_ADDRESS": "127.0.0.1", "HOME": str(tmp_path)}
    given = variables() | own | {"STREAMLIT_SERVER_BASE_URL_PATH": "flowers"}
    health = f"http://127.0.0.1:{port}/flowers/_stcore/health"
    with running([sys.executable, *entry[1:]], tmp_path / "log.txt", health, given):
        subprocess.run([sys.executable, *check[1:]], cwd=ROOT, env=os.environ | given, check=True)
    failed = subprocess.run(
        [sys.executable, *check[1:]], cwd=ROOT, env=os.environ | given, capture_output=True, check=False
    )
    assert failed.returncode != 0
