# ruff: noqa: RUF001  letters of many scripts are what is tested here
import pytest

from ingest_service.domain import language, terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("How long may I keep it before I send it back?", ("en",)),
        ("Wie lange kann ich die Jacke behalten?", ("de",)),
        ("¿Cuánto tiempo tengo para devolver la tienda?", ("es",)),
        ("Combien de temps puis-je garder la veste ?", ("fr",)),
        ("Quanto tempo ho per restituire la giacca?", ("it",)),
        ("Hoe lang kan ik de jas houden?", ("nl",)),
        ("Cât timp am ca să returnez geaca?", ("ro",)),
        ("Ceketi ne kadar süre tutabilirim, nasıl iade edilir?", ("tr",)),
        ("Tôi có thể trả lại áo khoác trong bao lâu?", ("vi",)),
        ("夹克可以退货吗？", ("zh",)),
        ("ジャケットを返品できますか", ("ja",)),
        ("재킷을 반품할 수 있나요?", ("ko",)),
        ("كم من الوقت لدي لإرجاع السترة؟", ("ar",)),
        ("چقدر وقت دارم تا کاپشن را پس بدهم؟", ("fa",)),
        ("Сколько времени у меня на возврат?", ("ru",)),
        ("Скільки часу я маю на повернення?", ("uk",)),
        ("मैं जैकेट कब तक लौटा सकता हूँ?", ("hi",)),
        ("ฉันคืนเสื้อได้ภายในกี่วัน", ("th",)),
        ("Πόσο χρόνο έχω για επιστροφή;", ("el",)),
        ("Taksit yapıyor musunuz?", ("tr",)),
        ("ŞİFREMİ UNUTTUM", ("tr",)),
        ("Îmi trimiteți factura?", ("ro",)),
        ("Niciodată fără garanție", ("ro",)),
        ("The résumé of Señor Muñoz is on the table", ("en",)),
        ("12345", ()),
        ("", ()),
    ],
)
def test_a_question_names_its_language(text, expected):
    assert language.candidates(text) == expected


def test_a_word_alone_may_be_of_several_languages():
    assert {"en", "de"} <= set(language.candidates("Retouren"))
    assert language.detect("Retouren") == "und"


def test_what_follows_an_apostrophe_is_no_word():
    assert language.candidates("What's the price?") == ("en",)


@pytest.mark.parametrize("query", ["iPhone 15 Pro reviews", "Bosch GSR 12V-15 batteries", "A4 folders"])
def test_names_of_products_are_no_words_of_rarer_languages(query):
    assert language.detect(query) == "und"
    assert "en" in language.candidates(query)
    assert matches(query, "Read the review of the iPhone 15 Pro, a battery for the GSR 12V-15, and a folder in A4.") > 2


def weights(text: str) -> dict[int, float]:
    vector = terms.passage_vector(text)
    return dict(zip(vector.indices, vector.values, strict=True))


def matches(query: str, passage: str) -> float:
    vector, held = terms.query_vector(query), weights(passage)
    return sum(value * held.get(index, 0.0) for index, value in zip(vector.indices, vector.values, strict=True))


@pytest.mark.parametrize(
    ("query", "passage"),
    [
        ("returning tents", "You may return the tent within 30 days of when you have it."),
        ("devoluciones", "La devolución de los productos se hace en la tienda."),
        ("devolucion", "La devolución de los productos se hace en la tienda."),
        ("Rückgabe", "Die Rückgabefrist ist für alle Artikel 30 Tage und nicht mehr."),
        ("退货", "所有商品都可以在三十天内退货。"),
        ("คืนสินค้า", "ลูกค้าสามารถคืนสินค้าได้ภายในสามสิบวัน"),
        ("МАГАЗИНЫ", "Наш магазин открыт каждый день."),
        ("भाषाओं", "हिन्दी एक भाषा है"),
        ("ＦＵＬＬ", "the full refund is for you"),
        ("co\u00adopera\u200bte", "we cooperate with you"),
        ("ISPARTA için kargo kaç gün sürer?", "Isparta için kargo ve iade bir gün sürer, bu çok hızlı."),
    ],
)
def test_the_same_word_in_another_form_matches(query, passage):
    assert matches(query, passage) > 0


def test_other_words_do_not_match():
    assert matches("umbrella", "You may return the tent within 30 days of when you have it.") == 0


def test_marks_stay_in_their_word():
    assert terms.terms("हिन्दी भाषा") == ["हिन्दी", "भाषा"]


def test_vietnamese_keeps_its_tones():
    assert terms.terms("trả lại", ("vi",)) == ["trả", "lại"]


def test_a_whole_word_weighs_more_than_its_parts():
    whole = matches("Rückgabefrist", "Die Rückgabefrist ist lang und nicht kurz.")
    part = matches("Rückgabe", "Die Rückgabefrist ist lang und nicht kurz.")
    assert 0 < part < whole


def test_a_repeated_term_saturates_and_length_counts_against():
    once, often = weights("lamp and tent and the cup"), weights("lamp lamp lamp lamp lamp")
    lamp = terms.query_vector("lamp").indices[0]
    assert once[lamp] < often[lamp] < 5 * once[lamp]
    long = weights("lamp " + " ".join(f"word{n}" for n in range(400)))
    assert long[lamp] < once[lamp]


def test_a_query_counts_each_term_once():
    assert terms.query_vector("the tent tent tent TENTS of the tent").values.count(1.0) == 1


@pytest.mark.parametrize(
    ("query", "subject", "beside"),
    [
        ("How long does shipping take?", "Shipping is free for you.", "How long you can take the jacket back."),
        ("Wie lange dauert der Versand?", "Der Versand ist frei.", "Wie lange es dauert, bis die Jacke da ist."),
        ("Сколько стоит доставка?", "Доставка бесплатная.", "Сколько это и почему."),
        ("كم سعر الخيمة؟", "سعر الخيمة في المتجر", "كم من هذا في"),
    ],
)
def test_what_names_no_subject_weighs_little(query, subject, beside):
    assert matches(query, subject) > matches(query, beside) > 0
