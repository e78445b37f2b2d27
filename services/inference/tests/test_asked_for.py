# ruff: noqa: RUF001  letters of many scripts are what is tested here
import pytest

from inference_service.domain.asked_for import asked_units, holds, may_tell


@pytest.mark.parametrize(
    ("language", "question", "fits", "misses"),
    [
        ("en", "How long does shipping take?", "It takes 2 to 4 working days.", "Shipping costs 4.90 euros."),
        ("en", "How soon do I get my money?", "Within a week or two weeks.", "You get it back."),
        ("en", "How much is shipping?", "Shipping costs 4.90 euros.", "It takes 2 days."),
        ("en", "How much does the tent weigh?", "It weighs 1.9 kg.", "It costs 329 euros."),
        ("en", "What is the price of a repair?", "A repair costs €25.", "A repair takes 2 weeks."),
        ("en", "How many colours are there?", "They come in three colours.", "They come in many colours."),
        ("de", "Wie viele Farben gibt es?", "Es gibt drei Farben.", "Sie sind bunt."),
        ("de", "Wie lange habe ich Zeit?", "Sie haben 30 Tage.", "Das kostet 30 Euro."),
        ("de", "Was kosten zwei Zelte?", "Zelte: 4,90 €", "Zelte: drei"),
        ("de", "Was kostet der Versand?", "Er kostet 4,90 €.", "Er dauert 3 Tage."),
        ("es", "¿Cuánto tarda el envío?", "Llega en 3 días.", "Cuesta 5 euros."),
        ("fr", "Combien coûte la livraison ?", "Elle coûte 5 euros.", "Elle prend 3 jours."),
        ("zh", "退款需要多久？", "退款在5天内到账。", "运费10元。"),
        ("en", "When do you close on Fridays?", "Friday: 9:00 - 17:00", "Friday: 12 places"),
        ("en", "Are you open on Mondays?", "Monday: closed", "Monday: yoga"),
        ("de", "Haben Sie am Mittwoch offen?", "Mittwoch: geschlossen", "Mittwoch: Fisch"),
        ("de", "Bis wann haben Sie donnerstags geöffnet?", "8:00 bis 19:30 Uhr", "in 14 Tagen"),
        ("es", "¿A qué hora abren los lunes?", "Lunes: 10:00-14:00", "Lunes: 12 €"),
        ("fr", "Êtes-vous ouverts le lundi ?", "Lundi : fermé", "Lundi : 12 €"),
        ("ar", "كم سعر الخيمة؟", "سعرها 300 يورو.", "تصل خلال 3 أيام."),
    ],
)
def test_an_answer_of_the_kind_asked_for_holds_its_unit(language, question, fits, misses):
    units = asked_units(question, language)
    assert holds(fits, units, language)
    assert not holds(misses, units, language)


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "Can I return a gift?"),
        ("en", "Do you have long sleeves?"),
        ("de", "Wo sind Sie?"),
        ("ja", "返品できますか"),
    ],
)
def test_most_questions_ask_for_no_quantity(language, question):
    assert asked_units(question, language) == frozenset()
    assert not holds("It takes 3 days and costs 5 euros.", asked_units(question, language), language)


@pytest.mark.parametrize(
    ("language", "question", "may", "cannot"),
    [
        ("en", "How long does a repair take?", "It takes an hour.", "Keep an eye on the clock."),
        ("en", "How much is the sauna?", "It is free for guests.", "Towels lie ready."),
        ("en", "How many guests may I bring?", "Bring one friend.", "Bring your friends."),
        ("fr", "Combien de temps dure la garantie ?", "Elle dure un an.", "Gardez le reçu."),
        ("zh", "退款需要多久？", "几天内到账。", "请保留收据。"),
    ],
)
def test_what_names_no_quantity_cannot_tell_one(language, question, may, cannot):
    units = asked_units(question, language)
    assert may_tell(may, units, language)
    assert not may_tell(cannot, units, language)


def test_a_question_without_end_is_read_in_one_pass():
    assert asked_units("what " * 60_000 + "is it?", "en") == frozenset()
