"""*Identify*: a photo in, its name out, with why and what it resembles."""

from contextlib import suppress
from importlib import import_module

import streamlit as st

from app.elements.model_choice import choose_model, known_classes
from app.elements.told import told
from app.elements.words import plain
from app.identify.answer import draw_answer, draw_candidates, draw_roll_up, looked_for, unlike_of
from app.identify.crop_choice import chosen_crop, draw_choice, is_whole_alone, offer_crop
from app.identify.examples import draw_examples
from app.identify.identified import Identified
from app.identify.looks import deciding_part, draw_looks, draw_whole_alone
from app.identify.own_tray import compared_with, draw_tray
from app.identify.photo_choice import choose_photo, given_together, take_example
from app.identify.report import offer_report
from app.identify.several_photos import draw_several
from app.resources import models, session
from app.resources.formats import start_timing
from flowers_core.data.photos import PhotoError
from flowers_core.errors import FlowersError
from flowers_core.inference.bundle import BundleError

#: What stands below the answer. Loaded after it where somebody comes with a photo at once.
BELOW = ("app.identify.neighbours", "app.identify.questions", "app.identify.teach")

st.title("Which flower is this?")
lede = st.empty()
chosen, beside = choose_photo()
draw_tray(chosen)
if chosen is None:
    count = known_classes()
    lede.html(
        f'<p class="lede">Give it a photo of a flower. The model names one of {count} kinds, says how sure '
        "it is, shows what in the photo speaks for the name, and which known photos yours resembles. "
        "Your photo stays on the machine that runs this page.</p>"
    )
    draw_examples(take_example)
    # The page is drawn. While the person looks for a photo, what its page takes is loaded.
    models.preload()
    start_timing()
    for below in BELOW:
        import_module(below)
    st.stop()

try:
    whole = chosen.read()
except PhotoError as error:
    st.error(str(error), icon=":material/broken_image:")
    st.stop()
try:
    photo = chosen_crop(whole)
except PhotoError as error:
    st.warning(str(error), icon=":material/crop:")
    photo = whole

with beside.popover("Model", icon=":material/tune:"):
    bundle, numeric_format = choose_model()
taxonomy = bundle.taxonomy
try:
    if together := given_together(chosen):
        draw_several(together, chosen.own, bundle, numeric_format, taxonomy)
    inference = session.infer(photo, bundle, numeric_format)
    of_whole = session.predict(session.infer(whole, bundle, numeric_format)) if photo.crop else None
    # A part that the person chose, or the whole photo on demand, is looked at once.
    answer = None if photo.crop or is_whole_alone() else session.answer(inference)
    prediction = answer.prediction if answer else session.predict(inference)
except BundleError as error:
    st.error(str(error), icon=":material/error:")
    st.stop()

decided = deciding_part(answer, inference) if answer else None
identified = Identified(inference, prediction, chosen.photo)

st.space("xsmall")
answer_column, photo_column = st.columns((6, 5), gap="large")
with answer_column:
    draw_answer(prediction, taxonomy, of_whole, unlike_of(inference) if prediction.novel else None)
    with told():
        models.confidence_head(bundle)
    if answer is not None:
        draw_looks(answer, decided, whole, taxonomy)
    elif is_whole_alone():
        draw_whole_alone()
    doubt_place = st.empty()
    draw_candidates(prediction, taxonomy)
    draw_roll_up(prediction)
    pictures_place = st.container()
    teach_place = st.container()
    if not (prediction.sure or photo.crop or decided):
        offer_crop()
with photo_column:
    width, height = whole.original_size
    facts = " · ".join(filter(None, [chosen.name, f"{width} × {height}", whole.format, chosen.record]))
    draw_choice(whole, plain(facts), decided)
    offer_report(identified, chosen.name, facts, taxonomy)

# The answer is on the page by now; the rest may load what it needs.
if other := compared_with(chosen):
    from app.identify.comparison import draw_comparison

    draw_comparison(identified, chosen.name, other, taxonomy)

from app.elements.model_picture import offer_class_pictures  # noqa: E402
from app.identify.neighbours import doubt, draw_neighbours  # noqa: E402
from app.identify.questions import draw_questions  # noqa: E402
from app.identify.teach import draw_teaching  # noqa: E402

with pictures_place:
    offer_class_pictures(bundle, looked_for(prediction), taxonomy)
with teach_place, told():
    draw_teaching(identified)
st.header("Why")
draw_questions(identified)
# The neighbours are those of the whole photo. Where a part decided they are no second opinion.
with suppress(FlowersError):
    if decided is None and (doubted := doubt(identified, taxonomy)):
        doubt_place.info(doubted, icon=":material/compare:")
st.header("What it resembles")
draw_neighbours(identified)
