"""The table of `results.md` on several looks: crops beside the whole photo."""

from collections.abc import Sequence

from flowers_core.inference.looks_rule import LOOKS_RULE, LooksRule
from flowers_core.inference.multi_crop import CROP_SIDES
from flowers_core.inference.records.multi_crop import MultiCropCounts
from flowers_core.reports.run_records import RunRecord
from flowers_core.reports.tables import percent, percent_or_dash, table


def multi_crop_text(records: Sequence[RunRecord]) -> str:
    """What several looks are, the rules and the accuracies; nothing where none was measured.

    Args:
        records: every run on record.
    """
    columns = (
        "*All looks* columns stand beside those of one look. *Decided* counts the photos where a crop names the answer "
        "and looks like it; elsewhere the whole photo's answer stays."
    )
    measured = multi_crop_table(records)
    return "\n\n".join([_note(), multi_crop_rules(records), columns, measured]) if measured else ""


def _note() -> str:
    sides = ", ".join(f"{100 * side:g}" for side in CROP_SIDES)
    return (
        f"Where one look at the whole photo leaves doubt, square crops of it are looked at too, with sides of {sides} "
        "per cent of its short side, and all looks together make one answer, on *Identify*, in `flowers identify` and "
        "here (`flowers study evaluate_multi_crop`). The probabilities of the classes are proportional to p to the "
        "power of one weight times q, and a floor, to the power of another: p is a class's probability in the whole "
        "photo, and q its mean over the share of the crops that are surest of whatever they show. Without doubt an "
        "answer is given only where a crop names it and looks like it, and from some probability on. That condition "
        "came after a first table of these test photos had shown that blurred ones lose without it; other validation "
        "photos confirmed it.\n\n"
        "A bundle's rule is fitted to doubtful validation photos, clean and corrupted, and to pictures without a "
        "flower (`flowers fit_confidence`), so that 98 % of the answers from *sure from* on are right, those to such "
        "pictures counted as wrong. Photos that as a whole look like none of the flowers have a bar of their own, or "
        "are never named without doubt. *Certainty* makes the probability of an answer that crops decided: a logistic "
        "regression on the answer's log-odds in all looks *together* and in the *whole* photo, and on the fraction of "
        "the crops that *name* it, and that name it and *look* like it. Bundles without a rule of their own have that "
        "of the last row, fitted to photos as efficientnet_lite0_small sees them."
    )


def multi_crop_rules(records: Sequence[RunRecord]) -> str:
    """The rule of each bundle that has one of its own, and that of all others."""
    fitted = [(r.name, r.confidence.looks) for r in records if r.confidence and r.confidence.looks]
    header = (
        *("model", "whole's weight", "crops' weight", "floor", "crops that count, %", "sure from, %"),
        *("strange photos sure from, %", "certainty: together", "whole", "name", "look", "intercept"),
    )
    return table(header, [(name, *_rule(rule)) for name, rule in (*fitted, ("all others", LOOKS_RULE))])


def _rule(rule: LooksRule) -> tuple[str, ...]:
    certainty = rule.certainty
    weights = (
        (certainty.together, certainty.whole, certainty.agreement, certainty.likeness or None, certainty.intercept)
        if certainty
        else (None,) * 5
    )
    return (
        f"{rule.whole_weight:g}",
        f"{rule.crops_weight:g}",
        f"{rule.floor:g}",
        percent(rule.share),
        f"{100 * rule.sure_from:.1f}",
        "never" if rule.novel_sure_from > 1 else f"{100 * rule.novel_sure_from:.1f}",
        *("—" if weight is None else f"{weight:.2f}" for weight in weights),
    )


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
