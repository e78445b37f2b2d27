"""Lines that stand alone: titles, statements, and titles that tell a quantity."""

import pytest

from inference_service.domain.titles import is_statement, tells_quantity, title_places

STATEMENTS = """
Goods can be returned within thirty days of receipt
Der Versand ist kostenlos
商品可在三十天内退货
สินค้าคืนได้ภายในสามสิบวัน
दुकान रविवार को बंद रहती है
"""
QUANTITIES = """
Free shipping from 50 euros
Open until 22:45
Rückgabe innerhalb von 30 Tagen
Free towels from 3 visits a month
20 % off everything
"""
TITLES = """
Windows 11
Covid-19
Appendix A1
§ 5 Widerruf
2. Versand und Kosten
Terms of sale 2024
Returning items bought on sale
Frequently asked questions about returns
Return Shipping and Exchange of Goods
How goods can be returned here
What can be returned?
退货政策
有机产品
"""


@pytest.mark.parametrize("line", STATEMENTS.strip().splitlines())
def test_a_line_with_a_verb_is_a_statement(line: str) -> None:
    assert is_statement(line)


@pytest.mark.parametrize("line", QUANTITIES.strip().splitlines())
def test_a_title_may_tell_a_quantity(line: str) -> None:
    assert not is_statement(line)
    assert tells_quantity(line)


@pytest.mark.parametrize("line", TITLES.strip().splitlines())
def test_a_title_says_nothing_by_itself(line: str) -> None:
    assert not is_statement(line)
    assert not tells_quantity(line)


def test_a_heading_keeps_signs_of_its_own() -> None:
    above = "# Languages\n\n## We support C#\n\n## Closed ##\n\n"
    assert [above[start:end] for start, end in title_places(above)] == ["Languages", "We support C#", "Closed"]


@pytest.mark.parametrize("sign", ["1", "1.", "1,1"])
def test_a_number_without_end_is_read_in_one_pass(sign: str):
    assert tells_quantity(sign * 100_000 + " Windows from 30 euros")
