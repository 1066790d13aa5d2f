"""Draw every schedule of the learning rate.

    flowers study show_schedules

Triangular, triangular2, exp_range, one-cycle, cosine and constant between the same two rates, as `flowers train`
follows them. The numbers lie beside the picture, one row a step.
"""

import argparse
from pathlib import Path

from flowers_core.storage.files import write_atomically, write_table
from scripts.options.command import as_usage_error, at_least, run, verb_parser
from scripts.options.recipe import add_recipe_options, parse_with_recipe, recipe_of


def main() -> None:
    """Parse the command line, draw the schedules, write their values."""
    options = _parse()
    from flowers_core.training.figures import schedule_curves, schedule_figure

    curves = schedule_curves(options.recipe, options.recipe.epochs * options.steps_per_epoch)
    figure = schedule_figure(curves, options.steps_per_epoch)
    path = options.out / "schedules.png"
    write_atomically(path, lambda beside: figure.savefig(beside, dpi=120, format="png"))
    rows = zip(*curves.values(), strict=True)
    write_table(
        path.with_suffix(".csv"),
        ["step", *curves],
        ([step, *(f"{rate:.6g}" for rate in rates)] for step, rates in enumerate(rows)),
    )
    print(f"Wrote {path} and {path.with_suffix('.csv')}.")


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    parser.add_argument(
        "--steps-per-epoch", type=at_least(1), default=31, metavar="N", help="default: 31, of 1020 photos by 32"
    )
    parser.add_argument("--backbone", default="efficientnet_lite0", help="whose row of --recipe is meant")
    parser.add_argument("--out", type=Path, default=Path("runs"), metavar="DIR", help="folder of picture and table")
    add_recipe_options(parser)
    parser.set_defaults(learning_rate=0.01, lower_rate=0.001, step_size=62)
    options = parse_with_recipe(parser)
    with as_usage_error(parser):
        options.recipe = recipe_of(options, 0)
    return options


if __name__ == "__main__":
    run(main)
