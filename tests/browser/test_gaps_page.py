"""What was asked in vain, as the people of a business answer or dismiss it."""

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.test_grounding import NORWAY, gaps_of
from tests.e2e.test_knowledge import EXTRACTIVE, TENTS, asked, ready, upload
from tests.support.page import signed_in
from tests.support.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


async def test_a_question_that_was_dismissed_can_be_had_back_and_answered(browser: Browser, stage: Stage) -> None:
    business = await stage.business(EXTRACTIVE)
    await ready(business, await upload(business, "tents.md", TENTS.encode()))
    await asked(business, NORWAY)
    await gaps_of(business, 1)
    async with signed_in(browser, business) as page:
        await page.get_by_role("tab", name="Documents").click()
        gap = page.locator("#gaps-list li")
        await gap.get_by_role("button", name="Dismiss").click()
        await expect(page.locator("#gaps")).to_be_hidden()
        undo = page.get_by_role("button", name="Undo")
        await undo.click()
        await expect(gap).to_contain_text(NORWAY)
        await expect(undo).to_be_hidden()
        field = gap.get_by_role("textbox")
        await expect(field).to_be_hidden()
        await gap.get_by_role("button", name="Answer").click()
        await expect(field).to_be_focused()
        await field.fill("We ship tents to Norway for 19 €.")
        await gap.get_by_role("button", name="Add answer").click()
        made = page.locator("#files li").filter(has_text=NORWAY.rstrip("?"))
        await expect(made).to_contain_text("Ready", timeout=30_000)
        await expect(page.locator("#gaps")).to_be_hidden()


async def test_the_first_few_questions_are_shown_and_the_rest_when_asked_for(browser: Browser, stage: Stage) -> None:
    business = await stage.business(EXTRACTIVE)
    for question in (NORWAY, "How heavy is the stove?", "Who founded the company?", "Where can I park?", "Kayaks?"):
        await asked(business, question)
    await gaps_of(business, 1, 1, 1, 1, 1)
    async with signed_in(browser, business) as page:
        await page.get_by_role("tab", name="Documents").click()
        shown = page.locator("#gaps-list li:visible")
        await expect(shown).to_have_count(3)
        more = page.get_by_role("button", name="Show all 5")
        await more.click()
        await expect(shown).to_have_count(5)
        await expect(more).to_be_hidden()
        await expect(shown.nth(3).get_by_role("button", name="Answer")).to_be_focused()
        await expect(page.locator("#gaps-list textarea:visible")).to_have_count(0)
