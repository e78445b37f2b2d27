"""Opposite ways that two texts say a thing goes."""

import pytest

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


@pytest.mark.parametrize(
    ("claim", "there", "language"),
    [
        ("The new form improves orders.", "The new form reduces orders with errors.", "en"),
        ("A helmet improves your ride.", "A helmet prevents injuries.", "en"),
        ("Der neue Ablauf ist besser.", "Der neue Ablauf ist kürzer.", "de"),
        ("El nuevo servicio mejora las entregas.", "El nuevo servicio reduce las entregas tardías.", "es"),
    ],
)
def test_how_good_a_thing_is_stands_apart_from_how_much_there_is(claim: str, there: str, language: str):
    assert not are_opposed(tendencies(claim, language), tendencies(there, language))


@pytest.mark.parametrize(
    ("claim", "there", "language"),
    [
        ("The new form improves orders.", "The new form impairs orders.", "en"),
        ("Der Ablauf ist besser.", "Der Ablauf ist schlechter.", "de"),
        ("El servicio mejora.", "El servicio empeora.", "es"),
    ],
)
def test_better_and_worse_are_opposed(claim: str, there: str, language: str):
    assert are_opposed(tendencies(claim, language), tendencies(there, language))


def test_inflammable_is_flammable():
    for language in ("en", "und"):
        claimed, there = ({*content_terms(f"Foam: {word}", language)} for word in ("inflammable", "flammable"))
        assert not is_prefixed(claimed, there)
        assert not is_prefixed(there, claimed)


def test_a_language_whose_words_are_not_known_opposes_nothing():
    assert tendencies("Sklep jest zamknięty.", "pl") == frozenset()


@pytest.mark.parametrize(
    ("claim", "there", "is_other"),
    [
        ("The scale is inaccurate.", "The scale is accurate.", True),
        ("The scale is accurate.", "The scale is inaccurate.", True),
        ("The scale is inaccurate.", "An inaccurate scale is not an accurate one.", False),
        ("Please inform us.", "Fill in the form.", False),
        ("The island is inhabitable.", "The island is habitable.", False),
        ("We describe insights.", "The script is in sight.", False),
    ],
)
def test_a_negative_prefix_makes_the_opposite(claim: str, there: str, *, is_other: bool):
    assert is_prefixed({*content_terms(claim, "en")}, {*content_terms(there, "en")}) is is_other
