from uuid import UUID

import pytest

from contracts.ids import DocumentId, PassageId
from ingest_service.domain.document import StoredPassage

ANY = UUID(int=7)


def shown(lead: str, body: str) -> str:
    passage = StoredPassage(
        PassageId(ANY), DocumentId(ANY), "Prices", 1, 90, 90 + len(body), "", lead, body, None, None
    )
    assert passage.text.endswith(body)
    assert passage.full_text == (f"{lead}\n{body}" if lead else body)
    return passage.text.removesuffix(body)


@pytest.mark.parametrize(
    ("header", "row", "columns"),
    [
        ("| SKU | Price |", "| CA-12 | 35.17 |", 2),
        ("SKU | Price", "CA-12 | 35.17", 2),
        (r"| SKU | M\|L | Price |", "| CA-12 | 4 | 35.17 |", 3),
        ("| Rooms |", "| Blue |", 1),
    ],
)
def test_a_later_part_of_a_table_shows_which_of_its_rows_is_the_header(header: str, row: str, columns: int):
    assert shown(header, f"{row}\n{row}") == f"{header}\n|{'---|' * columns}\n"


@pytest.mark.parametrize("lead", ["Take with you:", "Choose A | B:", "Take with you:\n| a | b"])
def test_what_introduces_a_list_is_no_header(lead: str):
    assert shown(lead, "- a lamp\n- a tent") == f"{lead}\n"


def test_nothing_is_put_before_what_has_no_lead():
    assert shown("", "| CA-12 | 35.17 |") == ""
