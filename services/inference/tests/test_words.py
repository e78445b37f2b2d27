# ruff: noqa: RUF001 - words of many languages
"""Languages and terms of questions."""

import pytest

from inference_service.domain.words import content_terms, language_of, terms, told_in


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Can I return something after three weeks?", "en"),
        ("Wie lange kann ich etwas zurückgeben?", "de"),
        ("¿Cuánto cuesta el envío?", "es"),
        ("Combien coûte la livraison ?", "fr"),
        ("Quanto costa la spedizione?", "it"),
        ("Quanto tempo leva o envio para o meu país?", "pt"),
        ("Hoeveel kost het verzenden?", "nl"),
        ("Cât durează livrarea comenzii și unde este?", "ro"),
        ("Czy mogę zaparkować przed sklepem?", "pl"),
        ("Teslimat ne kadar sürer?", "tr"),
        ("Giao hàng mất bao lâu?", "vi"),
        ("Сколько стоит доставка?", "ru"),
        ("Πόσο κοστίζει η αποστολή;", "el"),
        ("كم تكلفة التوصيل؟", "ar"),
        ("डिलीवरी में कितना समय लगता है?", "hi"),
        ("จัดส่งใช้เวลากี่วัน", "th"),
        ("运费是多少？", "zh"),
        ("iPhone 15 Pro 的运费是多少？", "zh"),
        ("返品はできますか？", "ja"),
        ("배송은 얼마나 걸리나요?", "ko"),
        ("Was kosten Socken?", "de"),
        ("Was ist für Gäste?", "de"),
        ("¿Venden patinetes?", "es"),
        ("WLAN?", "und"),
        ("1234 !?", "und"),
        ("", "und"),
    ],
)
def test_a_short_question_tells_its_language(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Где можно припарковаться?", "ru"),
        ("Де я можу припаркуватися і скільки це коштує?", "uk"),
        ("Къде мога да паркирам пред магазина?", "und"),
        ("Where can I park?", "en"),
    ],
)
def test_nobody_is_told_something_in_the_language_of_a_neighbour(text: str, language: str) -> None:
    assert told_in(text) == language


@pytest.mark.parametrize(
    ("question", "statement", "language"),
    [
        ("Can items be returned?", "You may return any item.", "en"),
        ("Shop's opening hour", "The shop opens; hours vary", "en"),
        ("Welche Garantien gibt es?", "Die Garantie beträgt zwei Jahre.", "de"),
        ("¿Hay devoluciones?", "La devolución es gratuita.", "es"),
        ("Сколько стоит доставка?", "Стоимость доставки 300 рублей.", "ru"),
        ("هل يمكن إرجاع القهوة؟", "لا يمكن إرجاع القهوة المفتوحة.", "ar"),
        ("运费是多少？", "标准配送的运费为十元。", "zh"),
    ],
)
def test_a_question_meets_its_statement(question: str, statement: str, language: str) -> None:
    assert set(content_terms(question, language)) & set(terms(statement, language))


def test_function_words_are_left_out_unless_nothing_else_is_there() -> None:
    assert content_terms("How much does the red tent cost?", "en") == ("red", "tent", "cost")
    assert content_terms("Why not?", "en") == ("whi", "not")
    assert "多少" not in content_terms("运费是多少？", "zh")


def test_forms_of_one_word_are_one_term() -> None:
    assert terms("returns RETURNED returning", "en") == ["return"] * 3
    assert terms("Größe GROSSE ﬁt", "und") == ["grosse", "grosse", "fit"]
    assert terms("soft\u00adware", "und") == ["software"]
    assert terms("京都", "zh") == ["京都"]
    assert terms("大", "zh") == ["大"]


@pytest.mark.parametrize(
    ("question", "language", "subject"),
    [
        ("Was muss ich bei Diebstahl tun?", "de", ("diebstahl",)),
        ("Habt ihr sonntags offen?", "de", ("sonntag", "off")),
        ("¿Qué debo hacer en caso de robo?", "es", ("cas", "rob")),
        ("Que dois-je faire en cas de vol ?", "fr", ("cas", "vol")),
        ("Cosa devo fare in caso di furto?", "it", ("cas", "furt")),
        ("O que devo fazer em caso de roubo?", "pt", ("cas", "roub")),
        ("Wat moeten wij doen bij diefstal?", "nl", ("diefstal",)),
    ],
)
def test_what_one_must_or_does_is_no_subject(question: str, language: str, subject: tuple[str, ...]) -> None:
    assert language_of(question) == language
    assert content_terms(question, language) == subject
