"""Docstrings of what is public in the core say what is taken and what is raised, in Google sections."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TREES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "flowers_core").rglob("*.py"))
}


@dataclass(frozen=True)
class Documented:
    """A public function or method; of a constructor, the docstring may be its class's."""

    place: str
    parameters: tuple[str, ...]
    words: str
    raised: frozenset[str]

    def section(self, title: str) -> str:
        found = re.search(rf"^{title}:\n((?:    .*\n?|\n)+)", self.words, re.MULTILINE)
        return found[1] if found else ""

    def described(self) -> set[str]:
        """The parameters that the docstring's Args name, one or several to a line."""
        lines = re.findall(r"^    ([*\w]+(?:, [*\w]+)*):", self.section("Args"), re.MULTILINE)
        return {name.lstrip("*") for line in lines for name in line.split(", ")}


def documented() -> Iterator[Documented]:
    for module, tree in TREES.items():
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                yield of_function(f"{module}:{node.lineno} {node.name}", node, ast.get_docstring(node) or "")
            elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                for method in node.body:
                    if isinstance(method, ast.FunctionDef) and re.match(r"__init__$|[^_]", method.name):
                        words = ast.get_docstring(method) or ""
                        if method.name == "__init__":
                            words = f"{words}\n\n{ast.get_docstring(node) or ''}"
                        yield of_function(f"{module}:{method.lineno} {node.name}.{method.name}", method, words)


def of_function(place: str, function: ast.FunctionDef, words: str) -> Documented:
    taken = function.args
    arguments = [*taken.posonlyargs, *taken.args, *taken.kwonlyargs, taken.vararg, taken.kwarg]
    names = [one.arg for one in arguments if one is not None and one.arg not in ("self", "cls")]
    raised = {name_of(node.exc) for node in own_nodes(function.body) if isinstance(node, ast.Raise) and node.exc}
    return Documented(place, tuple(names), words, frozenset(raised))


def own_nodes(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """What a function does itself, without what the functions defined in it do."""
    for node in body:
        yield node
        if not isinstance(node, ast.FunctionDef):
            yield from own_nodes(ast.iter_child_nodes(node))


def name_of(node: ast.expr) -> str:
    called = node.func if isinstance(node, ast.Call) else node
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def flowers_errors() -> set[str]:
    """FlowersError, and every class that descends from it."""
    classes = [node for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    found = {"FlowersError"}
    while more := {node.name for node in classes if {name_of(base) for base in node.bases} & found} - found:
        found |= more
    return found


def test_two_parameters_and_more_are_described() -> None:
    missing = [
        f"{one.place}: {', '.join(set(one.parameters) - one.described())}"
        for one in documented()
        if len(one.parameters) > 1 and not set(one.parameters) <= one.described()
    ]
    assert missing == []


def test_sentences_for_a_person_that_are_raised_are_told() -> None:
    """By name, in a section of their own where there is one on the parameters."""
    errors = flowers_errors()
    missing = [
        f"{one.place}: {', '.join(sorted(one.raised & errors))}"
        for one in documented()
        for told in [one.section("Raises") if len(one.parameters) > 1 else one.words]
        if one.raised & errors and not any(name in told for name in errors)
    ]
    assert missing == []
