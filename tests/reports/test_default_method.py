"""The sentence on the default method."""

from flowers_core.explain.metrics.interval import Interval
from flowers_core.explain.records.methods import MethodRecord
from flowers_core.reports.default_method import default_sentence


def row(deletion: float, insertion: float, seconds: float = 0.01) -> dict[str, Interval]:
    values = {"deletion": deletion, "insertion": insertion, "seconds": seconds}
    return {name: Interval(value, value - 0.01, value + 0.01) for name, value in values.items()}


def record(**changed: object) -> MethodRecord:
    figures = {
        "cam": row(0.3, 0.6),
        "occlusion": row(0.2, 0.6),
        "lime": row(0.1, 0.8, seconds=2.0),
        "grad_cam": row(0.1, 0.7),
        "random": row(0.5, 0.5),
        "centre": row(0.4, 0.5),
    }
    return MethodRecord(51, 0, {**figures, **changed}, {"cam": 0.1, "occlusion": 0.2, "lime": 0.1})  # type: ignore[dict-item]


def test_sentences() -> None:
    assert default_sentence(record()) == (
        "On 51 test photos Occlusion is the best of the methods that are quick enough to show at once. Its insertion − "
        "deletion is 0.40, against 0.10 for a map of the photo's middle (the centre baseline) and 0.00 for random "
        "maps. LIME reaches 0.70 in 2.0 s."
    )
    bad = record(cam=row(0.5, 0.4), occlusion=row(0.5, 0.4), lime=row(0.5, 0.4), grad_cam=row(0.5, 0.4))
    assert default_sentence(bad) == (
        "Evidence is shown first because it takes no time and is exact about the logit. On 51 test photos its "
        "insertion − deletion is -0.10, against 0.10 for a map of the photo's middle (the centre baseline). No quick "
        "method beat the middle of the photo on both deletion and insertion."
    )
