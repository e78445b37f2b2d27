"""What a text denies."""

import pytest

from inference_service.domain.negation import denied_terms


@pytest.mark.parametrize(
    ("text", "language", "denied", "not_denied"),
    [
        ("Sale items are not refunded.", "en", "item refund", ""),
        ("Firms that build without a licence pay a fine.", "en", "licenc", "firm"),
        ("There is no breakfast on Sundays.", "en", "breakfast", ""),
        ("Breakfast included: Sundays no, weekdays yes.", "en", "sunday", "breakfast weekday"),
        ("Rooms with a bath, doubles without.", "en", "doubl", "bath"),
        ("Pets allowed: no.", "en", "pet allow", ""),
        ("Artículos rebajados no.", "es", "articul rebaj", ""),
        ("Los gastos de envío no se devuelven.", "es", "gast envi devuelv", ""),
        ("Tiendas cuyas puertas no cierran.", "es", "puert cierr", "tiend"),
        ("Für Bücher gelten Rabatte keine.", "de", "buch rabatt", ""),
        ("Für Bücher gelten keine Rabatte.", "de", "rabatt", "buch"),
        ("Haustiere erlaubt: nein", "de", "hausti erlaubt", ""),
        ("Des remises, les livres aucune.", "fr", "livr", "remis"),
    ],
)
def test_a_negation_reaches_what_it_denies_and_nothing_else(text: str, language: str, denied: str, not_denied: str):
    found = denied_terms(text, language)
    assert found >= {*denied.split()}
    assert not found & {*not_denied.split()}


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Coffee with milk or without.", "en"),
        ("It makes no difference, whether the bag was opened or not.", "en"),
        ("Answer with yes or no.", "en"),
        ("Kaffee mit Milch oder ohne.", "de"),
        ("Order no. 12 is on its way.", "en"),
    ],
)
def test_both_of_two_and_a_number_deny_nothing(text: str, language: str):
    assert not denied_terms(text, language) & {
        "coffe",
        "milk",
        "bag",
        "open",
        "yes",
        "answer",
        "kaffe",
        "milch",
        "order",
    }


def test_a_text_of_nothing_but_denials_is_read_in_one_pass():
    assert denied_terms("not one thing " * 20_000, "en") == {"not", "one", "thing"}
