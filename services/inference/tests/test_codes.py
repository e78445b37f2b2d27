"""Codes of products, and answers that are of the product that was asked about."""

from dataclasses import replace

import pytest

from inference_service.domain.codes import codes_in, is_about_another
from inference_service.domain.extract import extract
from services.inference.tests.memory_embedder import MemoryEmbedder
from services.inference.tests.test_extract import found


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("the IB-340 and ib420", {("ib", "340"), ("ib", "420")}),
        ("manual-ib340", {("ib", "340")}),
        ("an IB 340, error E4", {("ib", "340"), ("e", "4")}),
        ("on May 14 for 30kg at 5pm", set()),
    ],
)
def test_codes_are_told_however_they_are_written(text: str, codes: set[tuple[str, str]]) -> None:
    assert codes_in(text) == codes


def test_what_names_another_code_of_the_kind_alone_is_about_another() -> None:
    asked = codes_in("How heavy is the IB-340?")
    assert is_about_another("IB-420 > Technical data: Weight: 17.8 kg", asked)
    assert not is_about_another("IB-340 or IB-420: both carry two adults", asked)
    assert not is_about_another("IB-340: fit the skeg SK-12", asked)
    assert not is_about_another("All boats are made in Norway (ISO 9001)", asked)
    assert not is_about_another("IB-420", codes_in("How heavy is the boat?"))


DATA = "| Weight | 17.8 kg |\n| Payload | 260 kg |"


@pytest.mark.parametrize(("asked", "answer"), [("IB-340", "Payload: 180 kg. [2]"), ("IB-420", "Payload: 260 kg. [1]")])
async def test_the_manual_of_another_model_answers_nothing(asked: str, answer: str) -> None:
    big, small = found(DATA, DATA.replace("260", "180"), heading="Technical data")
    passages = (replace(big, title="Boat IB-420"), replace(small, title="Boat IB-340"))
    assert (await extract(f"What is the payload of the {asked}?", passages, MemoryEmbedder())).text == answer


async def test_a_model_that_no_document_names_has_no_answer_of_another() -> None:
    passages = tuple(replace(one, title="Boat IB-420") for one in found(DATA))
    assert (await extract("What is the payload of the IB-500?", passages, MemoryEmbedder())).cited == ()


PRICES = "| Item | Hour | Day |\n|---|---|---|\n| Single kayak | £14 | £48 |\n| Double kayak | £22 | £72 |"


@pytest.mark.parametrize(
    ("question", "quoted", "not_quoted"),
    [
        ("How much is a single kayak a day?", "Single kayak", "Double kayak"),
        ("What does a double kayak cost?", "Double kayak", "Single kayak"),
    ],
)
async def test_a_row_of_something_else_does_not_stand_beside_the_one_asked_for(
    question: str, quoted: str, not_quoted: str
) -> None:
    answer = (await extract(question, found(PRICES), MemoryEmbedder())).text
    assert quoted in answer
    assert not_quoted not in answer


async def test_rows_that_name_as_much_of_the_question_are_all_told() -> None:
    answer = (await extract("What does a kayak cost?", found(PRICES), MemoryEmbedder())).text
    assert "Single kayak" in answer
    assert "Double kayak" in answer


async def test_a_row_of_another_document_that_names_less_is_left_out() -> None:
    heron, falcon = found(DATA, DATA.replace("260", "180"))
    passages = (replace(heron, title="Boat Heron"), replace(falcon, title="Boat Falcon"))
    answer = (await extract("What is the payload of the Falcon?", passages, MemoryEmbedder())).text
    assert answer == "Payload: 180 kg. [2]"


SERVICES = "| Leistung | Preis |\n|---|---|\n| Röntgen | 78,00 € |\n| Impfung für Hunde | 42,00 € |"


async def test_a_sum_tells_what_a_thing_costs_without_that_word() -> None:
    answer = (await extract("Was kostet das Röntgen?", found(SERVICES), MemoryEmbedder())).text
    assert answer == "Röntgen: Preis 78,00 €. [1]"


async def test_the_price_of_something_else_is_no_answer() -> None:
    assert (await extract("Was kostet eine Impfung für Kaninchen?", found(SERVICES), MemoryEmbedder())).cited == ()


HOURS = "| Montag | geschlossen |\n| Dienstag | 8:00 - 12:00 Uhr |\n| Samstag | 9:00 - 11:00 Uhr |"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Wann haben Sie am Dienstag geöffnet?", "Dienstag: 8:00 - 12:00 Uhr. [1]"),
        ("Haben Sie am Montag offen?", "Montag: geschlossen. [1]"),
    ],
)
async def test_hours_of_opening_tell_when_somebody_has_opened(question: str, answer: str) -> None:
    assert (await extract(question, found(HOURS, heading="Sprechzeiten"), MemoryEmbedder())).text == answer


async def test_hours_of_something_else_do_not() -> None:
    courses = found(HOURS.replace("geschlossen", "18:30 Uhr"), heading="Yoga")
    assert (await extract("Haben Sie am Montag offen?", courses, MemoryEmbedder())).cited == ()
