import pytest

from flowers_core.data.download.progress import Progress


@pytest.mark.parametrize(
    ("progress", "sentence", "fraction"),
    [
        (Progress("fetching", "a.tgz", 12_000_000, 345_000_000), "Downloading a.tgz: 12 of 345 MB", 12 / 345),
        (Progress("fetching", "a.mat", 300, 15_000), "Downloading a.mat: 0 of 15 kB", 0.02),
        (Progress("fetching", "a.tgz", 1_500_000, None), "Downloading a.tgz: 2 MB", 0.0),
        (
            Progress("waiting", "a.tgz", 12_000_000, 345_000_000),
            "The connection broke off at 12 of 345 MB of a.tgz; trying again …",
            12 / 345,
        ),
        (Progress("checking", "a.tgz", 5, 10), "Checking a.tgz …", 0.5),
    ],
)
def test_progress_in_words(progress, sentence, fraction):
    assert progress.sentence == sentence
    assert progress.fraction == pytest.approx(fraction)
