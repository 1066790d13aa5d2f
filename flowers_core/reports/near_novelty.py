"""The table of `results.md` on flowers that were left out of training, and the record that it is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from flowers_core.errors import FlowersError
from flowers_core.inference.records.near_novelty import NearDraw, NearNoveltyRecord
from flowers_core.reports.confidence import SCORES
from flowers_core.reports.tables import percent, table
from flowers_core.storage.files import write_json
from flowers_core.storage.typed_json import read_record, to_json

NEAR_NOVELTY_FILE = "near_novelty.json"
_PROTOCOLS = {
    "frozen": "frozen backbone, a head for each draw",
    "trained": "whole trainings",
}


class NearNoveltyError(FlowersError):
    """A file is no record of near novelty; the message says what is wrong with it."""


@dataclass(frozen=True)
class _Kept:
    protocols: Mapping[str, NearNoveltyRecord] = field(default_factory=dict)


def keep_near_novelty(record: NearNoveltyRecord, models_dir: Path) -> None:
    """Write a record in the place of the one of the same protocol.

    Args:
        record: the record.
        models_dir: the models folder that it goes into.
    """
    kept = {found.protocol: found for found in load_near_novelty(models_dir)}
    write_json(models_dir / NEAR_NOVELTY_FILE, to_json(_Kept(kept | {record.protocol: record})))


def load_near_novelty(models_dir: Path) -> tuple[NearNoveltyRecord, ...]:
    """The records in a models folder. Raises NearNoveltyError if the file holds something else."""
    path = models_dir / NEAR_NOVELTY_FILE
    if not path.is_file():
        return ()
    return tuple(read_record(_Kept, path, "near novelty", NearNoveltyError).protocols.values())


def near_novelty_note(records: tuple[NearNoveltyRecord, ...]) -> str:
    """What the table shows, the protocols, and the targets."""
    kinds = " ".join(
        f"*{_PROTOCOLS[record.protocol].capitalize()}*: {_protocol_sentence(record)}" for record in records
    )
    return (
        "How well a score separates test photos of flowers that a network has learnt from test photos of flowers that "
        "it has not (`flowers study evaluate_near_novelty`). Each draw leaves 20 of the 102 classes out. The scores "
        "take what they need from training and validation photos of the other 82 classes. Rows with *mean* have the "
        "mean over the draws and, in brackets, the lowest and the highest; the others have one draw with its 95 % "
        "bootstrap intervals. Which score is best, validation photos of the classes that were left out say, before the "
        "test photos are looked at: the one with the highest mean AUROC over the draws. The *cosine with the class* "
        "is that of the embedding and the class's mean among discriminants. *Cosine with the class and top "
        "probability* is their product, of the square root of the probability. It was found on these validation "
        "photos, among products of such scores, when the test figures of the others were known already, and those of a "
        "product like it in two of the draws. "
        f"{kinds} Targets: AUROC of at least 93, FPR of at most 30."
    )


def near_novelty_table(records: tuple[NearNoveltyRecord, ...]) -> str:
    """For each protocol a row for each score over all draws, then one for each draw and score; "" without records."""
    header = ("protocol", "draw (seed)", "score", "learnt", "left out", "top-1", "AUROC", "FPR at 95 % TPR")
    rows = [row for record in records for row in (*_means(record), *_draws(record))]
    return table(header, rows) if rows else ""


def _protocol_sentence(record: NearNoveltyRecord) -> str:
    chosen = _choice(record)
    if record.protocol == "frozen":
        return (
            f"{record.network} keeps its ImageNet weights, which learnt no class of this data set as such (ImageNet "
            "has a few flowers, among them a daisy and an orchid), and logistic regression on its embeddings of the "
            "training photos is the head. It is the cheap protocol: a network that is trained further moves its "
            f"embeddings, and its figures may differ.{chosen}"
        )
    branches = "".join(f", with another branch as by `{line}`" for line in record.other_branches)
    return f"each draw is a network of its own, trained as by `{record.network}`{branches}.{chosen}"


def _choice(record: NearNoveltyRecord) -> str:
    """Which score validation chose, and by what; "" for older records."""
    name = record.chosen
    if name is None:
        return ""
    areas, passing = zip(*(draw.validation[name] for draw in record.draws), strict=True)
    figures = f"AUROC {percent(float(np.mean(areas)))}, FPR {percent(float(np.mean(passing)))} there"
    return f" Validation chose *{SCORES.get(name, name)}* ({figures})."


def _means(record: NearNoveltyRecord) -> list[tuple[str, ...]]:
    draws = record.draws
    return [
        (
            record.protocol,
            f"mean of {len(draws)}",
            SCORES.get(name, name),
            _spread([draw.known for draw in draws], "{:.0f}"),
            _spread([draw.others for draw in draws], "{:.0f}"),
            _spread([100 * draw.top1 for draw in draws]),
            _spread([100 * draw.scores[name].auroc for draw in draws]),
            _spread([100 * draw.scores[name].fpr for draw in draws]),
        )
        for name in draws[0].scores
    ]


def _draws(record: NearNoveltyRecord) -> list[tuple[str, ...]]:
    return [
        (
            record.protocol,
            str(draw.seed),
            SCORES.get(name, name),
            str(draw.known),
            str(draw.others),
            *_figures(draw, name),
        )
        for draw in record.draws
        for name in draw.scores
    ]


def _figures(draw: NearDraw, name: str) -> tuple[str, str, str]:
    found = draw.scores[name]
    return (
        percent(draw.top1),
        f"{percent(found.auroc)} ({percent(found.auroc_low)} to {percent(found.auroc_high)})",
        f"{percent(found.fpr)} ({percent(found.fpr_low)} to {percent(found.fpr_high)})",
    )


def _spread(values: list[float], style: str = "{:.2f}") -> str:
    low, high = style.format(min(values)), style.format(max(values))
    return f"{style.format(float(np.mean(values)))} ({low} to {high})"
