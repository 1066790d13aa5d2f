from dataclasses import replace

import numpy as np
import pytest

from app.elements.words import capital, latin, listed, percent, plain
from app.identify.answer import close_rival, describe, roll_up
from app.identify.neighbours import count_sentence
from flowers_core.data.photo_ref import oxford
from flowers_core.data.taxonomy import load_taxonomy, taxonomy_of
from flowers_core.inference.prediction import Prediction, predict
from flowers_core.inference.records.calibration import Calibration
from flowers_core.retrieval.neighbour import Neighbour

TAXONOMY = load_taxonomy()
CALIBRATION = Calibration(temperature=1.0, conformal_coverage=0.95, conformal_threshold=0.9, unsure_below=0.6)


def prediction(**shares: float) -> Prediction:
    """A prediction with the given probabilities by class; what is left is spread over all others."""
    names = {name.replace(" ", "_").replace("-", "_"): taxon.label for taxon in TAXONOMY for name in [taxon.name]}
    left = 1 - sum(shares.values())
    probabilities = np.full(102, left / (102 - len(shares)))
    for name, share in shares.items():
        probabilities[names[name] - 1] = share
    return predict(np.log(probabilities), CALIBRATION, TAXONOMY)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (1, "100\xa0%"),
        (0.999, ">\xa099\xa0%"),
        (0.995, ">\xa099\xa0%"),
        (0.994, "99\xa0%"),
        (0.5, "50\xa0%"),
        (0.004, "<\xa01\xa0%"),
        (0, "0\xa0%"),
    ],
)
def test_percent_never_rounds_to_certainty(share: float, text: str) -> None:
    assert percent(share) == text


def test_lists_and_capitals() -> None:
    assert listed(["rose"], "or") == "rose"
    assert listed(["rose", "lily"], "and") == "rose and lily"
    assert listed(["rose", "lily", "iris"], "or") == "rose, lily or iris"
    assert capital("lenten rose") == "Lenten rose"


def test_latin_names_are_set_as_botanists_do() -> None:
    by_name = {taxon.name: taxon for taxon in TAXONOMY}
    assert latin(by_name["sweet pea"]) == "<i>Lathyrus odoratus</i>"
    assert latin(by_name["rose"]) == "<i>Rosa</i> (genus)"
    upright = next(taxon for taxon in TAXONOMY if taxon.genus is None)
    assert latin(upright) == upright.family
    assert latin(taxonomy_of(["edelweiss"])[1]) == ""


def test_sure() -> None:
    answer = describe(prediction(sunflower=0.97), TAXONOMY)
    assert (answer.mark, answer.headline) == ("Sure", "Sunflower")
    assert answer.sentences.startswith("97\xa0% probable")


def test_between_two_that_are_close() -> None:
    answer = describe(prediction(rose=0.5, camellia=0.4), TAXONOMY)
    assert (answer.mark, answer.headline) == ("Undecided", "Rose or camellia")
    assert answer.sentences.startswith("Rose is 50\xa0% and camellia 40\xa0% probable.")
    assert (
        close_rival(prediction(rose=0.5, camellia=0.4)) == {taxon.name: taxon.label for taxon in TAXONOMY}["camellia"]
    )
    for other in (
        prediction(rose=0.7, camellia=0.2),
        prediction(rose=0.4, camellia=0.3, azalea=0.2),
        prediction(rose=0.97),
    ):
        assert close_rival(other) is None


def test_a_clear_lead_over_what_cannot_be_ruled_out() -> None:
    answer = describe(prediction(rose=0.7, camellia=0.2), TAXONOMY)
    assert (answer.mark, answer.headline) == ("Likely", "Probably rose")
    assert answer.sentences == "70\xa0% probable; camellia cannot be ruled out."
    answer = describe(prediction(rose=0.4, camellia=0.3, azalea=0.2), TAXONOMY)
    assert answer.headline == "Probably rose"
    assert "camellia or azalea cannot be ruled out" in answer.sentences


def test_unsure_owns_up_to_knowing_only_these_flowers() -> None:
    answer = describe(prediction(rose=0.2), TAXONOMY)
    assert (answer.mark, answer.headline) == ("Not sure", "Perhaps rose")
    assert "only 20\xa0% probable" in answer.sentences
    assert "102 flowers" in answer.sentences
    # More than half is not “only”, little as it is to rely on.
    assert describe(prediction(rose=0.55), TAXONOMY).sentences.startswith("Its best guess is 55\xa0% probable.")


def test_more_than_a_guess_is_called_likely_unless_the_whole_photo_looks_strange() -> None:
    likely = replace(prediction(rose=0.82), verdict="unsure")
    answer = describe(likely, TAXONOMY)
    assert (answer.mark, answer.headline) == ("Likely", "Probably rose")
    assert answer.sentences.startswith("82\xa0% probable.")
    assert describe(replace(likely, strange=True), TAXONOMY).headline == "Perhaps rose"


def test_relatives_are_named_when_they_say_more_than_one_class() -> None:
    # Three of the daisy family at 20 % each say little; the family says 60 % and more.
    groups = roll_up(prediction(sunflower=0.2, gazania=0.2, marigold=0.2, rose=0.1))
    assert groups[0].rank == "family"
    assert groups[0].name == "Asteraceae"
    assert groups[0].probability == pytest.approx(0.6, abs=0.1)
    assert roll_up(prediction(rose=0.3)) == []


def test_neighbours_agree_or_disagree() -> None:
    found = [Neighbour(oxford(i), 54, "test", 0.9) for i in range(3)] + [Neighbour(oxford(9), 74, "test", 0.8)]
    assert count_sentence(found, 54, TAXONOMY) == ("3 of the 4 nearest are labelled **sunflower**, as the model says.")
    assert "disagree" in count_sentence(found, 74, TAXONOMY)
    assert "1 rose" in count_sentence(found, 74, TAXONOMY)
    assert "none snapdragon" in count_sentence(found, 11, TAXONOMY)


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("IMG 17 (2).jpg", "IMG 17 (2).jpg"),
        ("a photo: its name", "a photo: its name"),
        ("![x](//elsewhere.example/a.png)", r"\!\[x\](//elsewhere.example/a.png)"),
        ("<b>*it*</b> `on` $x$", r"\<b\>\*it\*\</b\> \`on\` \$x\$"),
        (":red[one] :smile: https://x.y WWW.x.y", r"\:red\[one\] \:smile: https\://x.y WWW\.x.y"),
        ("two\nlines\n# and a title", r"two lines \# and a title"),
    ],
)
def test_a_visitors_text_is_nothing_but_text_in_markdown(text: str, markdown: str) -> None:
    assert plain(text) == markdown
