# ruff: noqa: RUF001 - answers in many languages
"""Answers from passages alone."""

from dataclasses import replace
from uuid import UUID

import pytest

from contracts.ids import DocumentId
from inference_service.domain.citation import cited
from inference_service.domain.extract import ENGLISH, LEXICAL, Evidence, confidence, extract, gather_evidence
from inference_service.domain.model import Passage
from inference_service.domain.sentences import sentences
from services.inference.tests.memory_embedder import MemoryEmbedder

RETURNS = "You can return any unused item within 30 days. Items must be clean. Return shipping is free above 40 €."
SHIPPING = "Standard delivery takes 3 to 5 working days. We deliver to Norway. Tracking links come by e-mail."
WARRANTY = "The hand grinder Tove has steel burrs. It costs 89 €. The warranty of machines is two years."


def found(*texts: str, heading: str = "") -> tuple[Passage, ...]:
    return tuple(
        Passage(n, DocumentId(UUID(int=n)), "Our shop", None, text, 1 / n, heading) for n, text in enumerate(texts, 1)
    )


PARCELS = "Orders leave our house on the same day. Parcels are tracked."


@pytest.mark.parametrize(
    ("question", "above"),
    [
        ("From how many euros on is shipping free?", "## Free shipping from 50 euros"),
        ("Within how many days can goods be returned?", "Goods can be returned within thirty days of receipt"),
    ],
)
async def test_a_heading_that_says_something_is_quoted(question: str, above: str) -> None:
    title = above.lstrip("# ")
    (passage,) = found(PARCELS, heading=title)
    extraction = await extract(question, (replace(passage, above=f"{above}\n\n"),), MemoryEmbedder())
    assert extraction.text == f"{title} [1]"


@pytest.mark.parametrize(
    "title", ["Returns", "Return Shipping and Exchange of Goods", "How goods can be returned here"]
)
async def test_a_title_is_no_answer(title: str) -> None:
    (passage,) = found("Send the goods back within 30 days.", heading=title)
    extraction = await extract(
        "How can goods be returned?", (replace(passage, above=f"{title}\n\n"),), MemoryEmbedder()
    )
    assert title not in extraction.text


PRICES = "Windows 11\n\nThe licence costs 99 euros.\n\nWindows 10\n\nThe licence costs 49 euros."


@pytest.mark.parametrize("question", ["How much is Windows 10?", "What does the licence of Windows 10 cost?"])
async def test_a_title_with_a_number_says_what_follows_is_about(question: str) -> None:
    extraction = await extract(question, found(PRICES), MemoryEmbedder())
    assert extraction.text == "The licence costs 49 euros. [1]"


@pytest.mark.parametrize("question", ["How much is Windows 10?", "What does the licence of Windows 10 cost?"])
async def test_a_heading_with_a_number_is_no_answer_by_naming_what_is_asked_about(question: str) -> None:
    passages = found("The licence costs 99 euros.", "The licence costs 49 euros.")
    titled = [
        replace(passage, heading=title, above=f"## {title}\n\n")
        for passage, title in zip(passages, ("Windows 11", "Windows 10"), strict=True)
    ]
    extraction = await extract(question, titled, MemoryEmbedder())
    assert extraction.text == "The licence costs 49 euros. [2]"


@pytest.mark.parametrize(
    ("question", "heading", "text", "speaks"),
    [
        ("How many days do I have for returns?", "Returns", "See our shops for opening hours.", False),
        ("How long is the warranty?", "Warranty", "Keep the receipt in a dry place.", False),
        ("How long is the warranty?", "Warranty", "Poles are covered for five years.", True),
        ("How long does a repair take?", "Repair", "Most are done in an hour.", True),
        ("How much is the sauna?", "Sauna", "Guests get in free.", True),
        ("How many banks are supported?", "Supported banks", "The list grows every month.", False),
        ("Where are the showers?", "Showers", "They are next to the lockers.", True),
    ],
)
async def test_a_heading_speaks_for_a_text_that_may_tell_what_is_asked(
    question: str, heading: str, text: str, *, speaks: bool
) -> None:
    evidence = await gather_evidence(question, found(text, heading=heading), "en", MemoryEmbedder())
    assert evidence is not None
    assert (evidence.coverage > 0) is speaks
    assert (evidence.passage_coverage > 0) is speaks


async def test_a_word_of_the_heading_above_all_weighs_by_the_statements_that_have_it() -> None:
    texts = ("Shipping is free from 200 euros.", "Send it back within 30 days.", "Parcels are tracked.")
    asked = {"When is shipping gratis?": 0.3, "Does the hotel track parcels?": 0.9}
    for question, least in asked.items():
        passages = found(*texts, heading="Hotel: shipping and returns")
        evidence = await gather_evidence(question, passages, "en", MemoryEmbedder())
        assert evidence is not None
        assert evidence.coverage > least


