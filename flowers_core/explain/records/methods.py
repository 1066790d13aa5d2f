"""The record of an evaluation of explanations in a bundle, and the default method that follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flowers_core.errors import FlowersError
from flowers_core.explain.methods import METHODS, Needs
from flowers_core.explain.metrics.interval import Interval
from flowers_core.explain.metrics.scorecard import OVER_CENTRE
from flowers_core.storage.typed_json import read_record

EXPLANATIONS_FILE = "explanations.json"
#: The same on photos that are cut so that their middle lies near a corner.
OFF_CENTRE_FILE = "explanations_off_centre.json"
#: A map that takes at most this long is shown without a request. A tenth of a second feels immediate, and a second
#: keeps the flow of thought (Nielsen 1993, "Usability Engineering", chapter 5). This limit is near the first, and a
#: machine five times slower than the measured one still keeps the second.
QUICK_SECONDS = 0.2
#: A method fails the sanity check above this rank correlation with the map of the same model with a shuffled head: its
#: map hardly depends on what was learnt. The value is a choice: Adebayo et al. (2018, arXiv 1810.03292) plot the
#: correlation and name no threshold. The methods of the shipped model are at 0.03 or below, or at 0.81 or above.
SANITY_THRESHOLD = 0.8
# Names that methods and figures had in older records.
_FORMER_KEYS = {"shifted_cam": "augmented_cam", "mean": "value"}


class MethodRecordError(FlowersError):
    """A record of an evaluation that cannot be read; the message says why."""


@dataclass(frozen=True, eq=False)
class MethodRecord:
    """Methods compared on a model's photos.

    Attributes:
        photos: how many, of the test split.
        seed: of the draw of photos.
        figures: method or baseline → figure → mean and 95 % interval, see `scorecard`.
        sanity: method → rank correlation of its map with that of the same model with a shuffled head, −1…1; near 1 the
            map does not depend on what was learnt.
        closely: how many of the photos were looked at closely, for `closer_look.CLOSER_FIGURES`.
        complexity_rise: method → by how much its map's entropy rises with all layers shuffled, as a fraction of the
            trained model's; at 0 or below the map does not depend on what was learnt (`metrics.complexity_rise`).
    """

    photos: int
    seed: int
    figures: Mapping[str, Mapping[str, Interval]]
    sanity: Mapping[str, float]
    closely: int = 0
    complexity_rise: Mapping[str, float] = field(default_factory=dict)

    def gap(self, name: str) -> float:
        """Insertion − deletion, −1…1: how well the map ranks what the model needs first."""
        return self.figures[name]["insertion"].value - self.figures[name]["deletion"].value

    def is_sane(self, name: str) -> bool:
        """Whether the method passed the sanity check (`SANITY_THRESHOLD`), or was not checked."""
        return self.sanity.get(name, 0.0) <= SANITY_THRESHOLD

    def is_quick(self, name: str) -> bool:
        """Whether the method needs no TensorFlow and takes at most QUICK_SECONDS on average."""
        return METHODS[name].needs is not Needs.KERAS and self.figures[name]["seconds"].value <= QUICK_SECONDS

    def beats_centre(self, name: str) -> bool:
        """Whether the method beats the centre baseline on both deletion and insertion; False if that is unknown.

        Where both were compared photo by photo, the interval of that difference must lie above 0 too.
        """
        own, centre = self.figures[name], self.figures.get("centre")
        if OVER_CENTRE in own and own[OVER_CENTRE].low <= 0:
            return False
        return (
            centre is not None
            and own["deletion"].value < centre["deletion"].value
            and own["insertion"].value > centre["insertion"].value
        )

    def may_be_default(self, name: str) -> bool:
        """Whether the method is quick, sane, and beats the centre baseline."""
        return self.is_quick(name) and self.is_sane(name) and self.beats_centre(name)

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that were evaluated, the widest gap first."""
        return tuple(sorted((name for name in self.figures if name in METHODS), key=self.gap, reverse=True))


def default_method(record: MethodRecord | None, among: Sequence[str] = tuple(METHODS)) -> str:
    """The method whose map is shown first.

    It is the one with the largest insertion − deletion among the methods that may be the default. If there is none, or
    nothing was evaluated, it is the closed form, which splits the logit exactly.

    Args:
        record: of the bundle; None if nothing was evaluated.
        among: names of the methods to choose from.

    Returns:
        The method's name.
    """
    if record is None:
        return "cam"
    return next((name for name in record.methods if name in among and record.may_be_default(name)), "cam")


def load_methods(path: Path) -> MethodRecord:
    """Read the JSON file of a record.

    Raises:
        MethodRecordError: if the file is not such a record.
    """
    return read_record(MethodRecord, path, "evaluated explanations", MethodRecordError, _FORMER_KEYS)
