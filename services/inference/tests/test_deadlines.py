import pytest

from inference_service.domain.deadlines import starts


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "within 30 days of ordering", "within 30 days of delivery"),
        ("en", "5 working days after you ordered", "5 working days after the parcel\nhas reached us"),
        ("de", "innerhalb von 14 Tagen nach der Bestellung", "innerhalb von 14 Tagen nach Erhalt"),
        ("de", "14 Tage ab Kaufdatum", "14 Tage ab Versand"),
        ("es", "30 días después de la compra", "30 días desde la entrega"),
        ("fr", "30 jours après l'achat", "dans les 30 jours suivant la livraison"),
    ],
)
def test_a_time_is_counted_from_its_event(language: str, one: str, other: str):
    assert starts(one, language)
    assert starts(other, language)
    assert not starts(one, language) & starts(other, language)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("30 days after your order arrives", "30 days from delivery"),
        ("30 days after your order was placed", "30 days from the purchase"),
    ],
)
def test_whatever_may_be_meant_is_none_of_another(one: str, other: str):
    assert starts(one, "en") & starts(other, "en")


@pytest.mark.parametrize("text", ["30 days", "The order arrives in 3 days.", "3 days of rain. Orders wait.", ""])
def test_a_time_alone_is_counted_from_nothing_that_is_known(text: str):
    assert not starts(text, "en")


def test_other_languages_are_not_read():
    assert not starts("30 dni od dostawy", "pl")
