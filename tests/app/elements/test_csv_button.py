import csv
import io

import pandas as pd

from app.elements.csv_button import as_csv


def test_a_spreadsheet_reads_it_as_utf_8() -> None:
    table = pd.DataFrame({"class": ["Größe, “×”", "rose"], "photos": [1, 2]})
    content = as_csv(table)
    assert content.startswith(b"\xef\xbb\xbfclass,photos")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert rows == [{"class": "Größe, “×”", "photos": "1"}, {"class": "rose", "photos": "2"}]
