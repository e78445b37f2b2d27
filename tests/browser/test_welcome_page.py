"""Who comes for the first time."""

import pytest
from playwright.async_api import Browser, expect

from contracts.ids import uuid7
from tests.support.page import WITHIN_MS
from tests.support.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


async def test_who_is_new_registers_and_makes_an_agent_before_they_ask(browser: Browser, stage: Stage) -> None:
    async with await browser.new_context() as context:
        context.set_default_timeout(WITHIN_MS)
        page = await context.new_page()
        await page.goto(stage.urls[0])
        await page.get_by_role("button", name="New here?").click()
        register = page.get_by_role("button", name="Register", exact=True)
        company, password = (
            page.get_by_role("textbox", name="Company name"),
            page.get_by_role("textbox", name="Password"),
        )
        await register.click()
        await expect(company).to_be_focused()
        await company.fill("Small")
        await page.get_by_role("textbox", name="E-mail").fill(f"new-{uuid7().hex}@example.com")
        await password.fill("too short")
        await register.click()
        await expect(password).to_be_focused()
        assert await password.evaluate("field => field.validity.tooShort"), "said before it is sent"
        await password.fill("long enough")
        await register.click()
        await expect(page.get_by_role("heading", name="No agent yet")).to_be_visible()
        question = page.get_by_label("Your question")
        await expect(question).to_be_disabled()
        await page.get_by_role("button", name="Create an agent").click()
        await expect(page.get_by_role("heading", name="Ask Assistant")).to_be_visible()
        await expect(question).to_be_enabled()
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
        await expect(page.locator("#company-field")).to_be_hidden()
