"""The sentence on the default method."""

from flowers_core.reports.default_method import default_sentence
from tests.fixtures.method_records import record, row


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
