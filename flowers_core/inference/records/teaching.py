"""What a bundle has learnt from a few photos since it was trained, and how well its like is learnt."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TaughtClass:
    """One lesson.

    Attributes:
        name: of the class that is new, or that photos were added to.
        photos: how many were given, at least 1.
        leave_one_out: fraction in [0, 1] of them that is named rightly by a head that was taught without them.
    """

    name: str
    photos: int
    leave_one_out: float


@dataclass(frozen=True)
class TeachingFigures:
    """Classes that were left out of a head and taught again, asked about photos of one split; fractions in [0, 1].

    Attributes:
        embeddings: "own" of the bundle, whose network has learnt the classes, or "imagenet" of its backbone before.
        split, lesson_split: of the photos asked about, and of those the lessons were given.
        photos: given to each lesson.
        in_a_row: classes that were left out together and taught one after the other.
        classes: how many were left out in all.
        right: of a taught class's photos named rightly, the mean over the classes.
        right_untaught: the same by the head that was trained on all classes.
        others_before, others_after: of all other classes' photos named rightly, before the lessons and after.
        sure: of a taught class's photos named rightly and without doubt, the mean over the classes; None where doubt
            was not judged.
        sure_right: of the answers that name a taught class without doubt, those that are right; None where there are
            none.
    """

    embeddings: str
    split: str
    lesson_split: str
    photos: int
    in_a_row: int
    classes: int
    right: float
    right_untaught: float
    others_before: float
    others_after: float
    sure: float | None
    sure_right: float | None
