"""Which sentences of an answer the passages bear out, and with which words."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.ingest import PageStart, PassageHit
from inference_service.domain import grounding
from inference_service.domain.ground import Ground
from inference_service.domain.grounding import Checking, Grounding, quoted_sources
from inference_service.domain.model import Passage, Prompt
from inference_service.domain.spans import read_passage
from inference_service.outbound.extractive_model import ExtractiveModel
from services.inference.tests.fakes import hit
from services.inference.tests.memory_embedder import MemoryEmbedder

RETURNS = """You can return anything you bought from us within 30 days of delivery. A return after three weeks is
therefore still in time. After 30 days we no longer take an item back, unless it is faulty.

- Refunds take 5 working days.
- Shipping within Europe costs €4.90.

| size | price |
| --- | --- |
| small | 12 € |
"""
FAULTY = "After 30 days we no longer take an item back, unless it is faulty: faulty items are covered by the warranty."
EXCLUDED = "- Gift cards\n- Gas cartridges that were opened\n\nSale items can be returned like everything else."
WEAR = "The warranty does not cover normal wear or fire.\n\nA coating that has become weaker is normal wear."
FEES = "Returning a parcel costs 4.90 euros. The shipping fee is refunded only when you return the whole order."
GERMAN = "Sie können Artikel innerhalb von 30 Tagen zurückgeben. Ausgenommen sind reduzierte Artikel."
CHINESE = "您可以在30天内退货。打折商品不可退货。"


async def checked(answer: str, *texts: str, is_away: bool = False) -> Grounding:
    return await Checking([hit(text) for text in texts or (RETURNS,)], MemoryEmbedder(is_away=is_away)).answer(answer)


async def reasons(answer: str, *texts: str) -> list[str]:
    return [one.reason for one in (await checked(answer, *texts)).supports]


@pytest.mark.parametrize(
    ("answer", "texts", "reason"),
    [
        ("You can return anything within 30 days of delivery [1].", (RETURNS,), "alike"),
        ("Refunds take 5 working days. [1]", (RETURNS,), "quoted"),
        ("You can return anything within 45 days of delivery [1].", (RETURNS,), "number"),
        ("You can return anything within 30 weeks of delivery [1].", (RETURNS,), "number"),
        ("Shipping within Europe costs €5.90 [1].", (RETURNS,), "number"),
        ("Refunds do not take 5 working days [1].", (RETURNS,), "denial"),
        ("Our shop is open on Sundays in May [1].", ("In May our shop is closed on Sundays.",), "denial"),
        ("Breakfast on Sundays is included [1].", ("Breakfast included: Sundays no, weekdays yes.",), "denial"),
        ("Breakfast on weekdays is included [1].", ("Breakfast included: Sundays no, weekdays yes.",), "alike"),
        ("Parcels to Norway reach Oslo in a week [1].", ("Parcels to Norway reach Bergen in a week.",), "unlike"),
        ("The warranty covers water damage of every machine [1].", (RETURNS,), "unlike"),
        ("Artikel können innerhalb von 30 Tagen zurückgegeben werden [1].", (GERMAN,), "alike"),
        ("Artikel können innerhalb von 60 Tagen zurückgegeben werden [1].", (GERMAN,), "number"),
        ("您可以在30天内退货。[1]", (CHINESE,), "quoted"),
        ("您可以在60天内退货。[1]", (CHINESE,), "number"),
        ("打折商品可退货。[1]", (CHINESE,), "denial"),
        ("Refunds take 5 working days [2].", (RETURNS,), "no_passage"),
    ],
)
async def test_a_claim_stands_or_falls_for_a_reason(answer: str, texts: tuple[str, ...], reason: str):
    assert await reasons(answer, *texts) == [reason]


async def test_a_claim_is_held_against_what_it_cites_and_nothing_else():
    other = "Tents weigh 1.9 kg and sleep two people in the summer."
    assert await reasons("Refunds take 5 working days [2].", RETURNS, other) == ["number"]
    assert await reasons("Refunds take 5 working days.", RETURNS, other) == ["quoted"]


async def test_what_claims_nothing_is_not_checked():
    checking = await checked("Hello! I could not find an answer to that. Do you mean returns?")
    assert [check.support for check in checking.checks] == [None, None, None]
    assert checking.share == 1.0


async def test_the_share_counts_claims_alone():
    checking = await checked("Hello! Refunds take 5 working days [1]. You can return anything within 90 days [1].")
    assert checking.share == 0.5


async def test_without_embeddings_words_decide():
    checking = await checked("You can return anything within 30 days of delivery [1].", is_away=True)
    assert checking.is_lexical
    assert [one.reason for one in checking.supports] == ["alike"]
    refused = await checked("You can return anything within 45 days of delivery [1].", is_away=True)
    assert [one.reason for one in refused.supports] == ["number"]


class HangingEmbedder:
    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        await asyncio.sleep(60)
        return [[0.0] for _ in texts]


async def test_embeddings_that_do_not_come_are_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(grounding, "_PATIENCE_S", 0.01)
    answer = "You can return anything within 30 days of delivery [1]."
    checking = await Checking([hit(RETURNS)], HangingEmbedder()).answer(answer)
    assert checking.is_lexical
    assert [one.reason for one in checking.supports] == ["alike"]


async def test_a_quotation_asks_for_no_embeddings():
    embedder = MemoryEmbedder()
    await Checking([hit(RETURNS)], embedder).answer("Refunds take 5 working days. [1]")
    assert embedder.asked == []


async def test_the_quote_is_the_sentence_that_bears_the_claim_out_at_its_place_in_the_document():
    document = "# Returns\n\n" + RETURNS
    start = document.index("You can return")
    found = hit(RETURNS).model_copy(update={"start": start, "end": start + len(RETURNS)})
    checking = await Checking([found], MemoryEmbedder()).answer("Shipping within Europe costs 4,90 € [1].")
    (source,) = quoted_sources(Ground((found,), is_known=True).sources, checking)
    assert source.quote.strip("- ") == "Shipping within Europe costs €4.90."
    assert document[source.start : source.end] == source.quote


async def test_a_heading_is_quoted_at_its_own_place_and_page():
    document = "Before.\n\n## Free shipping from 50 euros\n\nOrders leave our house on the same day."
    start, end = document.index("Orders"), len(document)
    above = "## Free shipping from 50 euros\n\n"
    found = hit(document[start:end]).model_copy(
        update={
            "start": start,
            "end": end,
            "page": 3,
            "heading": "Free shipping from 50 euros",
            "above": above,
            "pages": (PageStart(start=start - len(above), page=2), PageStart(start=start, page=3)),
        }
    )
    for said in ("Free shipping from 50 euros [1]", "Shipping is free from 50 euros. [1]"):
        checking = await Checking([found], MemoryEmbedder()).answer(said)
        (source,) = quoted_sources(Ground((found,), is_known=True).sources, checking)
        assert source.quote == "Free shipping from 50 euros"
        assert document[source.start : source.end] == source.quote
        assert source.page == 2


async def test_a_citation_names_the_page_that_its_quote_begins_on():
    text = "The pool is open until 21:00.\n\nThe sauna is open until 22:45."
    second = text.index("The sauna")
    found = hit(text).model_copy(
        update={"page": 1, "pages": (PageStart(start=0, page=1), PageStart(start=second, page=2))}
    )
    for said, page in (("The pool is open until 21:00. [1]", 1), ("The sauna is open until 22:45. [1]", 2)):
        checking = await Checking([found], MemoryEmbedder()).answer(said)
        (source,) = quoted_sources(Ground((found,), is_known=True).sources, checking)
        assert (source.page, source.quote) == (page, said.removesuffix(" [1]"))


async def test_a_lead_that_stands_elsewhere_does_not_shift_the_places():
    lead, body = "| size | price |\n| --- | --- |", "| small | 12 € |\n| large | 20 € |"
    document = f"{lead}\n| tiny | 5 € |\n{body}"
    start = document.index("| small")
    found = hit(f"{lead}\n{body}").model_copy(update={"start": start, "end": len(document)})
    checking = await Checking([found], MemoryEmbedder()).answer("The price of size large is 20 € [1].")
    (source,) = quoted_sources(Ground((found,), is_known=True).sources, checking)
    assert source.quote == "| large | 20 € |"
    assert document[source.start : source.end] == source.quote


@pytest.mark.parametrize("rule", ["|---|---|---|---|", "| :--- | --- | --- | ---: |"])
async def test_what_a_row_says_is_quoted_with_that_row_and_not_with_the_names_of_its_columns(rule: str):
    rows = [f"| Town {n} | {n} Long Street | from {n} to 18 | yes |" for n in range(1, 6)]
    text = "\n".join(["| Town | Address | Summer hours | Electric bicycles |", rule, *rows])
    said = "Town 4: Address 4 Long Street, Summer hours from 4 to 18, Electric bicycles yes. [1]"
    (source,) = quoted_sources(Ground((hit(text),), is_known=True).sources, await checked(said, text))
    assert source.quote == rows[3]


async def test_the_answer_in_a_row_is_quoted_without_the_bar_before_it():
    faq = "| Question | Answer |\n|---|---|\n| Are dogs allowed? | They are, for 12 euros a night. |"
    support = (await checked("They are, for 12 euros a night. [1]", faq)).supports[0]
    assert support.match is not None
    assert support.match.passage_read.quote(support.match.span) == "They are, for 12 euros a night."


async def test_a_list_that_is_quoted_as_one_is_cited_with_all_of_its_lines():
    hours = "Monday : closed\nTuesday : 9:00 - 12:00\nThursday : 9:00 - 18:00\nFriday : 9:00 - 16:00"
    text = f"Our hours\n\n{hours}\n\nWe are on holiday in August."
    said = "Monday : closed; Tuesday : 9:00 - 12:00; Thursday : 9:00 - 18:00; Friday : 9:00 - 16:00. [1]"
    (source,) = quoted_sources(Ground((hit(text),), is_known=True).sources, await checked(said, text))
    assert source.quote == hours


async def test_the_names_of_a_table_say_nothing_of_what_stands_below_it():
    text = "| Room | Electric heating |\n|---|---|\n| Blue | yes |\n\nThe terrace faces the lake."
    spans = read_passage(1, hit(text), "en").spans
    named = {text[one.start : one.end] for one in spans if not one.parts and "heat" in one.terms}
    assert named == {"| Room | Electric heating |", "| Blue | yes |"}


async def test_what_is_unsupported_gives_no_quote():
    found = hit(RETURNS)
    checking = await Checking([found], MemoryEmbedder()).answer("Refunds take 50 working days [1].")
    (source,) = quoted_sources(Ground((found,), is_known=True).sources, checking)
    assert source.quote == ""


@pytest.mark.parametrize(
    "question",
    ["How long can I return something?", "How many working days do refunds take?", "What is the price of size small?"],
)
async def test_what_the_built_in_answerer_says_is_a_quotation(question: str):
    found = hit(RETURNS)
    passage = Passage(1, found.document_id, found.title, None, found.text, 1.0)
    answer = await answer_of(question, passage)
    assert "[1]" in answer
    assert set(await reasons(answer)) == {"quoted"}


async def answer_of(question: str, passage: Passage) -> str:
    prompt = Prompt("", (), question, (passage,), "sentences")
    return (await ExtractiveModel(MemoryEmbedder()).extract(prompt)).text


@settings(max_examples=60, deadline=None)
@given(
    st.text(alphabet=st.sampled_from("ab 3.|-#[1]\n。天不not "), max_size=80),
    st.text(alphabet=st.sampled_from("ab 3.|-#:\n。天不not "), max_size=120),
)
async def test_any_answer_and_any_passage_can_be_checked(answer: str, text: str):
    found: PassageHit = hit(text)
    checking = await Checking([found], MemoryEmbedder()).answer(answer)
    for source in quoted_sources(Ground((found,), is_known=True).sources, checking):
        assert source.quote in text


@pytest.mark.parametrize(
    ("claim", "text", "is_supported"),
    [
        ("Faulty items are covered by the warranty.", FAULTY, True),
        ("Faulty items are not covered by the warranty.", FAULTY, False),
        ("Used tents are returned.", "If a tent was used, it is not returned.", False),
        ("Returning a parcel is free.", FEES, False),
        ("Returning a parcel costs nothing.", FEES, False),
        ("Faulty items can be sent back.", "You can send back an item that is faulty or not what you ordered.", True),
        ("It can be changed after the order is packed.", "It can be changed until the order is packed.", False),
        ("The shipping fee is always refunded.", FEES, False),
        ("Anything can be returned within 30 days of ordering.", RETURNS, False),
        ("Anything can be returned within 30 days of delivery.", RETURNS, True),
    ],
)
async def test_what_a_passage_denies_is_told_from_what_it_says_beside_it(claim: str, text: str, is_supported: bool):
    assert [one.is_supported for one in (await checked(f"{claim} [1]", text)).supports] == [is_supported]


@pytest.mark.parametrize(
    ("claim", "heading", "text", "is_supported"),
    [
        ("Gift cards can be returned.", "What cannot be returned", EXCLUDED, False),
        ("Gift cards cannot be returned.", "What cannot be returned", EXCLUDED, True),
        ("Opened gas cartridges can be returned.", "What cannot be returned", EXCLUDED, False),
        ("Sale items can be returned like everything.", "What cannot be returned", EXCLUDED, True),
        ("Gift cards can be returned.", "Gifts", f"These cannot be returned:\n{EXCLUDED}", False),
        ("Gift cards can be returned.", "What can be returned", EXCLUDED, True),
        ("Normal wear is covered by the warranty.", "What the warranty does not cover", WEAR, False),
    ],
)
async def test_a_list_says_what_its_heading_denies(claim: str, heading: str, text: str, is_supported: bool):
    under = hit(text).model_copy(update={"heading": heading})
    found = await Checking([under], MemoryEmbedder()).answer(f"{claim} [1]")
    assert [one.is_supported for one in found.supports] == [is_supported]


TENTS = "The large tent costs 40 euros. The small tent costs 25 euros. Both weigh 2 kg."


@pytest.mark.parametrize(
    ("claim", "text", "reason"),
    [
        ("The small tent has a price of 25 euros.", TENTS, "alike"),
        ("The small tent costs 40 euros.", TENTS, "number"),
        ("The large tent costs 40 euros and the small tent 25 euros.", TENTS, "alike"),
        ("The large tent costs 40 euros and weighs 2 kg.", TENTS, "alike"),
        (
            "Delivery to islands takes 4 days.",
            "- Delivery takes 4 days.\n- Delivery to islands takes 9 days.",
            "number",
        ),
        ("Our stove is small and weighs 300 g.", "Our stove is small. It weighs 300 g.", "alike"),
        ("小帐篷的售价是40欧元。", "大帐篷售价40欧元。小帐篷售价25欧元。", "number"),
        ("小帐篷的售价是25欧元。", "大帐篷售价40欧元。小帐篷售价25欧元。", "alike"),
    ],
)
async def test_an_amount_of_another_thing_bears_nothing_out(claim: str, text: str, reason: str):
    assert await reasons(f"{claim} [1]", text) == [reason]
