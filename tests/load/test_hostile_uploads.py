"""A short run of the hostile files; `python -m tests.load.hostile_uploads` has the long one."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.load.hostile_files import KINDS, hostile_file
from tests.load.hostile_uploads import not_a_sentence, through_page, try_all
from tests.load.sites import own_site

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL", "ignore::PIL.Image.DecompressionBombWarning")


def test_a_number_always_gives_the_same_file_and_another_another() -> None:
    first = [hostile_file(number) for number in range(3 * len(KINDS))]
    assert first == [hostile_file(number) for number in range(3 * len(KINDS))]
    assert {file.kind for file in first} == set(KINDS)
    assert len({file.content for file in first}) > len(first) - 6  # a whole photo may come twice


@pytest.mark.slow
def test_each_is_read_or_refused_with_a_sentence_and_memory_comes_back() -> None:
    # In a process of its own: what other tests left in this one would come and go meanwhile.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
        found = alone.submit(try_all, 220).result()
    assert found.wrong == []
    assert found.read + found.refused.total() == 220
    assert 40 < found.read < 160
    assert len(found.refused) > 15
    assert found.grown < 50


@pytest.mark.slow
def test_the_page_says_a_sentence_or_answers_and_writes_nothing_of_it(tmp_path: Path) -> None:
    with own_site(folder=tmp_path) as site:
        wrong, answered = through_page(site.address, range(2 * len(KINDS)))
        assert wrong + site.tracebacks() == []
        assert 0 < answered < 2 * len(KINDS)
        said = site.logs[0].read_text()
    names = {hostile_file(number).name for number in range(2 * len(KINDS))}
    assert [name for name in names if len(name) > 12 and name in said] == []
    assert "UserWarning" not in said


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("This file is empty. Choose a JPEG.", False),
        ("this file is empty.", True),
        ("This file is empty", True),
        ("OSError: cannot identify.", True),
        ("A photo <b>x</b>.", True),
        ("Too long. " * 50 + "End.", True),
    ],
)
def test_what_a_sentence_is(text: str, wrong: bool) -> None:
    assert not_a_sentence(text) == wrong
