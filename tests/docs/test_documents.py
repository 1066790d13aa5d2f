"""What the documents name exists: files, links, names of the code, verbs and their options."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from scripts.__main__ import VERBS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    "README.md",
    "SECURITY.md",
    "NOTICE",
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
)
SUFFIXES = {".cff", ".csv", ".json", ".md", ".npz", ".png", ".py", ".toml", ".txt", ".yaml", ".yml"}
ROOMS = ("app", "docs", "flowers_core", "models", "scripts", "tests")


def text_of(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def code_spans(document: str) -> list[str]:
    """What stands between backticks on a line."""
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text_of(document))


def command_lines(document: str) -> list[str]:
    """Calls of the command line, in code blocks and between backticks, without comments."""
    blocks = re.findall(r"```sh\n(.*?)```", text_of(document), re.DOTALL)
    lines = [line.split(" #")[0] for block in blocks for line in block.splitlines()] + code_spans(document)
    parts = [part for line in lines for part in re.split(r"&&|;|\{|\}", line)]
    return [part[part.index("flowers ") :] for part in parts if re.search(r"(^|[ /])flowers [a-z]", part)]


@cache
def names_in(module: Path) -> set[str]:
    """The names that a module defines, `Class.member` among them."""
    found = set()
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        for name, inside in _defined(node):
            found.add(name)
            found |= {f"{name}.{member}" for child in inside for member, _ in _defined(child)}
    return found


def _defined(node: ast.stmt) -> list[tuple[str, list[ast.stmt]]]:
    if isinstance(node, ast.ClassDef):
        return [(node.name, node.body)]
    if isinstance(node, ast.FunctionDef):
        return [(node.name, [])]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [(target.id, []) for target in targets if isinstance(target, ast.Name)]


def is_there(dotted: str) -> bool:
    """Whether `flowers_core.room.module.Name` is there: a package, a module, or what a module defines."""
    words = dotted.split(".")
    for count in range(len(words), 0, -1):
        place = ROOT.joinpath(*words[:count])
        name = ".".join(words[count:])
        if place.is_dir() and not name:
            return True
        if place.with_suffix(".py").is_file():
            return not name or name in names_in(place.with_suffix(".py"))
    return False


@cache
def options_of(verb: str) -> set[str]:
    """The options that a verb's parser is given, in its own file or in the files of options."""
    own = ROOT / "scripts" / Path(*verb.split()).with_suffix(".py")
    shared = (ROOT / "scripts" / "options").glob("*.py")
    found = set()
    for path in (own, *shared, ROOT / "scripts" / "benchmarks" / "__main__.py"):
        found |= set(re.findall(r"\"(--[a-z0-9-]+)\"", path.read_text(encoding="utf-8")))
    # Those of the recipe are made from the names of its fields.
    recipe = (ROOT / "flowers_core" / "training" / "recipe.py").read_text(encoding="utf-8")
    return found | {f"--{name.replace('_', '-')}" for name in re.findall(r"^    ([a-z_]+):", recipe, re.MULTILINE)}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text_of(document))
    inside = [link for link in links if not link.startswith("http")]
    assert [link for link in inside if not (ROOT / document).parent.joinpath(link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_are_there(document: str) -> None:
    paths = [span for span in code_spans(document) if re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?", span)]
    files = [path for path in paths if path.split("/")[0] in ROOMS or Path(path).suffix in SUFFIXES]
    absent = [path for path in files if not is_dotted(path) and not (ROOT / path).exists()]
    assert [path for path in absent if not list(ROOT.glob(f"*/**/{path}"))] == []


def is_dotted(span: str) -> bool:
    return "/" not in span and span.split(".")[0] in ROOMS and not span.endswith((".py", ".md"))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_names_of_the_code_are_there(document: str) -> None:
    spans = [span for span in code_spans(document) if re.fullmatch(r"\w+(\.\w+)+", span) and is_dotted(span)]
    assert [span for span in spans if not is_there(span)] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_verbs_and_their_options_are_there(document: str) -> None:
    for line in command_lines(document):
        words = line.split()[1:]
        verb = next((verb for verb in VERBS if words[: len(verb.split())] == verb.split()), None)
        if verb is None:
            assert words[0] in ("VERB", "study", "benchmarks"), line
            continue
        used = {word for word in words if word.startswith("--")} - {"--help"}
        assert used <= options_of(verb), line


@pytest.mark.parametrize("document", DOCUMENTS)
def test_targets_of_make_are_there(document: str) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)`|^make ([a-z-]+) ", text_of(document), re.MULTILINE)) <= {
        pair for target in targets for pair in ((target, ""), ("", target))
    }


def test_each_guide_has_five_steps() -> None:
    guides = text_of("docs/DEVELOPING.md").split("## How to add …")[1].split("\n## ")[0].split("\n### ")[1:]
    assert [guide.splitlines()[0] for guide in guides] == [
        "an explanation method",
        "a backbone",
        "a verb",
        "a page",
        "a data set",
    ]
    for guide in guides:
        assert [line[:2] for line in guide.splitlines() if re.match(r"\d\.", line)] == ["1.", "2.", "3.", "4.", "5."]


def test_every_room_and_page_is_on_the_map() -> None:
    rooms = {f"flowers_core/{path.parent.name}" for path in (ROOT / "flowers_core").glob("*/__init__.py")}
    assert rooms <= set(code_spans("docs/DEVELOPING.md"))
    pages = re.findall(r'st\.Page\(.*\btitle="(\w+)"', (ROOT / "app" / "main.py").read_text(encoding="utf-8"))
    assert all(f"| *{page}* |" in text_of("README.md") for page in pages)


def test_each_term_of_the_glossary_has_a_meaning_and_a_name() -> None:
    rows = [line.strip("| ").split(" | ") for line in text_of("docs/GLOSSARY.md").splitlines() if line.startswith("| ")]
    terms = [row for row in rows if row[0] != "term"]
    assert all(len(row) == 4 and all(row) for row in terms)
    assert len({row[0] for row in terms}) == len(terms) >= 60
    assert all(is_dotted(row[2].strip("`")) for row in terms)


def test_every_verb_is_told_of() -> None:
    told = {" ".join(line.split()) for document in DOCUMENTS for line in command_lines(document)}
    benchmarks = {verb for verb in VERBS if verb.startswith("benchmarks ")}
    assert [verb for verb in VERBS if not any(f"{line} ".startswith(f"flowers {verb} ") for line in told)] == [
        verb
        for verb in VERBS
        if verb
        in benchmarks
        - {
            f"benchmarks {name}"
            for name in ("inference", "gallery", "lime", "training", "exports", "own_photos", "photos_memory")
        }
    ]
    assert all(f"`{verb.split()[1]}`" in text_of("docs/TRAINING.md") for verb in benchmarks - {"benchmarks inference"})
