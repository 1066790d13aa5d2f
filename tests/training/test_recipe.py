import dataclasses
import json
import subprocess
import sys

import pytest

from flowers_core.training.augmentation import CROPS
from flowers_core.training.recipe import Entry, Recipe, RecipeError, entries
from flowers_core.training.recipes import RECIPES, own_photos

RECIPE = Recipe(unfrozen_layers=2, epochs=6, views=3, probe_views=2)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"optimizer": "adam"}, "There is no optimizer 'adam'; choose one of adamw, sgd."),
        ({"schedule": "square"}, "There is no schedule 'square'; choose one of cosine, "),
        ({"average": "mean"}, "There is no average 'mean'; choose one of none, ema, valleys."),
        ({"kept_epoch": "first"}, "There is no kept epoch 'first'; choose one of last, best."),
        ({"epochs": 0}, "epochs must be at least 1, not 0."),
        ({"learning_rate": 0.0}, "learning_rate must be above 0, not 0."),
        ({"dropout": 1.0}, "dropout lies from 0 to below 1, not 1."),
        ({"teacher_weight": 1.5}, "teacher_weight lies from 0 to 1, not 1.5."),
        ({"probe_views": 4}, "at most the 3 views there are"),
        ({"patience": 2}, "goes back to the best epoch"),
        ({"lower_rate": 0.1}, "must not be above the highest"),
        ({"mixup": 0.2, "lwf_weight": 0.5}, "leave out one of the two"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(change: dict, sentence: str) -> None:
    with pytest.raises(RecipeError) as refused:
        dataclasses.replace(RECIPE, **change)
    assert sentence in str(refused.value)


def test_every_entry_says_what_it_may_be() -> None:
    names = {field.name for field in dataclasses.fields(Recipe)}
    assert set(entries()) == names
    assert all(entry.help for entry in entries().values())
    assert entries()["dropout"] == Entry("share of the embedding left out in a step", at_least=0, below=1)


def test_it_survives_json() -> None:
    assert Recipe.from_json(json.loads(json.dumps(RECIPE.to_json()))) == RECIPE


def test_a_recipe_from_before_an_entry_was_added_has_its_default() -> None:
    """But for the epoch kept: the best was kept as long as there was no choice."""
    values = json.loads(json.dumps(RECIPE.to_json()))
    for name in ("kept_epoch", "lwf_weight", "l2_sp", "mixup", "seed"):
        del values[name]
    del values["augmentation"]["scenery"]
    assert Recipe.from_json(values) == dataclasses.replace(RECIPE, kept_epoch="best")


@pytest.mark.parametrize("name", RECIPES)
def test_a_named_recipe_can_be_followed(name: str) -> None:
    options = RECIPES[name]("resnet50")
    values = {entry: options[entry] for entry in entries() if entry in options}
    recipe = Recipe(unfrozen_layers=options["fine_tune"], **(values | {"augmentation": CROPS}))
    assert recipe.epochs == options["epochs"]


def test_the_published_recipe_has_its_row_for_each_network() -> None:
    """Half-cycles of 16, 4 and 2 epochs of 15 steps; others take InceptionV3's row."""
    published = RECIPES["published"]
    rows = {name: published(name) for name in ("vgg16", "resnet50", "inception_v3", "mobilenet_v2")}
    assert [row["step_size"] for row in rows.values()] == [240, 60, 30, 30]
    assert [row["fine_tune"] for row in rows.values()] == [5, 20, 10, 10]
    assert rows["vgg16"]["schedule"] == "triangular2"


def test_recipes_need_no_tensorflow() -> None:
    script = (
        "import sys, flowers_core.training.recipe, flowers_core.training.recipes;"
        "sys.exit(bool({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    environment = {"PYTHONPATH": ":".join(path for path in sys.path if path)}
    assert subprocess.run([sys.executable, "-c", script], check=False, env=environment).returncode == 0


def test_the_recipe_for_photos_of_ones_own_by_their_number() -> None:
    """Batches of a sixteenth of the photos, 8 to 32, and a rate of 6e-4 for 32 in proportion."""
    many, some, few, hardly = (own_photos(photos, 93, seed=3) for photos in (1020, 300, 42, 5))
    assert many is not None
    assert (many.unfrozen_layers, many.batch_size, many.learning_rate, many.seed) == (31, 32, 6e-4, 3)
    assert many.interpolate
    assert some is not None
    assert some.batch_size == 18
    assert some.learning_rate == pytest.approx(3.375e-4)
    assert few is not None
    assert few.batch_size == 8
    assert hardly is not None
    assert hardly.batch_size == 5
    assert own_photos(5000, 93, seed=0) is not None
    assert own_photos(5001, 93, seed=0) is None
