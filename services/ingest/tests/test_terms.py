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


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("α 0,05\nβ 0,20\nγ 0,70", "und"),
        ("R1 10 Ω\nR2 4,7 kΩ\nR3 22 Ω", "und"),
        ("10 kΩ\n5 MΩ\n", "und"),
        ("Ridge tent 2P 499.00\nTrail stove 89.90\nSummit rope 60 m 129.00", "en"),
        ("iPhone 15 Pro 256 GB 1199.00\nGalaxy S24 Ultra 1449.00", "und"),
        ("Price list 2026\nTent 120 EUR\nStove 59.50 EUR\nLamp 19 EUR", "en"),
        ("M8 x 40 A2-70 DIN 933 0.42\nM10 x 60 A4-80 DIN 931 0.97", "und"),
        ("Zelt 2 Personen 499,00 €\nKocher 89,90 €\nSeil 60 m 129,00 €", "de"),
        ("Preisliste 2026\nSchlafsack 120 EUR\nIsomatte 59,50 EUR", "de"),
        ("Art.-Nr. 4711 Wanderschuh Gr. 42 149,95\nArt.-Nr. 4712 Wanderschuh Gr. 43 149,95", "de"),
        ("Tente 2 places 499,00 €\nRéchaud 89,90 €\nCorde 60 m 129,00 €", "fr"),
        ("Liste des prix 2026\nLampe frontale 39 €\nSac à dos 40 L 89 €", "fr"),
        ("Chaussures de randonnée T42 149,95\nChaussures de randonnée T43 149,95", "fr"),
        ("Tienda 2 plazas 499,00 €\nHornillo 89,90 €\nCuerda 60 m 129,00 €", "es"),
        ("Lista de precios 2026\nSaco de dormir 120 EUR\nEsterilla 59,50 EUR", "es"),
        ("Botas de montaña 42 149,95\nBotas de montaña 43 149,95", "es"),
        ("Tenda 2 posti 499,00 €\nFornello 89,90 €\nCorda 60 m 129,00 €", "it"),
        ("Listino prezzi 2026\nSacco a pelo 120 EUR\nMateriale 59,50 EUR", "it"),
        ("Scarponi da trekking 42 149,95\nScarponi da trekking 43 149,95", "it"),
        ("Tenda 2 pessoas 499,00 €\nFogareiro 89,90 €\nCorda 60 m 129,00 €", "pt"),
        ("Lista de preços 2026\nSaco de dormir 120 EUR\nColchonete 59,50 EUR", "pt"),
        ("Botas de caminhada 42 149,95", "pt"),
        ("Tent 2 personen 499,00 €\nKookstel 89,90 €\nTouw 60 m 129,00 €", "nl"),
        ("Prijslijst 2026\nSlaapzak 120 EUR\nSlaapmat 59,50 EUR\nper stuk", "nl"),
        ("Wandelschoenen maat 42 149,95\nWandelschoenen maat 43 149,95", "nl"),
        ("Namiot 2-osobowy 499,00 zł\nKuchenka 89,90 zł\nLina 60 m 129,00 zł", "pl"),
        ("Cennik 2026\nSpiwor 120 PLN\nMata 59,50 PLN", "pl"),
        ("Buty trekkingowe r. 42 149,95", "pl"),
        ("XL A 12 V 230 V 50 Hz 1.5 A 60 W", "und"),
        ("Sony WH-1000XM5 / Bose QC Ultra / JBL Live Pro 2", "und"),
        ("Le Creuset 24 cm 289.00\nLa Pavoni 899.00\nDe Longhi EC 685 199.00", "und"),
        ("El Camino boots 42\nLas Vegas cap one size\nSan Pellegrino 0.75 l", "und"),
        ("Die Hard DVD 9.99\nDas Boot DVD 9.99\nLa La Land DVD 12.99", "und"),
        ("Do It Yourself kit 1\nMini A/B switch\nSo.Go bag 20 l", "und"),
        ("Vitamin A 800 µg\nVitamin E 12 mg\nOmega 3 i.E.", "und"),
        ("Al-Mg alloy 6061 T6 0.5 mm\nPE-HD 2 mm\nPA 6.6 nat", "und"),
        ("Ölfilter OC 90 7,95\nZündkerze 3,49\nLuftfilter LX 12 14,90", "de"),
        ("Kaffee Crème 3,20\nEspresso 2,60\nCappuccino 3,80\nTee 2,80", "de"),
        ("Menu: Café 2,50 €\nThé 2,80 €\nCroissant 1,40 €", "fr"),
        ("Pack A 10 €\nPack B 20 €\nPack C 30 €", "und"),
        ("Gr. S M L XL\nA 88 92 96\nB 70 74 78", "und"),
        ("Porsche 911 Carrera S 3.0 l i 385 PS\nVW Golf 1.5 eTSI", "und"),
        ("Ø 12 mm 3,40\nØ 16 mm 4,20\nØ 20 mm 5,80", "und"),
        ("Å strøm: 5 A\n", "no"),
        ("Smørrebrød 45 kr\nØl 38 kr", "da"),
        ("Łożysko 6204 12,50\nŁożysko 6205 14,00", "pl"),
        ("Straße 12, 8000 Zürich", "de"),
        ("São Paulo 0800 555\nMünchen 089 555", "und"),
        ("Øresund Å 12\nMalmö 13\n", "und"),
        ("Coca-Cola 0,33 l 2,50\nFanta 0,33 l 2,50\nSprite 0,33 l 2,50", "und"),
        ("A-Z index\nA 1\nB 4\nC 9\nI 12\nO 44\nY 90", "und"),
    ],
)
def test_lists_of_names_and_numbers_are_told_rightly_or_not_at_all(text, spoken):
    assert language.detect(text) in {spoken, "und"}


