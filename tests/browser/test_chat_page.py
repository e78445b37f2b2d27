"""The chat as a customer sees it."""

import pytest
from playwright.async_api import Browser, Page, expect

from runtime.testing.scripted_server import Script
from tests.e2e.test_hand_off import command, write
from tests.e2e.test_knowledge import RETURNS, ready, upload
from tests.support.business import Business
from tests.support.far_gateway import far_gateway
from tests.support.page import WITHIN_MS, PageLine, ask, log, signed_in, texts
from tests.support.platform import eventually
from tests.support.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

SLOW = "ollama/simulated-n40-r20"
LONG = "ollama/simulated-n100-r20"
TRUE = "You can return anything within 30 days of delivery [1]."


async def test_an_answer_streams_and_shows_where_it_is_from(browser: Browser, stage: Stage) -> None:
    stage.model.models["simulated-returns"] = Script(say=f"{TRUE} " + "Just write to us. " * 5, rate=10)
    business = await stage.business("ollama/simulated-returns")
    await ready(business, await upload(business, "returns.md", RETURNS.encode()))
    async with signed_in(browser, business) as page:
        await ask(page, "How many days do I have to return something?")
        answer = log(page).last
        await expect(answer).to_have_attribute("aria-busy", "true")
        await expect(answer.locator(".body")).to_contain_text("You can return")
        assert await answer.get_attribute("aria-busy") == "true", "it is shown while it is written"
        await expect(answer).to_have_attribute("aria-busy", "false")
        await answer.locator(".chip").click()
        source = page.get_by_role("dialog")
        await expect(source.get_by_role("heading")).to_have_text("Returns and exchanges")
        await expect(source.locator("blockquote")).to_contain_text("within 30 days of delivery")


async def test_agents_that_could_not_be_read_are_not_said_to_be_none(browser: Browser, stage: Stage) -> None:
    business = await stage.business()
    async with signed_in(browser, business) as page:
        await page.route("**/api/agents?*", lambda route: route.abort())
        await page.reload()
        await expect(page.locator("#log")).to_contain_text("The platform cannot be reached")
        await expect(page.get_by_role("heading", name="Ask a question")).to_be_visible()
        await expect(page.get_by_role("heading", name="No agent yet")).to_be_hidden()


async def test_an_answer_that_ends_after_the_page_was_loaded_anew_shows_where_it_is_from(
    browser: Browser, stage: Stage
) -> None:
    stage.model.models["simulated-slow-returns"] = Script(say=f"{TRUE} " + "Just write to us. " * 20, rate=10)
    business = await stage.business("ollama/simulated-slow-returns")
    await ready(business, await upload(business, "returns.md", RETURNS.encode()))
    async with signed_in(browser, business) as page:
        await ask(page, "How many days do I have to return something?")
        await expect(log(page).last.locator(".body")).to_contain_text("You can return")
        await page.reload()
        await page.locator("#recent").get_by_role("button", name="How many days").click()
        await expect(log(page)).to_have_count(1)
        await expect(log(page)).to_have_count(2, timeout=WITHIN_MS)
        await expect(log(page).last.locator(".chip")).to_have_text("1Returns and exchanges")


async def test_after_a_break_of_the_socket_nothing_is_missing_twice_or_wiped(browser: Browser, stage: Stage) -> None:
    business = await stage.business(SLOW)
    async with signed_in(browser, business) as page:
        line = await PageLine.under(page)
        await ask(page, "First?")
        await expect(log(page).last).to_have_attribute("aria-busy", "false")
        first = await texts(page)
        await ask(page, "Second?")
        unfinished = log(page).last
        await expect(unfinished.locator(".body")).to_contain_text("w5")
        await unfinished.evaluate("node => { node.dataset.mark = 'the same'; }")
        await line.cut()
        await expect(page.locator("#connection")).not_to_have_attribute("data-state", "open")
        (conversation,) = (await business.call("GET", "/api/conversations"))["items"]
        await write(business, conversation["id"], "From my phone", author="customer")
        line.mend()
        phone = log(page).filter(has_text="From my phone")
        await expect(phone).to_have_count(1)
        marked = page.locator("[data-mark='the same']")
        await expect(marked).to_have_attribute("aria-busy", "false", timeout=WITHIN_MS)
        await eventually(lambda: _counted(page, 6))
        whole = first[1]
        # where the page is slow to connect, the answer was stored when it read back, and stands where it was stored
        shown = await texts(page)
        assert shown in (
            [*first, "Second?", *two, whole] for two in ([whole, "From my phone"], ["From my phone", whole])
        )
        assert await marked.locator(".body").inner_text() == whole


async def test_an_answer_that_was_left_before_it_was_accepted_is_shown_once_when_its_conversation_is_opened_again(
    browser: Browser, stage: Stage
) -> None:
    business = await stage.business(LONG)
    async with signed_in(browser, business) as page:
        line = await PageLine.under(page)
        await ask(page, "First?")
        await expect(log(page).last).to_have_attribute("aria-busy", "false", timeout=WITHIN_MS)
        first = await texts(page)
        (conversation,) = (await business.call("GET", "/api/conversations"))["items"]
        line.hold()
        await ask(page, "Second?")
        await eventually(lambda: _stored(business, conversation["id"], 3))
        await page.get_by_role("button", name="New conversation").click()
        line.let_go()
        await page.locator("#recent").get_by_role("button", name="First?").click()
        await expect(log(page).last).to_have_attribute("aria-busy", "true")
        await expect(log(page).last).to_have_attribute("aria-busy", "false", timeout=WITHIN_MS)
        whole = first[1]
        assert await texts(page) == [*first, "Second?", whole]
        # Everything is read back after a break.
        await line.cut()
        await write(business, conversation["id"], "I am here.", author="person")
        line.mend()
        await expect(log(page).filter(has_text="I am here.")).to_have_count(1, timeout=WITHIN_MS)
        assert await texts(page) == [*first, "Second?", whole, "I am here."]


async def test_after_a_break_behind_the_gateway_a_persons_words_are_read_back(browser: Browser, stage: Stage) -> None:
    """The socket holds: the customer's page is told that something may have been said, not what."""
    business = await stage.business()
    async with far_gateway(stage) as (line, url), signed_in(browser, business, url=url) as page:
        await ask(page, "Is anybody there?")
        await expect(log(page).last).to_have_attribute("aria-busy", "false")
        before = await texts(page)
        (conversation,) = (await business.call("GET", "/api/conversations"))["items"]
        line.cut()
        await eventually(lambda: not line.is_used)
        await write(business, conversation["id"], "I am.", author="person")
        await write(business, conversation["id"], "Not for customers", internal=True)
        line.mend()
        await expect(log(page).last.locator(".body")).to_have_text("I am.", timeout=2 * WITHIN_MS)
        await expect(page.locator("#connection")).to_have_attribute("data-state", "open")
        assert await texts(page) == [*before, "I am."]
        # What comes live after it comes once too.
        await write(business, conversation["id"], "Still here.")
        await expect(log(page).last.locator(".body")).to_have_text("Still here.")
        await command(business, conversation["id"], "hand-back")
        await expect(page.locator("#composer-hint")).to_contain_text("an AI")
        assert await texts(page) == [*before, "I am.", "Still here."]


async def _stored(business: Business, conversation_id: str, count: int) -> bool:
    return len(await business.messages(conversation_id)) == count


async def _counted(page: Page, count: int) -> bool:
    return await log(page).count() == count
