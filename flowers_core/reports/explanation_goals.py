"""The table of `results.md` that sets what was reached of explanations beside the targets."""

from collections.abc import Iterator, Sequence

from flowers_core.explain.methods import METHODS
from flowers_core.explain.metrics.interval import Interval
from flowers_core.explain.metrics.scorecard import OVER_CENTRE
from flowers_core.explain.records.class_pictures import ClassPictureRecord
from flowers_core.explain.records.concepts import ConceptRecord
from flowers_core.explain.records.counterfactuals import CounterfactualRecord
from flowers_core.explain.records.methods import MethodRecord, default_method
from flowers_core.reports.run_records import RunRecord
from flowers_core.reports.tables import percent, table

_Row = tuple[str, str, str]


def explanation_goals_note() -> str:
    """What the table shows."""
    return (
        "*The map* is the quick one that the pages show first, over all test photos drawn and over parts of them in "
        "which the flower lies off the centre; the difference is photo by photo (`flowers evaluate_explanations`). "
        "*Concepts* are a non-negative factorization of the feature maps of training photos "
        "(`flowers fit_concepts --measure`; Fel et al. 2023, arXiv 2211.10154), and a logit is a sum over them. "
        "*Counterfactuals* are the fewest positions of the feature map that, exchanged with a training photo of the "
        "true class, turn a mistake (`flowers evaluate_counterfactuals`; Goyal et al. 2019, arXiv 1904.07451); on "
        "pixels the same squares are pasted, fading into the photo. *Class pictures* are made by the model from the "
        "mean spectrum of training photos (`flowers visualize_features --measure`; Fel et al. 2023, arXiv 2306.06805), "
        "and shown to it in random crops. INT8, test photos, 95 % bootstrap intervals."
    )


def explanation_goals_table(records: Sequence[RunRecord]) -> str:
    """A row for each target of each model that was measured; "" where there is none."""
    rows = [
        (f"{record.name}, {looked_at}, seed {seed}", *row)
        for record in records
        for looked_at, seed, found in _measured(record)
        for row in found
    ]
    return table(("model and photos", "figure", "target", "reached"), rows) if rows else ""


def _measured(record: RunRecord) -> Iterator[tuple[str, int, list[_Row]]]:
    if record.explanations is not None:
        # Off the centre the same map is asked as on the whole photos.
        chosen = default_method(record.explanations)
        if OVER_CENTRE in record.explanations.figures[chosen]:
            yield _photos(record.explanations.photos), record.explanations.seed, _map_rows(record.explanations, chosen)
            if (off := record.off_centre) is not None and OVER_CENTRE in off.figures.get(chosen, {}):
                title = f"{METHODS[chosen].title}, flower off the centre: over the middle"
                yield _photos(off.photos), off.seed, [(title, "≥ 0.15", _points(off.figures[chosen][OVER_CENTRE]))]
    if record.concepts is not None:
        yield _photos(record.concepts.photos), record.concepts.seed, _concept_rows(record.concepts)
    if record.counterfactuals is not None:
        found = record.counterfactuals
        yield _photos(found.photos), found.seed, _counterfactual_rows(found)
    if (made := record.class_pictures) is not None:
        yield f"{made.pictures} class pictures", made.seed, _picture_rows(made)


def _photos(count: int) -> str:
    return f"{count} photos"


def _map_rows(found: MethodRecord, chosen: str) -> list[_Row]:
    figures, title = found.figures[chosen], METHODS[chosen].title
    return [
        (f"{title}: insertion − deletion", "≥ 0.50", _points(figures["gap"])),
        (f"{title}: over a map of the photo's middle", "≥ 0.05, interval above 0", _points(figures[OVER_CENTRE])),
        (f"{title}: milliseconds, mean", "≤ 100", f"{1000 * figures['seconds'].value:.0f}"),
    ]


def _points(found: Interval) -> str:
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


def _concept_rows(found: ConceptRecord) -> list[_Row]:
    return [
        (f"accuracy through {found.concepts} concepts ÷ the model's", "≥ 99 %", f"{percent(found.accuracy_kept)} %"),
        ("answers kept through the concepts", "—", _share(found.kept)),
        ("first concept removed ÷ one drawn from those present", "≥ 3", f"{found.first_over_random:.1f}"),
        ("shares, residual and bias against the logit, largest error", "≤ 1e-4", f"{found.largest_error:.0e}"),
        (f"concepts that another seed finds, cosine ≥ {found.alike}", "≥ 80 %", f"{percent(found.stable)} %"),
        ("milliseconds for a photo's concepts, median", "≤ 20", f"{found.milliseconds:.1f}"),
    ]


def _counterfactual_rows(found: CounterfactualRecord) -> list[_Row]:
    return [
        (
            f"mistakes that turn with ≤ {found.few} of {found.places} positions",
            "≥ 95 %",
            f"{_share(found.turned_with_few)}; median {found.replaced:.0f}",
        ),
        ("milliseconds for an exchange, median", "≤ 50", f"{found.milliseconds:.1f}"),
        ("pasted squares turn the answer or halve its odds", "≥ 60 %", _share(found.changed_on_pixels)),
        ("pasted squares turn the answer", "—", _share(found.turned_on_pixels)),
        ("as many random squares turn it or halve its odds", "—", _share(found.changed_at_random)),
    ]


def _picture_rows(found: ClassPictureRecord) -> list[_Row]:
    return [
        (f"pictures of which most of {found.crops} random crops are named rightly", "≥ 95 %", _share(found.named)),
        ("crops that are named rightly", "—", _share(found.crops_named)),
        ("bytes of the largest picture", "≤ 12 000", f"{found.largest_bytes}"),
        ("seconds of a core for a picture, median", "—", f"{found.seconds:.1f}"),
    ]


def _share(found: Interval) -> str:
    return f"{percent(found.value)} % [{percent(found.low)}, {percent(found.high)}]"