def test_a_language_is_told_by_two_words_not_by_one():
    assert language.detect("Der Versand ist kostenlos.") == "de"
    assert language.detect("DER VERSAND IST KOSTENLOS") == "de"
    assert language.detect("Der Versand") == "und"
    assert language.detect("Die Die Hard Die") == "und"
    assert language.detect("Łożysko do piasty, średnica 12 mm") == "pl"
    assert language.detect("Η επιστροφή") == "el"


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


@pytest.mark.parametrize(
    ("query", "passage"),
    [
        ("a bottle of 500ml", "Bottles hold 500 ml."),
        ("500 ml", "A 500ml bottle"),
        ("KLF2 in mice", "Klf-2"),
        ("Gilt das für Windows11?", "Unter Windows 11"),
        ("отдача 20кг", "20 кг"),
    ],
)
def test_letters_and_digits_match_joined_or_apart(query, passage):
    assert matches(query, passage) > 0


def test_the_name_itself_is_worth_more_than_what_it_is_made_of():
    assert matches("KLF2 in mice", "KLF2") > matches("KLF2 in mice", "KLF 2") > matches("KLF2 in mice", "KLF 4")


def test_a_letter_alone_and_the_pieces_of_a_code_are_no_terms():
    assert matches("the 12V adapter", "V") == 0
    assert matches("order 3f2a9c7e", "3 2 9 7") == 0
    assert matches("क्या", "क") == 0


def test_other_words_do_not_match():
    assert matches("umbrella", "You may return the tent within 30 days of when you have it.") == 0


def test_marks_stay_in_their_word():
    assert terms.words("हिन्दी भाषा") == ["हिन्दी", "भाषा"]


def test_vietnamese_keeps_its_tones():
    assert matches("tôi muốn trả lại những gì", "Anh của tôi tra những lai lịch của người ta.") == pytest.approx(
        matches("tôi muốn những gì", "Anh của tôi tra những lai lịch của người ta.")
    )
    assert matches("trả lại những gì", "Tôi trả lại những gì của người ta.") > matches("trả", "Tôi tra của người ta.")


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