async def test_a_title_of_many_words_is_no_answer() -> None:
    text = "We open on Sundays.\n\nReturning items bought on sale\n\nYou have 14 days."
    extraction = await extract("Can I return items bought on sale?", found(text), MemoryEmbedder())
    assert extraction.text == "You have 14 days. [1]"


async def test_a_short_statement_alone_on_its_line_is_no_heading_of_the_next() -> None:
    text = "We open on Sundays.\n\nGoods can be returned within thirty days of receipt\n\nShipping costs sixty rupees."
    extraction = await extract("Within how many days can goods be returned?", found(text), MemoryEmbedder())
    assert extraction.text == "Goods can be returned within thirty days of receipt [1]"


@pytest.mark.parametrize(
    "statement",
    ["สินค้าคืนได้ภายในสามสิบวัน", "商品可在三十天内退货", "दुकान रविवार को बंद रहती है॥", "Open until 22:45"],
)
def test_statements_of_all_scripts_can_be_quoted(statement: str) -> None:
    told = [sentence.text for sentence in sentences(f"{statement}\n\nA second sentence that stands below.")]
    assert statement in told


ALL = found(RETURNS, SHIPPING, WARRANTY)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Can I return unused items?", "You can return any unused item within 30 days. [1]"),
        ("How long does standard delivery take?", "Standard delivery takes 3 to 5 working days. [2]"),
        ("Do you deliver to Norway?", "We deliver to Norway. [2]"),
    ],
)
async def test_the_sentence_that_answers_is_quoted_with_its_source(question: str, answer: str) -> None:
    extraction = await extract(question, ALL, MemoryEmbedder())
    assert extraction.text == answer
    assert extraction.cited == cited(answer)
    assert extraction.confidence > 0.5


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who founded the company?", "I could not find an answer to that in our documents."),
        ("Wer hat die Firma gegründet?", "Dazu habe ich in unseren Unterlagen keine Antwort gefunden."),
        ("¿Quién fundó la empresa?", "No he encontrado una respuesta a eso en nuestros documentos."),
        ("Qui a fondé l'entreprise ?", "Je n'ai pas trouvé de réponse à cela dans nos documents."),
        ("公司是谁创办的？", "我在我们的资料中没有找到这个问题的答案。"),
        ("من أسس الشركة؟", "لم أجد إجابة عن هذا السؤال في مستنداتنا."),
        ("ใครก่อตั้งบริษัท", "ขออภัย ไม่พบคำตอบสำหรับคำถามนี้ในเอกสารของเรา"),
        ("Хто заснував цю компанію і коли?", "У наших документах не знайшлося відповіді на це запитання."),
        ("Kdo založil firmu?", "I could not find an answer to that in our documents."),
    ],
)
@pytest.mark.parametrize("passages", [ALL, ()])
async def test_what_the_documents_do_not_hold_is_said_so(
    question: str, answer: str, passages: tuple[Passage, ...]
) -> None:
    extraction = await extract(question, passages, MemoryEmbedder())
    assert extraction.text == answer
    assert extraction.cited == ()
    assert extraction.confidence < 0.5


async def test_meaning_finds_what_words_alone_do_not() -> None:
    question = "Can I bring fresh items?"
    assert (await extract(question, ALL, MemoryEmbedder())).cited == ()
    alike = MemoryEmbedder("return bring", "unus fresh")
    assert (await extract(question, ALL, alike)).text == "You can return any unused item within 30 days. [1]"


async def test_it_answers_without_embeddings_too() -> None:
    away = MemoryEmbedder(is_away=True)
    assert (await extract("Can I return unused items?", ALL, away)).cited == (1,)
    assert (await extract("Who founded the company?", ALL, away)).cited == ()
    assert away.asked


async def test_a_language_the_model_cannot_read_is_not_embedded() -> None:
    embedder = MemoryEmbedder()
    passages = found("未使用的商品可在三十天内退货。运费为十元。")
    assert (await extract("运费是多少？", passages, embedder)).text == "运费为十元。 [1]"
    assert embedder.asked == []


async def test_no_more_than_a_few_sentences_are_embedded() -> None:
    long = " ".join(f"Fact number {n} is about delivery." for n in range(200))
    embedder = MemoryEmbedder()
    await extract("How long is the delivery of fact 3?", found(long), embedder)
    assert embedder.asked == [25]


async def test_a_sentence_that_refers_back_brings_the_one_before() -> None:
    extraction = await extract("What does the hand grinder Tove cost?", ALL, MemoryEmbedder("cost costs"))
    assert extraction.text.startswith("The hand grinder Tove has steel burrs. [3] It costs 89 €. [3]")


