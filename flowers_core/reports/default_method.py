"""Why the default method is the default, in a sentence for `results.md` and for the pages."""

from flowers_core.explain.methods import METHODS
from flowers_core.explain.metrics.scorecard import BASELINES
from flowers_core.explain.records.methods import MethodRecord, default_method


def default_sentence(record: MethodRecord) -> str:
    """Why the default is the default, and what a slower method would give."""
    chosen = default_method(record)
    title = METHODS[chosen].title
    if record.may_be_default(chosen) and set(BASELINES) <= set(record.figures):
        sentence = (
            f"On {record.photos} test photos {title} is the best of the methods that are there at once: insertion less "
            f"deletion is {record.gap(chosen):.2f}, {record.gap('centre'):.2f} for a map of the middle and "
            f"{record.gap('random'):.2f} for random maps."
        )
    else:
        middle = f", that of a map of the middle {record.gap('centre'):.2f}" if "centre" in record.figures else ""
        sentence = (
            f"{title} is shown first because it is there at once and exact about the logit. On {record.photos} test "
            f"photos its insertion less deletion is {record.gap(chosen):.2f}{middle}: no method that is there at once "
            "beat the middle of the photo at both."
        )
    # A map that does not depend on what the model learnt is no answer to “why”, however well it scores.
    best = next((name for name in record.methods if record.is_sane(name)), chosen)
    if best == chosen:
        return sentence
    seconds = record.figures[best]["seconds"].value
    return f"{sentence} {METHODS[best].title} reaches {record.gap(best):.2f} in {seconds:.1f} s."
