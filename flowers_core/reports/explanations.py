"""The table of `results.md` that compares explanation methods."""

from flowers_core.explain.methods import METHODS
from flowers_core.explain.metrics.scorecard import BASELINES
from flowers_core.explain.records.methods import MethodRecord
from flowers_core.reports.tables import table


def explanations_note() -> str:
    """What the table of explanation methods shows."""
    return (
        "Explanation methods on a stratified sample of test photos (`flowers evaluate_explanations`): means with 95 % "
        "bootstrap intervals. *Deletion* is the mean probability while the photo's positions are removed, those with "
        "the highest attribution first; lower is better. *Insertion* is the mean probability while they are put back "
        "in the same order; higher is better (Petsiuk et al. 2018, arXiv 1806.07421). *Stability* is the rank "
        "correlation with the map of the same photo with invisible noise. *Sanity* is the rank correlation with the "
        "map of the same model with its head shuffled (Adebayo et al. 2018, arXiv 1810.03292); near 1, the map ignores "
        "what was learnt. *Random* and *centre* are baselines: random maps, and a map of the photo's middle."
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
    """A row for each method, the largest insertion − deletion first, then the baselines."""
    rows = []
    for name in (*record.methods, *(name for name in BASELINES if name in record.figures)):
        figures = record.figures[name]
        shown = [
            f"{figures[key].value:.3f} [{figures[key].low:.3f}, {figures[key].high:.3f}]"
            for key in ("deletion", "insertion", "stability")
        ]
        known = name in METHODS
        sanity = f"{record.sanity[name]:.2f}" if name in record.sanity else "—"
        rows.append((name, *shown, sanity, f"{figures['seconds'].value:.3f}" if known else "—"))
    return table(("method", "deletion", "insertion", "stability", "sanity", "seconds"), rows)
