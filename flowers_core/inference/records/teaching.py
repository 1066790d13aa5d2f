"""What a bundle has learnt from a few photos since it was trained."""

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
