"""The tables of `results.md` that compare explanation methods."""

from collections.abc import Callable, Sequence

from flowers_core.explain.methods import METHODS
from flowers_core.explain.metrics.scorecard import BASELINES
from flowers_core.explain.records.methods import MethodRecord
from flowers_core.reports.tables import table

_UNKNOWN = "—"
#: (record, method) → what stands in the table.
_Cell = Callable[[MethodRecord, str], str]


def explanations_note() -> str:
    """What the tables of explanation methods show."""
    return (
        "Explanation methods on a stratified sample of test photos (`flowers evaluate_explanations`): means with 95 "
        "% bootstrap intervals. *Deletion* is the mean probability while the photo's positions are removed, those "
        "with the highest attribution first; lower is better. *Insertion* is the mean probability while they are "
        "put back in the same order; higher is better (Petsiuk et al. 2018, arXiv 1806.07421). *Over the middle* is "
        "insertion − deletion less that of a map of the photo's middle, photo by photo. *ROAD* fills what is "
        "removed in from around it, so that no hole is seen: the probability without the lowest positions less that "
        "without the highest (after Rong et al. 2022, arXiv 2202.00449). *Random* and *centre* are baselines: "
        "random maps, and a map of the photo's middle.\n\n"
        "*Stability* is the rank correlation with the map of the same photo with invisible noise. With stronger "
        "noise, *consistency* is that correlation while the answer stays, and *responsiveness* is one less it where "
        "the answer changes (after Sarkar et al. 2025, arXiv 2508.18154); a good map has both. *Sanity* is the rank "
        "correlation with the map of the same model with its head shuffled (Adebayo et al. 2018, arXiv 1810.03292); "
        "near 1, the map ignores what was learnt. *Complexity rise* is by how much a map's entropy rises when all "
        "layers are shuffled (eMPRT, Hedström et al. 2024, arXiv 2405.02383); it should. *Mass* and *rank* are the "
        "relevance mass and rank accuracy on Oxford's segmentations (Arras et al. 2022, arXiv 2003.07258)."
    )


def off_centre_sentence(name: str, record: MethodRecord) -> str:
    """What the table of photos with their flower off the centre shows.

    Args:
        name: of the bundle.
        record: what was measured.
    """
    return (
        f"**{name}** on {record.photos} test photos that are cut so that their middle lies near a corner, and with it "
        "most flowers (`flowers evaluate_explanations --off-centre`):"
    )


def explanations_table(record: MethodRecord) -> str:
    """Two tables: how faithful the maps are, and what else is known of them.

    A row for each method, the largest insertion − deletion first, then the baselines. Columns that no method has are
    left out.
    """
    names = (*record.methods, *(name for name in BASELINES if name in record.figures))
    return "\n\n".join(found for columns in (_FAITHFUL, _FURTHER) if (found := _table(record, names, columns)))


def _table(record: MethodRecord, names: Sequence[str], columns: dict[str, _Cell]) -> str:
    cells = {title: [cell(record, name) for name in names] for title, cell in columns.items()}
    known = {title: column for title, column in cells.items() if set(column) != {_UNKNOWN}}
    return table(("method", *known), zip(names, *known.values(), strict=True)) if known else ""


def _mean(key: str) -> _Cell:
    def cell(record: MethodRecord, name: str) -> str:
        found = record.figures[name].get(key)
        return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]" if found else _UNKNOWN

    return cell


def _seconds(record: MethodRecord, name: str) -> str:
    return f"{record.figures[name]['seconds'].value:.3f}" if name in METHODS else _UNKNOWN


def _sanity(record: MethodRecord, name: str) -> str:
    return f"{record.sanity[name]:.2f}" if name in record.sanity else _UNKNOWN


def _rise(record: MethodRecord, name: str) -> str:
    return f"{record.complexity_rise[name]:+.2f}" if name in record.complexity_rise else _UNKNOWN


_FAITHFUL: dict[str, _Cell] = {
    "deletion": _mean("deletion"),
    "insertion": _mean("insertion"),
    "insertion − deletion": _mean("gap"),
    "over the middle": _mean("over_centre"),
    "ROAD": _mean("road"),
    "seconds": _seconds,
}
_FURTHER: dict[str, _Cell] = {
    "stability": _mean("stability"),
    "consistency": _mean("consistency"),
    "responsiveness": _mean("responsiveness"),
    "sanity": _sanity,
    "complexity rise": _rise,
    "mass": _mean("mass"),
    "rank": _mean("rank"),
}
