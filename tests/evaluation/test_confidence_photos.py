"""Which pictures without a flower confidence is fitted to, seen by a real INT8 model."""

from pathlib import Path

import numpy as np

from flowers_core.data.download.external import NO_FLOWER, NO_FLOWER_FOR_FITTING
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.evaluation.confidence_photos import ConfidencePhotos
from flowers_core.evaluation.evidence import NO_CLASS
from flowers_core.inference.bundle import load_bundle
from tests.fixtures.drawn_flowers import draw_flower


def test_photos_for_fitting_join_the_drawn_pictures_and_no_others_do(
    tiny_bundle: Path, drawn_dataset: OxfordFlowers, tmp_path: Path
) -> None:
    for folder, count in ((NO_FLOWER_FOR_FITTING, 3), (NO_FLOWER, 2)):
        (tmp_path / "outside" / folder).mkdir(parents=True)
        for number in range(count):
            draw_flower(number, np.random.default_rng(number)).save(tmp_path / "outside" / folder / f"{number}.png")
    bundle = load_bundle(tiny_bundle)

    def photos(external: Path | None) -> ConfidencePhotos:
        return ConfidencePhotos(bundle, drawn_dataset, 1, tmp_path / "cache", drawn=1, external=external)

    alone, joined = photos(None).without_flower(), photos(tmp_path / "outside").without_flower()
    assert len(joined) == len(alone) + 3  # the cache does not answer with the fewer ones
    assert set(joined.labels.tolist()) == {NO_CLASS}
    assert len(set(joined.groups[-3:].tolist()) - set(alone.groups.tolist())) == 3  # each a group of its own
    assert np.array_equal(joined.evidence.logits[:-3], alone.evidence.logits)
    measured = photos(tmp_path / "outside").external_without_flower()
    assert measured is not None
    assert len(measured) == 2
    assert photos(None).external_without_flower() is None
    assert photos(tmp_path / "nowhere").external_without_flower() is None
