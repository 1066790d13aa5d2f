"""*Identify*: a photo in, its name out, with why and what it resembles."""

import streamlit as st

from app import resources
from app.elements.model_choice import choose_model
from app.identify.answer import draw_answer, draw_candidates, draw_roll_up
from app.identify.crop_choice import chosen_part, draw_choice, offer_part
from app.identify.photo_choice import choose_photo
from flowers_core.data.photos import PhotoError
from flowers_core.inference.bundle import BundleError

st.title("Which flower is this?")
lede = st.empty()
chosen, beside = choose_photo()
taxonomy = resources.taxonomy()
if chosen is None:
    lede.html(
        f'<p class="lede">Give it a photo of a flower. The model names one of {len(taxonomy)} kinds, says how sure '
        "it is, shows what in the photo speaks for the name, and which known photos yours resembles. "
        "Your photo stays on the machine that runs this page.</p>"
    )
    resources.prepare()
    st.stop()

try:
    whole = resources.photo(chosen.content)
except PhotoError as error:
    st.error(str(error), icon=":material/broken_image:")
    st.stop()
try:
    photo = chosen_part(whole)
except PhotoError as error:
    st.warning(str(error), icon=":material/crop:")
    photo = whole

with beside.popover("Model", icon=":material/tune:"):
    bundle, precision = choose_model()
try:
    look = resources.look(photo, bundle, precision)
    prediction = resources.predict(look)
    of_whole = resources.predict(resources.look(whole, bundle, precision)) if photo.crop else None
except BundleError as error:
    st.error(str(error), icon=":material/error:")
    st.stop()

st.space("xsmall")
answer_column, photo_column = st.columns((6, 5), gap="large")
with answer_column:
    draw_answer(prediction, taxonomy, of_whole)
    closer_place, doubt_place = st.container(), st.empty()
    draw_candidates(prediction, taxonomy)
    draw_roll_up(prediction)
    unsure_of_whole = not (prediction.sure or photo.crop)
    if unsure_of_whole:
        offer_part()
with photo_column:
    width, height = whole.original_size
    facts = [chosen.name, f"{width} × {height}", whole.format, chosen.record]
    draw_choice(whole, " · ".join(filter(None, facts)))

# The answer is on the page by now; the rest may load what it needs.
if unsure_of_whole:
    from app.identify.suggested_crop import draw_closer

    with closer_place:
        draw_closer(look, prediction, taxonomy)

from app.identify.neighbours import doubt, draw_neighbours  # noqa: E402
from app.identify.why import draw_why  # noqa: E402

st.header("Why")
draw_why(look, prediction, chosen.photo_id)
if doubted := doubt(look, prediction, chosen.photo_id):
    doubt_place.info(doubted, icon=":material/compare:")
st.header("What it resembles")
draw_neighbours(look, prediction.candidates[0].label, chosen.photo_id)
