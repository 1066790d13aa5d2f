"""Name the flowers in photos: files, folders, or whole trees of them.

    flowers identify holiday.jpg
    flowers identify ~/Pictures --csv flowers.csv
    flowers identify ~/Pictures --jsonl flowers.jsonl --resume

Where the whole photo leaves doubt, crops of it are looked at too, and the answer is that of all looks.

A photo that cannot be read is named on standard error and left out; the exit code is 1 then. The table (`--csv`) opens
in a spreadsheet. Its rows, and JSON lines (`--jsonl`), are written as soon as they are known: after a break `--resume`
goes on behind the last one. Neither the data set nor TensorFlow is needed.
"""

import argparse
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from flowers_core.data.photo_folder import PhotoFolderError
from flowers_core.inference.bundle import Bundle, load_bundle
from flowers_core.inference.identify import (
    Identified,
    as_json,
    as_row,
    as_sentence,
    identified_before,
    identify,
    photos_below,
    table_header,
)
from flowers_core.retrieval.gallery_prototypes import prototypes_of
from flowers_core.storage.json_lines import JsonLines, read_json_lines
from flowers_core.storage.table_lines import TableLines, escaped, read_table_lines
from scripts.options.command import add_answering_option, progress, run, verb_parser
from scripts.options.left_out import LeftOut


def main() -> None:
    """Parse the command line and name the photos."""
    options = _parse()
    bundle = load_bundle(options.bundle)
    before = {escaped(path) for path in identified_before(_written(options), bundle.name)}
    # Walked twice rather than kept: a million paths are hundreds of megabytes.
    total = sum(escaped(str(path)) not in before for path in photos_below(options.paths))
    if not total and not before:
        raise PhotoFolderError(f"There are no photos in {', '.join(map(str, options.paths))}.")
    left_out = LeftOut()
    missing = (path for path in photos_below(options.paths) if escaped(str(path)) not in before)
    with _writer(options, bundle) as write:
        answers = identify(bundle, missing, prototypes=lambda: prototypes_of(bundle))
        for found in progress(answers, "photos", total):
            if found.error is None:
                write(found)
            else:
                left_out.say(found.complaint)
    left_out.leave(total)


def _written(options: argparse.Namespace) -> Iterable[Any]:
    """What an earlier run wrote, where this one goes on with it."""
    if not options.resume:
        return ()
    return read_json_lines(options.jsonl) if options.jsonl else read_table_lines(options.csv)


@contextmanager
def _writer(options: argparse.Namespace, bundle: Bundle) -> Iterator[Callable[[Identified], None]]:
    """What writes each photo where the options say: into a table, as a line of JSON, or as a sentence."""
    taxonomy = bundle.taxonomy
    if options.jsonl:
        with JsonLines(options.jsonl) as lines:
            yield lambda found: lines.add(as_json(found, taxonomy, bundle.name))
    elif options.csv:
        with TableLines(options.csv, table_header()) as table:
            yield lambda found: table.add(as_row(found, taxonomy, bundle.name))
    else:
        yield lambda found: tqdm.write(as_sentence(found, taxonomy))


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a photo, or a folder with photos below it")
    into = parser.add_mutually_exclusive_group()
    into.add_argument("--csv", type=Path, metavar="FILE", help="write a table for spreadsheets")
    into.add_argument("--jsonl", type=Path, metavar="FILE", help="write one line of JSON a photo")
    add_answering_option(parser)
    parser.add_argument("--resume", action="store_true", help="go on with the file of --csv or --jsonl where it ends")
    options = parser.parse_args()
    file = options.csv or options.jsonl
    if options.resume and not file:
        parser.error("--resume goes with --csv or --jsonl: they say which file to go on with")
    if file and file.exists() and not options.resume:
        parser.error(f"{file} is there already: add --resume to go on with it, or delete it or name another file")
    return options


if __name__ == "__main__":
    run(main)
