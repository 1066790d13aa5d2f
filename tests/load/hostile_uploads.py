"""Damaged and hostile files, one after the other: is each read or refused with a sentence, and does memory come back?

    python -m tests.load.hostile_uploads 10000
    python -m tests.load.hostile_uploads 10000 --through-page 200

Each file goes to the function that the page gives an upload to. Of these, `--through-page` many go to a server of the
app, too, over the same paths as from a browser.
"""

import argparse
import gc
import os
import re
import time
import warnings
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from app.elements.words import plain
from flowers_core.data.model_input import CropRule, model_input
from flowers_core.data.photos import PhotoError, read_photo
from tests.fixtures.running_server import Visitor, elements, sent_name
from tests.load.hostile_files import HostileFile, hostile_file
from tests.load.sites import megabytes, own_site

MOST = 100_000
#: Until so many have been read, decoders and caches still grow into their size.
WARM = 300
CROP_RULE = CropRule(224)


@dataclass
class Findings:
    """What became of the files.

    Attributes:
        read: how many are whole photos after all.
        refused: each sentence → how often it was said, with numbers left out.
        wrong: a line for each file that was met with anything else.
        slowest: seconds and number of the file that took longest.
        grown: megabytes that the process holds more than after the first `WARM` files.
    """

    read: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slowest: tuple[float, int] = (0.0, -1)
    grown: float = 0.0


def try_all(count: int) -> Findings:
    """Give so many files to the function that reads uploads."""
    found, before = Findings(), 0.0
    for number in range(count):
        if number == min(WARM, count // 2):
            gc.collect()
            before = megabytes([os.getpid()])
        file = hostile_file(number)
        started = time.process_time()
        try:
            photo = read_photo(file.content)
            model_input(photo.pixels, CROP_RULE)
            found.read += 1
        except PhotoError as error:
            found.refused[re.sub(r"\d+", "…", str(error))] += 1
            if not_a_sentence(str(error)):
                found.wrong.append(f"{number} ({file.kind}): {error}")
        except Exception as error:  # noqa: BLE001 - whatever it is, a page would show it
            found.wrong.append(f"{number} ({file.kind}): {error!r}")
        found.slowest = max(found.slowest, (time.process_time() - started, number))
    gc.collect()
    found.grown = megabytes([os.getpid()]) - before
    return found


def not_a_sentence(text: str) -> bool:
    """Whether this is no sentence for a person: a technical word in it, no end, or without end."""
    technical = re.search(r"Error|Exception|Traceback|0x|errno|[<>{}\\\x00-\x1f\x7f]", text)
    return bool(technical) or not (text[:1].isupper() and text.endswith(".") and len(text) < 400)


def through_page(address: str, numbers: range) -> tuple[list[str], int]:
    """Give files to the app as a browser does, one visitor after the other.

    Args:
        address: of the app.
        numbers: of the files.

    Returns:
        A line for each file with which anything was wrong; and how many were answered as photos.
    """
    wrong, answered = [], 0
    with Visitor(address) as visitor:
        uploader = elements(visitor.run(), "file_uploader")[0].id
        for number in numbers:
            file = hostile_file(number)
            came = visitor.run(widgets=visitor.upload(uploader, file.name, file.content))
            uploader = elements(came, "file_uploader")[0].id  # a new one each time files were taken
            problem, photo = wrong_with_page(came, file)
            answered += photo
            if problem:
                wrong.append(f"{number} ({file.kind}) {file.name[:40]!r}: {problem}")
    return wrong, answered


def wrong_with_page(came: list, file: HostileFile) -> tuple[str, bool]:
    """What is wrong with the page about a file, "" for nothing; and whether it was answered as a photo."""
    said = [alert.body for alert in elements(came, "alert")]
    captions = [image.caption for images in elements(came, "imgs") for image in images.imgs]
    html = " ".join(element.body for element in elements(came, "html"))
    answered = 'aria-label="Answer"' in html
    if elements(came, "exception"):
        return "a traceback", answered
    if not answered and not (len(said) == 1 and not not_a_sentence(said[0])):
        return f"neither an answer nor one sentence: {said}", answered
    if answered and not any(caption.startswith(plain(sent_name(file.name))) for caption in captions):
        return f"its name became {captions[:1]}", answered
    if len(file.name) > 12 and file.name in html:
        return "its name is in the page's HTML", answered
    return "", answered


def main() -> None:
    """Try the files and say what came of them; the exit code is 1 where anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, help=f"of files, at most {MOST}")
    parser.add_argument("--through-page", type=int, default=0, metavar="N", help="how many go to a server, too")
    options = parser.parse_args()
    if not 0 <= options.through_page <= options.count <= MOST:
        parser.error(f"at most {MOST} files, and no more through the page")
    warnings.simplefilter("ignore")  # of Pillow's, which a server does not show either
    found = try_all(options.count)
    wrong = found.wrong
    refused = f"{found.refused.total()} refused in {len(found.refused)} ways"
    print(f"{found.read} of {options.count} files were read, {refused}.")
    print(f"The slowest was number {found.slowest[1]}, {found.slowest[0]:.1f} s. Memory grew by {found.grown:.0f} MB.")
    if options.through_page:
        with own_site() as site:
            half = options.through_page // 2
            first, answered = through_page(site.address, range(half))
            before = site.megabytes()
            second, more = through_page(site.address, range(half, options.through_page))
            grown = site.megabytes() - before
            wrong = [*wrong, *first, *second, *site.tracebacks()]
        print(f"Through the page: {answered + more} of {options.through_page} were answered as photos.")
        print(f"Over the second half of them the server's memory grew by {grown:.0f} MB, to {before + grown:.0f} MB.")
        found.grown = float(np.maximum(found.grown, grown))
    for sentence, times in found.refused.most_common():
        print(f"{times:6}  {sentence}")
    print(*wrong, sep="\n", end="\n" if wrong else "")
    raise SystemExit(int(bool(wrong) or found.grown > 50))


if __name__ == "__main__":
    main()
