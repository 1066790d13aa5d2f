"""Why the default explanation method is the default, in sentences for `results.md` and for the pages."""

from flowers_core.explain.methods import METHODS
from flowers_core.explain.metrics.scorecard import BASELINES
from flowers_core.explain.records.methods import MethodRecord, default_method


def default_sentence(record: MethodRecord) -> str:
    """Say why the default method was chosen, and what the best slower method reaches."""
    chosen = default_method(record)
    title = METHODS[chosen].title
    if record.may_be_default(chosen) and set(BASELINES) <= set(record.figures):
        sentence = (
            f"On {record.photos} test photos {title} is the best of the methods that are quick enough to show at once. "
            f"Its insertion − deletion is {record.gap(chosen):.2f}, against {record.gap('centre'):.2f} for a map of "
            f"the photo's middle (the centre baseline) and {record.gap('random'):.2f} for random maps."
        )
    else:
        baseline = (
            f", against {record.gap('centre'):.2f} for a map of the photo's middle (the centre baseline)"
            if "centre" in record.figures
            else ""
        )
        sentence = (
            f"{title} is shown first because it takes no time and is exact about the logit. On {record.photos} test "
            f"photos its insertion − deletion is {record.gap(chosen):.2f}{baseline}. No quick method beat the middle "
            "of the photo on both deletion and insertion."
        )
    # A map that does not depend on what the model learnt explains nothing, however well it scores.
    best = next((name for name in record.methods if record.is_sane(name)), chosen)
    if best == chosen:
        return sentence
    seconds = record.figures[best]["seconds"].value
    return f"{sentence} {METHODS[best].title} reaches {record.gap(best):.2f} in {seconds:.1f} s."
