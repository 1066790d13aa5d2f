"""What is said to a person has one base; what ends a run or a programmer's mistake has not."""

import ast
from pathlib import Path

CORE = Path(__file__).resolve().parents[1] / "flowers_core"
#: Raised and caught inside the core, or by the caller's own wish: nobody reads them.
SIGNALS = {"ExplanationStopped", "_BrokenOff", "_Stopped"}


def exceptions() -> dict[str, set[str]]:
    """Every exception that the core defines → its bases."""
    classes = {}
    for path in CORE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                classes[node.name] = {base.id for base in node.bases if isinstance(base, ast.Name)}
    builtin = {"Exception", "ValueError", "RuntimeError", "OSError", "LookupError", "KeyError", "TypeError"}

    def is_exception(name: str) -> bool:
        return name in builtin or any(is_exception(base) for base in classes.get(name, set()))

    return {name: bases for name, bases in classes.items() if is_exception(name)}


def test_every_error_for_a_person_is_a_flowers_error() -> None:
    found = exceptions()

    def is_ours(name: str) -> bool:
        return name == "FlowersError" or any(is_ours(base) for base in found.get(name, set()))

    assert len(found) > 15
    assert {name for name in found if not is_ours(name)} == SIGNALS
