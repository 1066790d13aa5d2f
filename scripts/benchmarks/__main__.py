"""Measure speed as ratios in one run: `python -m scripts.benchmarks inference efficientnet_lite0`.

What is compared takes turns, photo by photo, so that whatever else the machine does meets everything alike. What can be
measured lies in `scripts/benchmarks/`, one module each.
"""

import argparse

from scripts.benchmarks import explain, gallery, inference, lime, pages, training
from scripts.options.command import run

# Each has NAME, HELP, add_arguments(parser) and measure(options).
VERBS = (inference, gallery, explain, lime, pages, training)


def main() -> None:
    """Parse the command line and measure what it names."""
    parser = argparse.ArgumentParser(prog="python -m scripts.benchmarks", description="Measure speed as ratios.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in VERBS:
        own = verbs.add_parser(verb.NAME, help=verb.HELP, description=verb.__doc__)
        verb.add_arguments(own)
        own.set_defaults(measure=verb.measure)
    options = parser.parse_args()
    if getattr(options, "rounds", 1) < 1:
        parser.error("--rounds must be at least 1")
    options.measure(options)


if __name__ == "__main__":
    run(main)
