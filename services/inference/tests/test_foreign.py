# ruff: noqa: RUF001 - Chinese marks are meant
"""Claims whose passage is in another language: what can be told is checked, the rest is said to be unverified."""

import pytest

from contracts.inference import Unsupported
from inference_service.domain.ground import Ground
from inference_service.domain.grounding import Checking, Grounding, quoted_sources
from inference_service.domain.note import note
from inference_service.domain.refusal import refusal
from services.inference.tests.fakes import hit
from services.inference.tests.memory_embedder import MemoryEmbedder
from services.inference.tests.test_unsupported import done, said

ENGLISH = """You can return anything you bought from us within 30 days of delivery, unless it was used outdoors.
Refunds take five working days. Express orders must be placed before 2 p.m. on a working day.

The Drizzle jacket (AX-200) weighs 380 g and costs 219 euros. It has a two-year warranty. Write to help@cairnway.com or
open www.cairnway.com/returns to return it.
"""
SPANISH = "Puede devolver todo lo que nos ha comprado dentro de los 30 días siguientes a la entrega."
QUESTION = "¿Cuántos días tengo para devolver algo que compré en la tienda?"
TRUE = "Puede devolver cualquier artículo dentro de los 30 días siguientes a la entrega. [1]"
FALSE = "Puede devolver cualquier artículo dentro de los 45 días siguientes a la entrega. [1]"
PLAIN = "Los artículos que se usaron al aire libre no se pueden devolver. [1]"


async def checked(answer: str, *texts: str) -> Grounding:
    return await Checking([hit(text) for text in texts or (ENGLISH,)], MemoryEmbedder()).answer(answer)


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        (TRUE, "language"),
        (FALSE, "number"),
        (PLAIN, "language"),
        ("Puede devolver cualquier artículo dentro de las 30 semanas siguientes a la entrega. [1]", "number"),
        ("Los reembolsos tardan cinco días laborables. [1]", "language"),
        ("Los reembolsos tardan seis días laborables. [1]", "number"),
        ("Los pedidos exprés deben hacerse antes de las 14:00. [1]", "language"),
        ("Los pedidos exprés deben hacerse antes de las 16:00. [1]", "number"),
        ("La chaqueta Drizzle pesa 380 g y cuesta 219 euros. [1]", "language"),
        ("La chaqueta Drizzle pesa 380 g y cuesta 219 dólares. [1]", "number"),
        ("La chaqueta con el código AX-200 es la que usted busca. [1]", "language"),
        ("La chaqueta con el código AX-300 es la que usted busca. [1]", "name"),
        ("Para la devolución escriba a help@cairnway.com o abra https://cairnway.com/returns. [1]", "language"),
        ("Para la devolución escriba a help@cairnway.org. [1]", "name"),
        ("Para la devolución abra www.cairnway.com/refunds. [1]", "name"),
        ("Enviamos a Noruega y también a los clientes de Suecia sin coste. [1]", "language"),
        ("Puede pagar sus compras con PayPal en nuestra tienda. [1]", "name"),
        ("Die Jacke hat eine Garantie von zwei Jahren. [1]", "language"),
        ("Die Jacke hat eine Garantie von drei Jahren. [1]", "number"),
        ("Expressbestellungen müssen vor 14 Uhr bei uns sein. [1]", "language"),
        ("收货后30天内可以退回任何商品。[1]", "language"),
        ("收货后三十天内可以退回任何商品。[1]", "language"),
        ("收货后40天内可以退回任何商品。[1]", "number"),
        ("Drizzle夹克重380克，售价219欧元。[1]", "language"),
        ("Nebula夹克是我们最轻的夹克。[1]", "name"),
        ("يجب تقديم الطلبات السريعة قبل الساعة 2:00 مساء. [1]", "language"),
        ("يمكنك إرجاع أي منتج خلال ٣٠ يوما من الاستلام. [1]", "language"),
        ("يمكنك إرجاع أي منتج خلال ٤٥ يوما من الاستلام. [1]", "number"),
        (
            "You can return anything you bought from us within 30 days of delivery, unless it was used outdoors. [1]",
            "quoted",
        ),
    ],
)
async def test_what_a_translation_keeps_is_compared_and_nothing_else_is_claimed_to_be_known(claim: str, reason: str):
    assert [one.reason for one in (await checked(claim)).supports] == [reason]


async def test_an_unverified_claim_is_neither_supported_nor_refused():
    grounding = await checked(PLAIN)
    (support,) = grounding.supports
    assert (support.verdict, support.is_supported, support.is_unsupported) == ("unverified", False, False)
    assert (grounding.share, grounding.refused, grounding.credit) == (0.0, 0.0, 0.5)


