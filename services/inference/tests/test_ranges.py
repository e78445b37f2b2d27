"""Numbers of a question that lie in a range."""

import pytest

from inference_service.domain.extract import extract
from inference_service.domain.ranges import amounts_in, enclosed
from services.inference.tests.memory_embedder import MemoryEmbedder
from services.inference.tests.test_extract import found


@pytest.mark.parametrize(
    ("language", "question", "text", "is_in"),
    [
        ("en", "Can I cancel 10 days before?", "Between 20 and 8 days before, half the price is due.", True),
        ("en", "Can I cancel 10 days before?", "Between 20 and 8 hours before", False),
        ("en", "Can I cancel 5 days before?", "Between 20 and 8 days before", False),
        ("de", "Was kostet es für ein Kind mit 8 Jahren?", "7 bis 12 Jahre: 19 €", True),
        ("de", "Sind Sie um 10 Uhr da?", "9 - 18 Uhr", True),
        ("en", "How much is a parcel of 2.5 kg?", "2-5 kg: £9", True),
        ("en", "How many are 10?", "8 to 20 days", False),
    ],
)
def test_a_number_lies_in_a_range_of_the_same(language: str, question: str, text: str, is_in: bool) -> None:
    assert bool(enclosed(amounts_in(question, language), text, language)) is is_in


TERMS = (
    "The hirer may cancel free of charge up to 21 days before the hire begins.\n\n"
    "Between 20 and 8 days before, 50% of the price is due when the hirer cancels.\n\n"
    "Within the last week, 80% of the price is due when the hirer cancels."
)


async def test_the_clause_whose_range_holds_the_number_is_told() -> None:
    answer = (await extract("What is due if I cancel 10 days before?", found(TERMS), MemoryEmbedder())).text
    assert "Between 20 and 8 days before, 50% of the price is due" in answer


PARCELS = "| Weight | Price |\n|---|---|\n| 0-2 kg | £5 |\n| 2-5 kg | £9 |\n| 5-10 kg | £14 |"


async def test_the_price_of_a_range_is_that_of_a_number_in_it() -> None:
    answer = (await extract("How much is a parcel of 7 kg?", found(PARCELS, heading="Parcels"), MemoryEmbedder())).text
    assert answer == "5-10 kg: Price £14. [1]"
