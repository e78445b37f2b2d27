"""Amounts of a row, told of the column that they stand in and of others."""

import pytest

from services.inference.tests.test_grounding import reasons

PRICES = (
    "| Item | Hour | Half day | Full day | Deposit |\n|---|---|---|---|---|\n"
    "| Single kayak | £14.00 | £32.00 | £48.00 | £50.00 |\n| Double kayak | £22.00 | £48.00 | £72.00 | £80.00 |"
)
HOURS = (
    "| Day | April - June | July - August |\n|---|---|---|\n"
    "| Monday | closed | 9:00 - 19:00 |\n| Sunday | 9:00 - 17:00 | 8:00 - 19:00 |"
)


@pytest.mark.parametrize(
    ("claim", "text", "reason"),
    [
        ("A double kayak costs £72.00 for a full day", PRICES, "alike"),
        ("A double kayak costs £48.00 for a full day", PRICES, "number"),
        ("A double kayak costs £48.00 for half a day", PRICES, "alike"),
        ("A double kayak costs £48.00 for half a day and £72.00 for a full day", PRICES, "alike"),
        ("A single kayak costs £48.00 for a full day", PRICES, "alike"),
        ("The deposit of a double kayak is £72.00", PRICES, "number"),
        ("A double kayak costs £48.00", PRICES, "alike"),
        ("On Sundays in April and June we are open from 9:00 to 17:00", HOURS, "alike"),
        ("On Sundays in April and June we are open from 8:00 to 19:00", HOURS, "number"),
    ],
)
async def test_an_amount_belongs_to_its_column(claim: str, text: str, reason: str) -> None:
    assert await reasons(f"{claim} [1].", text) == [reason]


async def test_what_the_built_in_answerer_says_of_a_row_stands() -> None:
    said = "Double kayak: Hour £22.00, Half day £48.00, Full day £72.00, Deposit £80.00."
    assert await reasons(f"{said} [1]", PRICES) == ["quoted"]
