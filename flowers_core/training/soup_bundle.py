"""A model soup as a bundle: its members are bundles, chosen by the validation photos or taken as they are."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flowers_core.data.batches import inputs
from flowers_core.data.dataset import Dataset
from flowers_core.inference.bundle import CLASSIFIER_FILE, Bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.commands import Command
from flowers_core.inference.records.training import Training
from flowers_core.networks.classifier import load_classifier
from flowers_core.training.soup import check_alike, greedy_soup, likelihood_and_accuracy, uniform_soup
from flowers_core.training.write_bundle import write_trained


@dataclass(frozen=True)
class SoupMember:
    """One bundle that could be averaged, on the validation photos.

    Attributes:
        name: the bundle's.
        validation_top1: in [0, 1].
        validation_nll: mean negative log-likelihood, in nats.
    """

    name: str
    validation_top1: float
    validation_nll: float


@dataclass(frozen=True)
class SoupChoice:
    """What was averaged, and why.

    Attributes:
        chosen: the names of the bundles that were averaged, in the order in which they were chosen.
        members: all of them, best first; empty where nothing was chosen by the validation photos.
        validation_top1: of the average, in [0, 1]; None likewise.
        validation_nll: of the average, in nats; None likewise.
    """

    chosen: tuple[str, ...]
    members: tuple[SoupMember, ...] = ()
    validation_top1: float | None = None
    validation_nll: float | None = None


def write_soup(
    out: Path, members: Sequence[Bundle], flowers: Dataset, command: Command, reference: Bundle | None = None
) -> SoupChoice:
    """Choose among fine-tuned bundles of one network, average their weights, and write the new bundle.

    Args:
        out: the new bundle's folder, whose name it takes.
        members: at least one, of one network and input, trained on the same photos.
        flowers: the data set, whose validation photos choose.
        command: that asked for it, for the record.
        reference: the soup of the members' counterparts; with it all members are averaged and its calibration is taken.

    Raises:
        SoupError: where the members' weights differ in number or shape.
    """
    classifiers = [load_classifier(member.path(CLASSIFIER_FILE)) for member in members]
    weights = [classifier.get_weights() for classifier in classifiers]
    check_alike(weights)
    positions = list(range(len(members)))
    choice = SoupChoice(tuple(member.name for member in members))
    if reference is None:
        ids = flowers.split_ids("validation")
        photos, columns = inputs(flowers, ids, members[0].crop_rule), flowers.labels[ids - 1] - 1
        score = likelihood_and_accuracy(classifiers[0], photos, columns)
        positions, alone = greedy_soup(weights, score)
        likelihood, top1 = score(uniform_soup([weights[position] for position in positions]))
        choice = SoupChoice(
            chosen=tuple(members[position].name for position in positions),
            members=tuple(SoupMember(members[position].name, accuracy, -own) for position, (own, accuracy) in alone),
            validation_top1=top1,
            validation_nll=-likelihood,
        )
    classifiers[0].set_weights(uniform_soup([weights[position] for position in positions]))
    first = members[0]
    writer = BundleWriter.create(
        out, name=out.name, backbone=first.manifest.backbone, crop_rule=first.crop_rule, classes=first.class_names
    )
    training = Training(
        method="the mean of the weights of fine-tuned models",
        splits=first.training.splits,
        photos=first.training.photos,
        command=command,
        members=choice.chosen,
        member_commands={members[position].name: members[position].training.command for position in positions},
        validation_top1=choice.validation_top1,
        seed=first.training.seed,
    )
    write_trained(writer, flowers, classifiers[0], training, _history(choice), reference)
    return choice


def _history(choice: SoupChoice) -> dict[str, Any]:
    if not choice.members:
        return {}
    return {
        "members": [asdict(member) for member in choice.members],
        "validation_top1": choice.validation_top1,
        "validation_nll": choice.validation_nll,
    }
