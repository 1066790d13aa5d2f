"""The one command over all verbs: what it lists, what it runs, and that its overview imports nothing."""

import ast
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.__main__ import GROUPS, VERBS, main, overview, summary, unknown

ROOT = Path(__file__).resolve().parents[2]
NO_VERBS = {
    "__init__",
    "__main__",
    "explain_backends",
    "first_answer",
    "gallery_stores",
    "synthetic_gallery",
    "interleaved",
    "keras_worker",
    "machine",
    "plain_fit",
    "plain_guide",
    "index_workers",
    "plain_photos",
    "training_runs",
    "web_client",
    "export_clients",
}


def shell(*words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env={**os.environ, **environment}, capture_output=True, check=False
    )


def test_every_module_that_is_a_verb_is_listed() -> None:
    modules = [*(ROOT / "scripts").glob("*.py"), *(ROOT / "scripts/study").glob("*.py")]
    modules += (ROOT / "scripts/benchmarks").glob("*.py")
    found = {" ".join(path.relative_to(ROOT / "scripts").with_suffix("").parts) for path in modules}
    assert {name for name in found if name.split()[-1] not in NO_VERBS} == set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_one_line_in_the_overview_and_has_a_main(verb: str) -> None:
    tree = ast.parse((ROOT / "scripts" / f"{verb.replace(' ', '/')}.py").read_text(encoding="utf-8"))
    said = (ast.get_docstring(tree) or "").splitlines()
    assert said[0] == summary(verb)
    assert said[0].endswith(".")
    assert len(said[0]) <= 95
    assert said[2].strip().startswith(f"flowers {verb}")  # how it is called
    assert "main" in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert f"  {verb} " in overview()


def test_each_verb_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in VERBS:
        with pytest.raises(SystemExit) as left:
            main([*verb.split(), "--help"])
        said = capsys.readouterr().out
        assert left.value.code == 0
        assert said.startswith(f"usage: flowers {verb} ")
        assert summary(verb) in said


def test_the_overview_imports_nothing_but_what_python_brings() -> None:
    program = (
        "import sys; from scripts.__main__ import main; main(['--help'])\n"
        "print([name for name in sys.modules if name.partition('.')[0] in "
        "('numpy', 'flowers_core', 'tensorflow', 'keras', 'PIL', 'tqdm', 'argparse')])"
    )
    done = shell("-c", program)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().splitlines()
    assert lines[-1] == "[]"
    assert [line.removesuffix(":") for line in lines if line.removesuffix(":") in GROUPS] == list(GROUPS)


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (["trian"], "train"),
        (["ablat"], "study ablate"),
        (["study", "keep_records"], "study keep_record"),
        (["benchmarks", "lme"], "benchmarks lime"),
        (["evaluate-external"], "study evaluate_external"),
    ],
)
def test_a_mistyped_verb_is_told_the_nearest(words: list[str], near: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(words)
    said = capsys.readouterr().err
    assert said.startswith(f"There is no verb '{' '.join(words)}'.")
    assert f"Did you mean `flowers {near}`?" in said


def test_nothing_like_it_gets_no_guess() -> None:
    assert unknown(["xyzzy"]) == "There is no verb 'xyzzy'. `flowers --help` lists them all."
    assert unknown(["study"]).startswith("There is no verb 'study'.")


def test_the_words_after_the_verb_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(sys, "argv", ["flowers"])
    module = importlib.import_module("scripts.study.keep_record")
    monkeypatch.setattr(module, "main", lambda: seen.append(sys.argv))
    main(["study", "keep_record", "a", "--models", "b"])
    assert seen == [["flowers study keep_record", "a", "--models", "b"]]


def test_a_verb_is_a_module_too_and_an_old_console_stops_neither() -> None:
    """cp1252 knows neither "≥" nor "→"; a pipe that nobody reads ends the command as it ends `ls`."""
    done = shell("-m", "scripts.study.keep_record", "--help", PYTHONIOENCODING="cp1252")
    assert done.stdout.startswith(b"usage: python -m scripts.study.keep_record ")
    program = "from scripts.options.command import run; run(lambda: print('1 \\u2192 2, caf\\udce9.jpg \\u2265'))"
    done = shell("-c", program, PYTHONIOENCODING="cp1252")
    assert (done.returncode, done.stdout.strip()) == (0, b"1 ? 2, caf?.jpg ?")
    many = "from scripts.options.command import run; run(lambda: print('x' * 10**6))"
    pipe = subprocess.Popen([sys.executable, "-c", many], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert pipe.stdout is not None
    pipe.stdout.close()
    assert (pipe.communicate()[1], pipe.returncode) == (b"", 141)


@pytest.mark.parametrize(("verb", "threads"), [("identify", "1"), ("unpack", None)])
def test_a_verb_that_answers_photos_on_every_core_multiplies_on_one(
    verb: str, threads: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "")  # so that it is as before afterwards
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    with pytest.raises(SystemExit):
        main([verb, "--help"])
    assert os.environ.get("OPENBLAS_NUM_THREADS") == threads
    assert verb in VERBS
