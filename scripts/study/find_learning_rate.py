"""Find the learning rates at which a network learns: the range test.

    flowers study find_learning_rate

The tail is trained for one run of growing rates from the probed head on, and thrown away; with `--head-epochs` from the
head that these trained. The suggested bounds are for `flowers train --learning-rate UPPER --lower-rate LOWER`, with the
same optimizer. `--fine-tune 0 --probe-views 0` tests a head alone, from a random start: the bounds are then for
`--head-learning-rate` and `--head-lower-rate`.
"""

import argparse
import tempfile
from pathlib import Path

from flowers_core.data.model_input import CropRule
from flowers_core.data.open_dataset import open_dataset
from flowers_core.storage.files import write_atomically, write_json
from scripts.options.command import add_data_option, as_usage_error, run, verb_parser
from scripts.options.recipe import add_recipe_options, head_recipe_of, parse_with_recipe, recipe_of


def main() -> None:
    """Parse the command line, run the test, write the plot and the numbers."""
    options = _parse()
    flowers = open_dataset(options.data)

    from flowers_core.networks.backbones import backbone_named, build_backbone
    from flowers_core.networks.classifier import build_classifier
    from flowers_core.training.figures import range_test_figure
    from flowers_core.training.fit import stepper
    from flowers_core.training.head_warmup import train_head
    from flowers_core.training.prepare import prepare
    from flowers_core.training.range_test import range_test

    rule = CropRule(options.size or backbone_named(options.backbone).size)
    backbone = build_backbone(options.backbone, weights_dir=options.weights, size=rule.size)
    classifier = build_classifier(backbone, len(flowers.names), dropout=options.recipe.dropout)
    split, examples = prepare(flowers, classifier, rule, options.recipe, options.cache)
    first = options.head_recipe if options.fine_tune else None
    if first is not None:
        with tempfile.TemporaryDirectory() as checkpoints:
            train_head(classifier, split, examples, first, Path(checkpoints))
    result = range_test(
        stepper(classifier, split, examples, options.recipe, trained_head=first is not None),
        lowest=options.lowest,
        highest=options.highest,
        steps=options.steps,
    )
    record = {
        "lower": result.lower,
        "upper": result.upper,
        "diverged": result.diverged,
        "recipe": options.recipe.to_json(),
        "rates": result.rates.tolist(),
        "losses": result.losses.tolist(),
    }
    part = "" if options.fine_tune else "_head"
    path = options.out / f"range_test_{options.backbone}{part}_{options.recipe.optimizer}"
    write_json(path.with_suffix(".json"), record)
    figure = range_test_figure(result, options.recipe.optimizer)
    write_atomically(path.with_suffix(".png"), lambda beside: figure.savefig(beside, dpi=120))
    print(
        f"Learning rates from {result.lower:.2g} to {result.upper:.2g} for {options.recipe.optimizer}: "
        f"see {path.with_suffix('.png')}."
    )


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    parser.add_argument("--backbone", default="efficientnet_lite0", help="name of the pretrained network")
    parser.add_argument("--size", type=int, help="side of the model's input in pixels (default: the backbone's own)")
    parser.add_argument("--weights", type=Path, metavar="DIR", help="folder of the ImageNet weights")
    parser.add_argument("--fine-tune", type=int, default=30, metavar="N", help="the backbone's last N layers learn")
    parser.add_argument("--lowest", type=float, default=1e-6, help="first learning rate (default: 1e-6)")
    parser.add_argument("--highest", type=float, default=1.0, help="last learning rate (default: 1)")
    parser.add_argument("--steps", type=int, default=150, help="steps of the test (default: 150)")
    parser.add_argument(
        "--out", type=Path, default=Path("runs"), metavar="DIR", help="folder of the plot and the numbers"
    )
    parser.add_argument("--cache", type=Path, default=Path("cache"), metavar="DIR", help="where features are kept")
    add_data_option(parser)
    add_recipe_options(parser)
    options = parse_with_recipe(parser)
    from flowers_core.networks import start_tensorflow

    start_tensorflow(quietly=True)
    from flowers_core.networks.backbones import backbone_named
    from flowers_core.storage.paths import default_weights_dir

    if not 0 < options.lowest < options.highest or options.steps < 10:
        parser.error("the rates must grow from above 0, over at least 10 steps")
    with as_usage_error(parser):
        backbone_named(options.backbone)
        options.recipe, options.head_recipe = recipe_of(options, options.fine_tune), head_recipe_of(options)
    options.weights = options.weights or default_weights_dir()
    return options


if __name__ == "__main__":
    run(main)
