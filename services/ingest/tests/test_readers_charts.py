"""Charts of slides: every kind says its numbers, and none has the deck refused."""

import datetime as dt
import re
from typing import Any

import pytest
from pptx import Presentation
from pptx.chart.data import BubbleChartData, CategoryChartData, ChartData, XyChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from services.ingest.tests import made
from services.ingest.tests.test_readers_office import manuscript

SOLD = "|  | Tents |\n|---|---|\n| North | 120 |\n| South | 95.5 |"


def _deck(chart: Any, kind: Any = XL_CHART_TYPE.COLUMN_CLUSTERED, *changes: tuple[str, str]) -> bytes:
    """A slide with a chart, in whose XML what each of the patterns finds is put another way."""
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    frame = slide.shapes.add_chart(kind, Inches(1), Inches(1), Inches(4), Inches(3), chart)
    part = frame.chart.part
    data = made.saved(presentation)
    xml = part.blob.decode()
    for pattern, other in changes:
        xml, found = re.subn(pattern, other, xml, flags=re.DOTALL)
        assert found
    return made.with_part(data, part.partname.lstrip("/"), xml.encode())


def _sold(number_format: str = "General") -> CategoryChartData:
    chart = CategoryChartData(number_format=number_format)
    chart.categories = ["North", "South"]
    chart.add_series("Tents", (120, 95.5))
    return chart


@pytest.mark.parametrize("kind", ["COLUMN_CLUSTERED", "LINE", "PIE", "AREA", "RADAR", "DOUGHNUT"])
def test_a_chart_is_a_table(kind):
    assert manuscript(_deck(_sold(), getattr(XL_CHART_TYPE, kind))).text.endswith(SOLD)


def test_a_chart_of_a_kind_that_the_library_does_not_know_is_a_table():
    assert manuscript(_deck(_sold(), XL_CHART_TYPE.COLUMN_CLUSTERED, ("barChart", "bar3DChart"))).text == SOLD


@pytest.mark.parametrize("wrong", ["#N/A", "#DIV/0!", ""])
def test_an_error_in_a_chart_costs_its_own_value_alone(wrong):
    data = _deck(_sold(), XL_CHART_TYPE.COLUMN_CLUSTERED, ("<c:v>95.5</c:v>", f"<c:v>{wrong}</c:v>"))
    assert manuscript(data).text == SOLD.replace("95.5", "")


@pytest.mark.parametrize("place", ['idx="x"', ""])
def test_a_point_without_a_place_costs_no_other(place):
    data = _deck(_sold(), XL_CHART_TYPE.COLUMN_CLUSTERED, ('<c:pt idx="1">', f"<c:pt {place}>"))
    assert manuscript(data).text == SOLD.replace("\n| South | 95.5 |", "")


def test_numbers_of_a_chart_are_shown_as_formatted():
    chart = _sold("0.0%")
    chart.add_series("Stoves", (0.125, 0.5))
    assert "| South | 9550.0% | 50.0% |" in manuscript(_deck(chart)).text


def test_days_below_a_chart_are_days():
    chart = CategoryChartData()
    chart.categories = [dt.date(2026, 5, 1), dt.date(2026, 5, 2)]
    chart.add_series("Tents", (120, 95.5))
    said = "|  | Tents |\n|---|---|\n| 2026-05-01 | 120 |\n| 2026-05-02 | 95.5 |"
    assert manuscript(_deck(chart, XL_CHART_TYPE.LINE)).text == said
    mac = _deck(chart, XL_CHART_TYPE.LINE, ('<c:date1904 val="0"/>', '<c:date1904 val="1"/>'))
    assert "| 2030-05-02 | 120 |" in manuscript(mac).text


def test_names_of_several_levels_are_said_with_all_of_them():
    chart = ChartData()
    for year in ("2025", "2026"):
        category = chart.add_category(year)
        for month in ("May", "June"):
            category.add_sub_category(month)
    chart.add_series("Tents", (1, 2, 3, 4))
    rows = manuscript(_deck(chart)).text.splitlines()[2:]
    assert rows == ["| 2025 May | 1 |", "| 2025 June | 2 |", "| 2026 May | 3 |", "| 2026 June | 4 |"]


def test_a_scatter_chart_says_both_numbers_of_each_point():
    chart = XyChartData()
    for name, points in (("Tents", [(0.7, 2.7), (1.8, 3.2)]), ("Stoves", [(5, 6)])):
        series = chart.add_series(name)
        for x, y in points:
            series.add_data_point(x, y)
    assert manuscript(_deck(chart, XL_CHART_TYPE.XY_SCATTER)).text == (
        "|  | Tents |\n|---|---|\n| 0.7 | 2.7 |\n| 1.8 | 3.2 |\n\n|  | Stoves |\n|---|---|\n| 5 | 6 |"
    )


def test_a_bubble_says_its_size_too():
    chart = BubbleChartData()
    chart.add_series("Tents").add_data_point(0.7, 2.7, 10)
    assert "| 0.7 | 2.7 | 10 |" in manuscript(_deck(chart, XL_CHART_TYPE.BUBBLE)).text
