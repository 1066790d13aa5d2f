"""One command for everything offline: `flowers VERB …`; `flowers --help` lists the verbs.

`flowers study ablate` is `python -m scripts.study.ablate`: a verb is a module of this package, its words are the
module's path. Its line in the overview is the first line of its docstring, read without importing it, so that the
overview is there at once.
"""

import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_FOLDER = Path(__file__).parent

#: Every verb by group, in the order in which the overview lists them.
GROUPS: Mapping[str, Sequence[str]] = {
    "Use a bundle": ("app", "identify", "index", "teach", "export", "pack", "unpack"),
    "Make a bundle, in this order": (
        "download_data",
        "audit_data",
        "download_weights",
        "train",
        "join",
        "quantize",
        "evaluate",
        "fit_confidence",
        "build_gallery",
        "project_embeddings",
        "fit_concepts",
        "visualize_features",
        "evaluate_explanations",
        "evaluate_localization",
        "evaluate_counterfactuals",
        "evaluate_representers",
        "write_results",
    ),
    "Study: what informs a choice": (
        "study find_learning_rate",
        "study show_schedules",
        "study show_augmentations",
        "study ablate",
        "study keep_record",
        "study evaluate_ensemble",
        "study evaluate_multi_crop",
        "study evaluate_several_photos",
        "study download_external",
        "study evaluate_external",
        "study evaluate_teaching",
        "study evaluate_near_novelty",
        "study estimate_scale",
    ),
    "Benchmarks: ratios measured in one run": (
        "benchmarks inference",
        "benchmarks gallery",
        "benchmarks gallery_pages",
        "benchmarks explain",
        "benchmarks identify",
        "benchmarks index",
        "benchmarks lime",
        "benchmarks pages",
        "benchmarks by_hand",
        "benchmarks training",
        "benchmarks own_photos",
        "benchmarks photos_memory",
        "benchmarks exports",
    ),
}
#: Verbs that answer photos on every core. OpenBLAS would give each of their small products all cores as well, and its
#: threads wait by spinning: on two cores with VNNI `flowers identify` then has 58 % of the speed of bare passes.
ANSWERING = ("identify", "index", "benchmarks identify", "benchmarks index")
VERBS = tuple(verb for verbs in GROUPS.values() for verb in verbs)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the verb that the command line names, or list them all."""
    from scripts.options.output import print_whatever_comes

    words = list(sys.argv[1:] if arguments is None else arguments)
    print_whatever_comes()
    if not words or words[0] in ("-h", "--help", "help"):
        print(overview())
        return
    verb = next((verb for verb in VERBS if words[: len(verb.split())] == verb.split()), None)
    if verb is None:
        print(unknown(words), file=sys.stderr)
        sys.exit(2)
    if verb in ANSWERING:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when NumPy is loaded
    module = importlib.import_module(f"scripts.{verb.replace(' ', '.')}")
    from scripts.options.command import run

    sys.argv = [f"flowers {verb}", *words[len(verb.split()) :]]
    run(module.main)


def overview() -> str:
    """Every verb with its line, group by group."""
    width = max(map(len, VERBS))
    lines = ["usage: flowers VERB …", "", "`flowers VERB --help` says what a verb takes."]
    for group, verbs in GROUPS.items():
        lines += ["", f"{group}:", *(f"  {verb:{width}}  {summary(verb)}" for verb in verbs)]
    return "\n".join(lines)


def summary(verb: str) -> str:
    """The first line of a verb's docstring."""
    with _FOLDER.joinpath(*verb.split()).with_suffix(".py").open(encoding="utf-8") as module:
        return module.readline().strip().strip('"')


def unknown(words: Sequence[str]) -> str:
    """What to say of words that are no verb, with the nearest one."""
    from difflib import get_close_matches

    known = {verb.split()[-1]: verb for verb in VERBS} | {verb: verb for verb in VERBS}
    grouped = any(verb.startswith(f"{words[0]} ") for verb in VERBS)
    asked = " ".join(words[:2]) if grouped else words[0]
    near = [known[name] for name in get_close_matches(asked, known, n=1)]
    hint = f" Did you mean `flowers {near[0]}`?" if near else ""
    return f"There is no verb '{asked}'.{hint} `flowers --help` lists them all."


if __name__ == "__main__":
    main()
