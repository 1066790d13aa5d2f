import argparse
import dataclasses

import pytest

from flowers_core.inference.commands import option_words
from flowers_core.training.augmentation import STRONG
from flowers_core.training.recipe import Recipe, RecipeError
from scripts.options.recipe import add_recipe_options, given, recipe_of


@pytest.fixture
def parser():
    parser = argparse.ArgumentParser()
    add_recipe_options(parser)
    return parser


def test_without_options_the_recipe_has_its_own_defaults(parser):
    options = parser.parse_args([])
    assert recipe_of(options, 30) == Recipe(unfrozen_layers=30, epochs=options.epochs)
    assert given(options, parser) == {}


def test_every_entry_of_a_recipe_has_its_option(parser):
    names = {field.name for field in dataclasses.fields(Recipe)} - {"unfrozen_layers"}
    assert names <= set(vars(parser.parse_args([])))


def test_what_was_typed_is_told_and_gives_the_same_recipe_again(parser):
    line = (
        "--epochs 5 --augmentation wild --schedule triangular2 --learning-rate 0.0004 --kept-epoch best --patience 3 "
        "--no-interpolate"
    )
    options = parser.parse_args(line.split())
    recipe = recipe_of(options, 10)
    assert (recipe.epochs, recipe.augmentation, recipe.patience, recipe.interpolate) == (5, STRONG, 3, False)
    assert recipe_of(parser.parse_args(option_words(given(options, parser))), 10) == recipe


def test_a_recipe_that_makes_no_sense_is_told_in_a_sentence(parser):
    with pytest.raises(RecipeError, match="dropout lies from 0 to below 1, not 1"):
        recipe_of(parser.parse_args(["--dropout", "1"]), 10)
