"""Several photos at once in a real browser: one plant on *Identify*, a table on *Many photos*, files to take away."""

import csv
import io
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.identify.examples import FOLDER
from tests.e2e.test_app import UPLOADER, no_trouble, settle

pytestmark = pytest.mark.e2e

FILES = [FOLDER / f"{name}.jpg" for name in ("osteospermum", "purple-daisy", "poppies")]


def test_three_photos_are_one_plant_until_somebody_says_otherwise(page: Page, server: str, tmp_path: Path) -> None:
    page.goto(server)
    page.set_input_files(UPLOADER, FILES)
    expect(page.get_by_role("heading", name="Photo 1 of 3 alone")).to_be_visible()
    settle(page)
    assert page.get_by_role("region", name="Answer").count() == 2  # of the plant, and of the first photo
    page.get_by_role("button", name="Look closer").last.click()
    expect(page.get_by_role("heading", name="Photo 3 of 3 alone")).to_be_visible()
    settle(page)
    page.get_by_role("radio", name="different plants").click()
    expect(page.get_by_role("region", name="Answer")).to_have_count(1)
    settle(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Report to keep").click()
    download.value.save_as(tmp_path / "report.html")
    page.goto(f"file://{tmp_path / 'report.html'}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.locator("img").count() == 2
    assert all(page.eval_on_selector_all("img", "images => images.map(image => image.naturalWidth > 0)"))


def test_a_file_without_an_ending_is_taken_by_what_it_holds(page: Page, server: str, tmp_path: Path) -> None:
    file = tmp_path / "DSC00017"
    file.write_bytes(FILES[0].read_bytes())
    page.goto(server)
    page.set_input_files(UPLOADER, file)
    expect(page.locator("[data-testid=stImageCaption]").first).to_contain_text("DSC00017")
    no_trouble(page)


def test_many_photos_become_a_table_and_files(page: Page, server: str, tmp_path: Path) -> None:
    broken = tmp_path / "notes.jpg"
    broken.write_bytes(b"A flower, in words.")
    page.goto(f"{server}/many")
    page.set_input_files(UPLOADER, [*FILES, broken])
    expect(page.get_by_text("4 of 4 photos.")).to_be_visible()
    settle(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Photos sorted by name (ZIP)").click()
    download.value.save_as(tmp_path / "flowers.zip")
    with zipfile.ZipFile(tmp_path / "flowers.zip") as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("names.csv").decode("utf-8-sig"))))
        assert [row["photo"] for row in rows] == [*(file.name for file in FILES), "notes.jpg"]
        assert {row["copy"] for row in rows if row["copy"]} == set(archive.namelist()) - {"names.csv"}
    page.get_by_role("button", name="Begin anew").click()
    expect(page.get_by_text("4 of 4 photos.")).to_have_count(0)
    no_trouble(page)
