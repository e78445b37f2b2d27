"""The documents as the people of a business bring them in."""

import pytest
from playwright.async_api import Browser, FilePayload, Route, expect

from tests.support.page import signed_in
from tests.support.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

BUSY = {
    "type": "about:blank",
    "title": "Too Many Requests",
    "status": 429,
    "detail": "100 requests a minute are allowed",
    "code": "rate_limited",
}


async def test_many_files_at_once_are_all_taken_though_the_platform_asks_for_patience(
    browser: Browser, stage: Stage
) -> None:
    """The refusal is made here, as the gateway makes it; everything else is the platform's."""
    business = await stage.business()
    refused: list[str] = []

    async def ask_for_patience(route: Route) -> None:
        if route.request.method != "POST" or len(refused) == 2:
            await route.continue_()
            return
        refused.append(route.request.headers["idempotency-key"])
        await route.fulfill(status=429, headers={"Retry-After": "1"}, json=BUSY)

    files: list[FilePayload] = [
        {"name": f"note-{number}.txt", "mimeType": "text/plain", "buffer": f"Tent {number} is blue.".encode()}
        for number in range(6)
    ]
    async with signed_in(browser, business) as person:
        await person.get_by_role("tab", name="Documents").click()
        await person.route("**/api/documents", ask_for_patience)
        await person.locator("#file").set_input_files(files)
        rows = person.locator("#files li")
        await expect(rows.filter(has_text="Ready")).to_have_count(len(files), timeout=30_000)
        await expect(rows).to_have_count(len(files))
    assert len(refused) == 2
    assert len((await business.call("GET", "/api/documents"))["items"]) == len(files)


async def test_a_file_that_is_refused_can_be_tried_again(browser: Browser, stage: Stage) -> None:
    business = await stage.business()
    async with signed_in(browser, business) as person:
        await person.get_by_role("tab", name="Documents").click()
        await person.route(
            "**/api/documents", lambda route: route.abort() if route.request.method == "POST" else route.continue_()
        )
        note: FilePayload = {"name": "note.txt", "mimeType": "text/plain", "buffer": b"Tents are blue."}
        await person.locator("#file").set_input_files([note])
        row = person.locator("#files li")
        await expect(row).to_contain_text("Not taken")
        await expect(row).to_contain_text("cannot be reached")
        await person.unroute("**/api/documents")
        await row.get_by_role("button", name="Try again").click()
        await expect(row).to_contain_text("Ready", timeout=30_000)
