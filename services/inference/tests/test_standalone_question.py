# ruff: noqa: RUF001 - questions in many languages
import pytest

from inference_service.domain.standalone_question import standalone_question
from inference_service.domain.turn import Said
from services.inference.tests.fakes import turn


@pytest.mark.parametrize(
    ("before", "asked", "whole"),
    [
        ("How do I wash the Firn jacket?", "And tents?", "And tents? wash Firn jacket"),
        ("What does the Ridge cost?", "What about the Haven?", "What about the Haven? Ridge cost"),
        ("Do you ship to Austria?", "How long does it take?", "How long does it take? ship Austria"),
        ("Can I pay by card?", "By invoice too?", "By invoice too? pay"),
        ("Kann ich mit PayPal bezahlen?", "Und in Raten?", "Und in Raten? PayPal bezahlen"),
        ("¿Puedo devolver un artículo?", "¿Y el café abierto?", "¿Y el café abierto? devolver artículo"),
        ("Combien coûte la livraison ?", "Et pour la Suisse ?", "Et pour la Suisse ? coûte livraison"),
    ],
)
def test_a_question_that_leans_takes_the_subject_with_it(before, asked, whole):
    assert standalone_question(asked, (before,)) == whole


@pytest.mark.parametrize(
    "asked",
    [
        "Can I collect an order in a store?",
        "Do you sell gift cards?",
        "And how many days does standard shipping of a large parcel to Austria usually take?",
        "退货需要多久？",
        "Thanks!",
        "?",
    ],
)
def test_a_question_that_stands_alone_stays_as_it_is(asked):
    assert standalone_question(asked, ("How long is the warranty on stoves?",)) == asked


def test_the_first_question_has_nothing_to_lean_on():
    assert standalone_question("And tents?", ()) == "And tents?"


WARRANTY = "How long is the warranty on jackets?"


@pytest.mark.parametrize(
    ("earlier", "asked", "whole"),
    [
        ((WARRANTY,), "and for tents?", "and for tents? warranty"),
        ((WARRANTY, "and for tents?"), "and stoves?", "and stoves? warranty"),
        ((WARRANTY, "and for tents?"), "Does it cover zips?", "Does it cover zips? tents warranty"),
        ((WARRANTY, "Thanks", "ok, got it"), "And for a zip?", "And for a zip? warranty"),
        (("How do I wash the Firn?", "And tents?", "Vielen Dank!"), "And stoves?", "And stoves? wash Firn"),
        (("Do you ship to Austria?", "How long does it take?"), "And by express?", "And by express? ship Austria"),
        (("Kann ich Kaffee mit PayPal bezahlen?",), "Und mit Karte?", "Und mit Karte? Kaffee bezahlen"),
        (("Can I pay by card?", "Do you sell tents?"), "And stoves?", "And stoves? sell tents"),
        (("Thanks", "Hello?"), "And for a zip?", "And for a zip?"),
    ],
)
def test_a_subject_goes_on_from_question_to_question(earlier, asked, whole):
    assert standalone_question(asked, earlier) == whole


def test_what_would_leave_nothing_to_go_on_about_is_kept():
    assert standalone_question("And by invoice?", ("By card?",)) == "And by invoice? card"


def test_words_that_are_said_already_are_not_said_twice_and_few_are_carried():
    assert standalone_question("And the tents?", ("Which tents are light?",)) == "And the tents? light"
    long = " ".join(f"subject{n}" for n in range(50))
    assert len(standalone_question("And tents?", (long,)).split()) == 8


def test_a_turn_is_searched_by_what_its_customer_asked_before():
    history = (Said(True, "How do I wash the Firn?"), Said(False, "At 30 degrees, with detergent for down."))
    assert turn(question="And tents?", history=history).query == "And tents? wash Firn"
    assert turn(question="And tents?").query == "And tents?"
