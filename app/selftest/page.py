"""*Test yourself*: does an explanation help a person to spot the model's mistakes? Nothing is stored."""

import secrets
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from app.elements.csv_button import offer_csv
from app.elements.dataset_offer import offer_download
from app.elements.model_choice import choose_bundle
from app.elements.sibling_note import draw_tested
from app.elements.words import capital, percent
from app.resources import records
from app.resources.data import photos_here
from app.selftest.trial import draw_trial
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.errors import FlowersError
from flowers_core.evaluation.self_test import Share, Trial, draw_trials, judged_rightly

FORMAT = "int8"
# In the session's state: what the photos are drawn by, and what was said of each so far.
_DRAW, _SAID = "test-draw", "test-said"


def begin() -> None:
    """Start with other photos."""
    st.session_state[_DRAW], st.session_state[_SAID] = secrets.randbelow(2**31), []


def say(right: bool) -> None:
    """Keep what the person said of the photo in view. right: whether they take the answer for right."""
    st.session_state[_SAID] = [*st.session_state[_SAID], right]


def share_words(share: Share) -> str:
    """A share as people read it, with its interval."""
    low, high = share.interval
    return f"**{share.hits} of {share.photos}** ({percent(low)} to {percent(high)})"


def sheet(trials: Sequence[Trial], said: Sequence[bool], taxonomy: Taxonomy) -> pd.DataFrame:
    """One row for each photo: what it shows, what it was called, and what the person said.

    Args:
        trials: the photos.
        said: for each, whether the person took the answer for right.
        taxonomy: the classes' names.
    """
    return pd.DataFrame(
        [
            {
                "photo": trial.photo_id,
                "shows": taxonomy[trial.label].name,
                "called": taxonomy[trial.predicted].name,
                "explained": trial.explained,
                "you said": "right" if right else "wrong",
                "you were right": trial.right == right,
            }
            for trial, right in zip(trials, said, strict=True)
        ]
    )


def draw_score(trials: Sequence[Trial], said: Sequence[bool], taxonomy: Taxonomy) -> None:
    """How well the person judged, with and without explanations, and their sheet."""
    lines = ["| | judged rightly | mistakes spotted |", "|---|---|---|"]
    for title, explained in (("with an explanation", True), ("without", False)):
        judged, spotted = judged_rightly(trials, said, explained=explained)
        lines.append(f"| {title} | {share_words(judged)} | {share_words(spotted)} |")
    st.subheader("How you did")
    st.markdown("\n".join(lines))
    st.markdown(
        "In brackets is the range in which your true share probably lies (95 %). With so few photos it is wide: "
        "only a large difference says anything, and several sheets say more than one."
    )
    st.button("Twelve other photos", icon=":material/refresh:", on_click=begin, key="test-again")
    table = sheet(trials, said, taxonomy)
    st.dataframe(table, hide_index=True, alt="What you said of each photo")
    offer_csv(table, "test-yourself.csv")


st.title("Test yourself")
st.html(
    '<p class="lede">Twelve test photos with the model’s answer, half of them wrong. Half come with an '
    "explanation. Say of each whether the answer is right, and see whether explanations help you to spot "
    "mistakes. Nothing is kept unless you download your sheet.</p>"
)
bundle = draw_tested(choose_bundle())
if not photos_here(bundle.photo_set):
    offer_download("test", "This needs the test photos, and they are not on this machine.", bundle.photo_set)
    st.stop()
taxonomy = bundle.taxonomy
if _DRAW not in st.session_state or st.session_state.get("test-of") != bundle.name:
    st.session_state["test-of"] = bundle.name
    begin()
try:
    trials = draw_trials(records.predictions(bundle, FORMAT), st.session_state[_DRAW])
except FlowersError as error:
    st.error(str(error), icon=":material/error:")
    st.stop()
said = st.session_state[_SAID]
if len(said) == len(trials):
    draw_score(trials, said, taxonomy)
    st.stop()
trial = trials[len(said)]
st.progress(len(said) / len(trials), f"Photo {len(said) + 1} of {len(trials)}")
st.markdown(f"The model says: **{capital(taxonomy[trial.predicted].name)}**. Is it right?")
with st.container(horizontal=True, gap="small"):
    st.button("Right", icon=":material/check:", on_click=say, args=(True,), key="test-right")
    st.button("Wrong", icon=":material/close:", on_click=say, args=(False,), key="test-wrong")
draw_trial(trial, bundle, FORMAT, taxonomy)