async def test_sentences_come_in_reading_order_and_each_once() -> None:
    passages = found("Delivery costs 5 €. Delivery takes 3 days.", "Delivery takes 3 days. Norway is by sea.")
    extraction = await extract("What does delivery cost and how many days does it take?", passages, MemoryEmbedder())
    assert extraction.text == "Delivery costs 5 €. [1] Delivery takes 3 days. [1]"
    assert extraction.text.count("takes 3 days") == 1


async def test_an_answer_is_short() -> None:
    same = " ".join(f"The delivery of order {chr(97 + n) * 4} takes {n} days." for n in range(20))
    extraction = await extract("How many days does the delivery of an order take?", found(same), MemoryEmbedder())
    assert extraction.text.count("[1]") <= 3


async def test_a_heading_helps_to_find_what_stands_below_it() -> None:
    passages = (*found("Hand the parcel in at a post office. Keep the receipt."), *ALL[1:])
    below = (*found("Hand the parcel in at a post office. Keep the receipt.", heading="Returning parcels"), *ALL[1:])
    question = "How does returning a parcel work?"
    without = await extract(question, passages, MemoryEmbedder())
    assert (await extract(question, below, MemoryEmbedder())).confidence > without.confidence


async def test_a_question_of_no_clear_language_is_read_as_the_documents_are() -> None:
    assert (await extract("Warranty machines?", ALL, MemoryEmbedder())).cited == (3,)


@pytest.mark.parametrize("question", ["", "?", "   ", "!!!", "🙂"])
async def test_a_question_without_words_finds_nothing(question: str) -> None:
    assert (await extract(question, ALL, MemoryEmbedder())).cited == ()


def test_confidence_grows_with_the_evidence_and_stays_a_probability() -> None:
    weak, strong = Evidence(0.1, 0.1, 0.1), Evidence(1.0, 1.0, 1.0)
    assert 0 < confidence(weak, ENGLISH) < 0.1
    assert 0.95 < confidence(strong, ENGLISH) < 1
    blind = Evidence(0.8, 0.8, None)
    assert confidence(blind, ENGLISH) == confidence(blind, LEXICAL) > 0.5


async def test_how_long_is_answered_by_a_span_of_time() -> None:
    passages = found("The shipping fee is refunded with the whole order.", "Shipping ends after 2 to 4 working days.")
    assert (await extract("How long does shipping take?", passages, MemoryEmbedder())).cited[0] == 2
    assert (await extract("Is there a fee?", passages, MemoryEmbedder())).cited[0] == 1


def sections(document: int, title: str, **texts: str) -> list[Passage]:
    """One document's passages, each below `title > heading`."""
    return [
        Passage(n, DocumentId(UUID(int=document)), title, None, text, 1 / n, f"{title} > {heading.replace('_', ' ')}")
        for n, (heading, text) in enumerate(texts.items(), 1)
    ]


RULES = [
    (
        "How long is the warranty on tents?",
        sections(
            1,
            "Warranty",
            Poles_and_down="Tent poles and the down of jackets are covered for five years.",
            Everything="Everything we sell has a warranty of two years from the day of delivery.",
            What_it_covers="The warranty covers faults of material.",
        ),
        (1, 2),
    ),
    (
        "How long is the delivery to small islands?",
        sections(
            1,
            "Delivery",
            Far_away="Small islands are reached within ten days.",
            All_places="Our delivery takes three days from the order.",
        ),
        (1, 2),
    ),
    (
        "Wie lange ist die Garantie auf Mühlen?",
        sections(
            1,
            "Garantie",
            Mahlwerke="Mahlwerke von Mühlen sind fünf Jahre lang abgesichert.",
            Alles="Auf alles, was wir verkaufen, geben wir zwei Jahre Garantie.",
        ),
        (1, 2),
    ),
]


@pytest.mark.parametrize(("question", "passages", "cites"), RULES)
async def test_beside_what_may_be_an_exception_stands_the_rule(
    question: str, passages: list[Passage], cites: tuple[int, ...]
) -> None:
    extraction = await extract(question, passages, MemoryEmbedder())
    assert extraction.cited == cites


async def test_no_rule_is_taken_from_another_document_or_for_what_is_no_quantity() -> None:
    question, passages, _ = RULES[0]
    elsewhere = [
        *passages[:1],
        *(Passage(p.n, DocumentId(UUID(int=2)), "Stoves", None, p.text, p.score, p.heading) for p in passages[1:]),
    ]
    assert (await extract(question, elsewhere, MemoryEmbedder())).cited == (1,)
    unsaid = await extract("Who gives the warranty on tents?", passages, MemoryEmbedder())
    assert "Everything" not in unsaid.text
