"""Opposite ways that two texts say a thing goes."""

import pytest

from inference_service.domain.negation import denied_terms
from inference_service.domain.opposites import are_opposed, is_prefixed, tendencies
from inference_service.domain.words import content_terms


@pytest.mark.parametrize(
    ("claim", "there", "language"),
    [
        ("The fee rises every year.", "The fee is reduced every year.", "en"),
        ("The shop is open on Sundays.", "Our shop is closed on Sundays.", "en"),
        ("Batteries are included.", "The price excludes batteries.", "en"),
        ("Der Laden ist am Sonntag geöffnet.", "Der Laden ist am Sonntag geschlossen.", "de"),
        ("La tienda está abierta los domingos.", "La tienda está cerrada los domingos.", "es"),
        ("Le magasin est ouvert le dimanche.", "Le magasin est fermé le dimanche.", "fr"),
    ],
)
def test_a_thing_that_goes_the_other_way_is_opposed(claim: str, there: str, language: str):
    assert are_opposed(tendencies(claim, language), tendencies(there, language))
    assert not are_opposed(tendencies(claim, language), tendencies(claim, language))


@pytest.mark.parametrize(
    "there",
    [
        "The price is reduced in winter.",  # of another thing
        "In summer the fee is lower than the fee of a hotel, which rises.",  # a comparison says one of each
        "The fee rises in May and falls in June.",  # both ways
    ],
)
def test_another_thing_a_comparison_and_both_ways_are_not_opposed(there: str):
    assert not are_opposed(tendencies("The fee rises in May.", "en"), tendencies(there, "en"))


def test_a_language_whose_words_are_not_known_opposes_nothing():
    assert tendencies("Sklep jest zamknięty.", "pl") == frozenset()


@pytest.mark.parametrize(
    ("claim", "there", "is_other"),
    [
        ("The scale is inaccurate.", "The scale is accurate.", True),
        ("The scale is accurate.", "The scale is inaccurate.", True),
        ("The scale is inaccurate.", "An inaccurate scale is not an accurate one.", False),
        ("Please inform us.", "Fill in the form.", False),
    ],
)
def test_a_negative_prefix_makes_the_opposite(claim: str, there: str, *, is_other: bool):
    assert is_prefixed({*content_terms(claim, "en")}, {*content_terms(there, "en")}) is is_other


def test_what_stands_before_without_is_not_denied():
    assert "firm" not in denied_terms("Firms that build without a licence pay a fine.", "en")
    assert "licenc" in denied_terms("Firms that build without a licence pay a fine.", "en")
    assert "item" in denied_terms("Sale items are not refunded.", "en")
