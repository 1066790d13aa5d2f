from flowers_core.reports.tables import percent, percent_or_dash, table


def test_a_table_sets_figures_to_the_right() -> None:
    assert table(("model", "format", "MB"), [("tiny", "int8", "0.03")]) == (
        "| model | format | MB |\n| --- | --- | ---: |\n| tiny | int8 | 0.03 |"
    )


def test_shares_are_told_in_per_cent_with_two_decimals() -> None:
    assert percent(0.96714) == "96.71"
    assert percent(1) == "100.00"
    assert percent_or_dash(None) == "—"
    assert percent_or_dash(0) == "0.00"
