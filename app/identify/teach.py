"""“It does not know this flower”: name it, give a few photos, see what the lesson costs, keep it or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from app.elements.words import capital, listed, percent, plain
from app.identify.identified import Identified
from app.identify.taught import draw_lessons
from app.resources import lessons, session
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.errors import FlowersError
from flowers_core.inference.bundle import Bundle

if TYPE_CHECKING:
    from flowers_core.lessons.proposal import Proposal

NAME, ASKED = "lesson-name", "lesson-asked"
# The uploader's key has the number of lessons kept: after each it begins anew, empty.
_ROUND, _KEPT = "lesson-round", "lesson-kept"
#: Photos with which a new flower is learnt well.
ENOUGH = 3
# Names that a sentence lists at most.
_LISTED = 4


def draw_teaching(identified: Identified) -> None:
    """What the model was taught, and the way to teach it this photo's flower."""
    bundle = identified.inference.bundle
    if kept := st.session_state.pop(_KEPT, None):
        st.success(kept, icon=":material/school:")
    if not lessons.can_be_taught(bundle):
        return
    if bundle.manifest.taught:
        draw_lessons(bundle)
    with st.expander("Wrong, or not a flower that it knows? Teach it", icon=":material/school:"):
        _draw_lesson(identified)


def _draw_lesson(identified: Identified) -> None:
    bundle, taxonomy = identified.inference.bundle, identified.inference.bundle.taxonomy
    st.markdown(
        "Say what it is, and it learns from this photo and others of the same flower, for you alone and until you "
        "leave. Photos are not kept; what they look like to the model is."
    )
    name = st.text_input("What is it?", key=NAME, max_chars=80, placeholder="a new name, or one that it knows")
    files = st.file_uploader(
        "More photos of it",
        accept_multiple_files=True,
        key=f"lesson-photos-{st.session_state.get(_ROUND, 0)}",
        help="For a new flower three to ten in all; this photo counts as one. To correct a mistake, this one will do.",
    )
    photo = identified.inference.photo
    read, problems = lessons.read([(plain(file.name), file.getvalue()) for file in files], bundle)
    if photo.sha256 in read:
        problems.append("The photo above is among them; it counts once.")
    seen = session.infer(photo, bundle, lessons.FORMAT)  # made already where INT8 answers
    photos = {photo.sha256: seen.forward.embedding[0], **read}
    for problem in problems:
        st.warning(problem, icon=":material/broken_image:")
    asked = (name.strip(), *photos)
    if st.button("See what it would learn", key="lesson-see", type="primary"):
        st.session_state[ASKED] = asked
    if st.session_state.get(ASKED) != asked:
        return
    if not name.strip():
        st.warning("Say first what flower it is.", icon=":material/edit:")
        return
    try:
        found = lessons.proposal(bundle, name.strip(), photos)
    except FlowersError as error:
        st.warning(plain(str(error)), icon=":material/school:")
        return
    for sentence in (lesson_sentence(found, taxonomy), cost_sentence(found, bundle, taxonomy)):
        if sentence:
            st.markdown(sentence)
    st.button("Keep it", key="lesson-keep", icon=":material/check:", on_click=_keep, args=(bundle, found))


def lesson_sentence(found: Proposal, taxonomy: Taxonomy) -> str:
    """What is taught with how many photos, and whether those that are left out are named rightly.

    Args:
        found: the lesson.
        taxonomy: of the model before it.
    """
    assert found.taught is not None
    called, count = plain(found.name), "one photo" if found.photos == 1 else f"{found.photos} photos"
    if found.is_new:
        few = "" if found.photos >= ENOUGH else " With three or more it would learn more surely."
        lead = f"**{capital(called)}** would be flower {len(taxonomy) + 1}, learnt from {count}."
    else:
        few = ""
        lead = f"It knows **{called}** already: {count} would join that flower."
    right = round(found.taught.leave_one_out * found.photos)
    tested = (
        f"Of these photos, each hidden in turn from a copy that learnt from the others, {right} of {found.photos} "
        "are named rightly."
        if found.photos > 1
        else f"A copy that did not see the photo {'names it rightly too' if right else 'would name it otherwise'}."
    )
    return f"{lead} {tested}{few}"


def cost_sentence(found: Proposal, bundle: Bundle, taxonomy: Taxonomy) -> str:
    """What the lesson changes for photos that it is not about; "" where that cannot be told.

    Args:
        found: the lesson.
        bundle: the model before it.
        taxonomy: its classes.
    """
    if found.validation is None or found.change is None:
        return ""
    learnt = ", which the model learnt from," if "validation" in bundle.fitted_splits else ""
    gained, lost = len(found.change.gained), len(found.change.lost)
    photos = f"the {len(found.validation):,} photos that it is checked with{learnt}"
    if not gained and not lost:
        return f"Nothing else changes: of {photos} none is named otherwise than before, rightly or wrongly."
    names = list(dict.fromkeys(taxonomy[int(found.validation.labels[row])].name for row in found.change.lost))
    of = f", of {_some(names)}" if names else ""
    share = percent(lost / len(found.validation))
    won = f"{gained} {_are(gained)} right that {_were(gained)} wrong"
    return f"Of {photos} {won}, and {lost} wrong that {_were(lost)} right ({share}{of})."


def _some(names: Sequence[str]) -> str:
    more = [f"{len(names) - _LISTED} more"] if len(names) > _LISTED else []
    return listed([*map(plain, names[:_LISTED]), *more], "and")


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _keep(bundle: Bundle, found: Proposal) -> None:
    try:
        made = lessons.keep(bundle, found)
    except FlowersError as error:
        st.session_state[_KEPT] = str(error)
        return
    st.session_state["bundle"] = made.name
    st.session_state[_KEPT] = f"It has learnt {plain(found.name)}. Every answer and map below is of what it knows now."
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
    st.session_state[NAME] = ""
    st.session_state.pop(ASKED, None)