async def test_a_quotation_stands_in_whatever_language_the_rest_is():
    quotation = "Refunds take five working days. [1]"
    grounding = await checked(f"Esto es lo que dicen nuestros documentos sobre la devolución. [1] {quotation}")
    assert [one.reason for one in grounding.supports] == ["language", "quoted"]
    assert grounding.supports[1].match is not None


async def test_an_unverified_claim_gives_the_source_no_quote_and_the_trace_the_span_of_its_numbers():
    found = hit(ENGLISH)
    grounding = await Checking([found], MemoryEmbedder()).answer(TRUE)
    (source,) = quoted_sources(Ground((found,), is_known=True).sources, grounding)
    assert source.quote == ""
    (support,) = grounding.supports
    assert support.match is not None
    assert "30 days" in support.match.passage_read.quote(support.match.span)


@pytest.mark.parametrize(
    ("claim", "texts", "verdict"),
    [
        (TRUE.replace("[1]", ""), (ENGLISH, SPANISH), "supported"),
        (TRUE.replace("[1]", "[1, 2]"), (ENGLISH, SPANISH), "supported"),
        (FALSE.replace("[1]", ""), (ENGLISH, SPANISH), "unsupported"),
        (PLAIN.replace("[1]", ""), (ENGLISH, SPANISH), "unverified"),
        (
            "Puede devolver todo lo que nos ha comprado dentro de los 219 días siguientes.",
            (ENGLISH, SPANISH),
            "unsupported",
        ),
    ],
)
async def test_a_passage_in_the_claims_own_language_is_asked_first(claim: str, texts: tuple[str, ...], verdict: str):
    assert [one.verdict for one in (await checked(claim, *texts)).supports] == [verdict]


async def test_a_passage_that_may_be_in_both_languages_is_held_against_the_claim_as_before():
    both = f"{SPANISH}\n\nYou can return all that you bought from us within the 30 days after the delivery."
    assert [one.reason for one in (await checked(TRUE, both)).supports] == ["alike"]


@pytest.mark.parametrize("policy", ["mark", "remove", "hand_over"])
async def test_what_is_unverified_is_shown_and_the_trace_says_why(policy: Unsupported):
    outcome = await said(policy, f"{TRUE} {PLAIN}", question=QUESTION, hits=(hit(ENGLISH),))
    assert outcome.content == f"{TRUE} {PLAIN}"
    assert [(verdict, action) for _, verdict, action in done(outcome)] == [("unverified", "shown")] * 2
    assert outcome.trace is not None
    assert [one.reason for one in outcome.trace.sentences] == ["language", "language"]
    assert (outcome.trace.supported_share, outcome.trace.gap) == (0.0, None)


async def test_a_changed_number_is_removed_from_an_answer_in_another_language():
    outcome = await said("remove", f"{FALSE} {PLAIN}", question=QUESTION, hits=(hit(ENGLISH),))
    assert outcome.content == PLAIN
    alone = await said("remove", FALSE, question=QUESTION, hits=(hit(ENGLISH),))
    assert alone.content == refusal("es")
    assert alone.trace is not None
    assert alone.trace.gap == "unsupported"


async def test_who_hedges_says_once_that_only_numbers_and_names_were_compared():
    outcome = await said("hedge", f"{TRUE} {FALSE} {PLAIN}", question=QUESTION, hits=(hit(ENGLISH),))
    assert outcome.content == f"{TRUE} {FALSE} (No confirmado por nuestros documentos.) {PLAIN}\n\n{note('es')}"
    assert [(verdict, action) for _, verdict, action in done(outcome)] == [
        ("unverified", "shown"),
        ("unsupported", "hedged"),
        ("unverified", "shown"),
        ("no_claim", "shown"),
    ]


async def test_a_model_that_repeats_the_note_says_it_for_us():
    answer = f"{PLAIN}\n\n{note('es')}"
    assert (await said("hedge", answer, question=QUESTION, hits=(hit(ENGLISH),))).content == answer


@pytest.mark.parametrize("sign", ["A-", "Ab'", "a@", "-a", "a.", "Aa ", "一", "1 234 ", "12:3 ", "two-"])
async def test_a_claim_without_end_is_compared_in_one_pass(sign: str):
    grounding = await checked(f"收货后30天内可以退回任何商品{sign * 4_000}。[1]")
    assert len(grounding.supports) == 1
