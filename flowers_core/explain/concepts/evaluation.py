"""Concepts on many photos: what the head still knows through them, and what it loses with each."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from flowers_core.explain.concepts.concepts import Concepts
from flowers_core.explain.concepts.dictionary import ConceptDictionary, matched_similarity
from flowers_core.explain.concepts.shares import concept_shares
from flowers_core.explain.explanation import ClassTarget, FloatArray
from flowers_core.explain.metrics.interval import bootstrap
from flowers_core.explain.records.concepts import ConceptRecord

#: Two concepts are the same from this cosine on.
ALIKE = 0.8
#: A concept is present where its mean presence is at least this fraction of the most present one's.
_PRESENT = 0.01


@dataclass(frozen=True)
class OnPhoto:
    """Concepts of one photo.

    Attributes:
        answer: of the model, from 1.
        through: answer of the head on the factorization alone, from 1.
        first: the answer's largest share, in logits.
        random: the mean of its shares over the concepts that are present, in logits.
        error: of the sum of all terms against the logit, in logits.
        seconds: to find the shares.
    """

    answer: int
    through: int
    first: float
    random: float
    error: float
    seconds: float


def look_at(features: FloatArray, concepts: Concepts, head: FloatArray, bias: FloatArray) -> OnPhoto:
    """Split the logit of a photo's answer over the concepts.

    Args:
        features: (h, w, c), of the photo.
        concepts: of the model.
        head: (c, classes), the linear layer's weights.
        bias: (classes,), the linear layer's.
    """
    logits = features.mean(axis=(0, 1), dtype=np.float64) @ head + bias
    answer = int(logits.argmax()) + 1
    started = time.perf_counter()
    found = concept_shares(features, concepts.dictionary, head, bias, ClassTarget(answer))
    seconds = time.perf_counter() - started
    amounts = found.presence.mean(axis=(0, 1))
    through = concepts.dictionary.reconstruct(amounts) @ head + bias
    present = found.shares[amounts >= _PRESENT * amounts.max()]
    return OnPhoto(
        answer=answer,
        through=int(through.argmax()) + 1,
        first=float(found.shares.max()),
        random=float(present.mean()),
        error=abs(found.value - float(logits[answer - 1])),
        seconds=seconds,
    )


def concept_record(
    found: Iterable[tuple[int, OnPhoto]], dictionary: ConceptDictionary, another: ConceptDictionary, seed: int
) -> ConceptRecord:
    """The record of many photos.

    Args:
        found: (label, what was found) of each photo.
        dictionary: the concepts.
        another: fitted in the same way with another seed.
        seed: that drew the photos.
    """
    pairs = list(found)
    photos = [photo for _, photo in pairs]
    return ConceptRecord(
        photos=len(photos),
        seed=seed,
        concepts=len(dictionary),
        top1=float(np.mean([photo.answer == label for label, photo in pairs])),
        top1_through=float(np.mean([photo.through == label for label, photo in pairs])),
        kept=bootstrap([photo.through == photo.answer for photo in photos]),
        first_removed=bootstrap([photo.first for photo in photos]),
        random_removed=bootstrap([photo.random for photo in photos]),
        largest_error=max(photo.error for photo in photos),
        milliseconds=1e3 * float(np.median([photo.seconds for photo in photos])),
        stable=float(np.mean(matched_similarity(dictionary, another) >= ALIKE)),
        alike=ALIKE,
    )
