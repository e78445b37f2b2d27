"""The documents as the people of a business bring them in."""

import asyncio
import io
import zipfile

import pytest
from playwright.async_api import Browser, FilePayload, Route, expect

from tests.support.page import PageLine, sign_in, signed_in
from tests.support.platform import eventually
from tests.support.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

BUSY = {
    "type": "about:blank",
    "title": "Too Many Requests",
    "status": 429,
    "detail": "100 requests a minute are allowed",
    "code": "rate_limited",
}


def zipped(files: dict[str, bytes]) -> FilePayload:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return {"name": "shop.zip", "mimeType": "application/zip", "buffer": packed.getvalue()}


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


async def test_what_was_on_its_way_when_somebody_signed_out_holds_nobody_up(browser: Browser, stage: Stage) -> None:
    business = await stage.business()
    async with signed_in(browser, business) as page:
        await page.get_by_role("tab", name="Documents").click()
        is_sent, is_signed_out = asyncio.Event(), asyncio.Event()

        async def refuse_late(route: Route) -> None:
            if route.request.method != "POST":
                await route.continue_()
                return
            is_sent.set()
            await is_signed_out.wait()
            await route.fulfill(status=429, headers={"Retry-After": "600"}, json=BUSY)

        await page.route("**/api/documents", refuse_late)
        async with page.expect_event("requestfailed") as given_up:
            await page.locator("#file").set_input_files([note("first.txt")])
            await is_sent.wait()
            await page.get_by_role("button", name="Sign out").click()
            await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        assert (await given_up.value).method == "POST"
        is_signed_out.set()
        await page.unroute_all(behavior="wait")
        await sign_in(page, business)
        await page.get_by_role("tab", name="Documents").click()
        await page.locator("#file").set_input_files([note("second.txt")])
        await expect(page.locator("#files li")).to_contain_text("Ready", timeout=30_000)


async def test_a_file_of_which_nothing_is_heard_can_be_tried_again(browser: Browser, stage: Stage) -> None:
    business = await stage.business()
    async with signed_in(browser, business) as page:
        await page.get_by_role("tab", name="Documents").click()
        await page.clock.install()
        keys: list[str] = []

        async def say_nothing(route: Route) -> None:
            if route.request.method == "POST":
                keys.append(route.request.headers["idempotency-key"])
            if route.request.method != "POST" or len(keys) > 1:
                await route.continue_()

        await page.route("**/api/documents", say_nothing)
        await page.locator("#file").set_input_files([note("note.txt")])
        await eventually(lambda: keys)
        await page.clock.fast_forward(61_000)
        row = page.locator("#files li")
        await expect(row).to_contain_text("Not taken")
        await expect(row).to_contain_text("has not answered for a minute")
        await row.get_by_role("button", name="Try again").click()
        await expect(row).to_contain_text("Ready", timeout=30_000)
    assert keys == keys[:1] * 2


async def test_a_file_that_is_refused_can_be_tried_again(browser: Browser, stage: Stage) -> None:
    business = await stage.business()
    async with signed_in(browser, business) as person:
        await person.get_by_role("tab", name="Documents").click()
        await person.route(
            "**/api/documents", lambda route: route.abort() if route.request.method == "POST" else route.continue_()
        )
        await person.locator("#file").set_input_files([note("note.txt")])
        row = person.locator("#files li")
        await expect(row).to_contain_text("Not taken")
        await expect(row).to_contain_text("cannot be reached")
        await person.unroute("**/api/documents")
        await row.get_by_role("button", name="Try again").click()
        await expect(row).to_contain_text("Ready", timeout=30_000)


async def test_a_file_that_will_never_be_taken_is_not_tried_again(browser: Browser, stage: Stage) -> None:
    business = await stage.business()
    async with signed_in(browser, business) as page:
        await page.get_by_role("tab", name="Documents").click()
        await page.locator("#file").set_input_files([note("none.txt", b"")])
        row = page.locator("#files li")
        await expect(row).to_contain_text("The document is empty")
        await expect(row.get_by_role("button")).to_have_text(["Dismiss"])
        await row.get_by_role("button").click()
        await expect(row).to_have_count(0)


async def test_what_was_refused_stays_in_sight_until_something_else_is_done(browser: Browser, stage: Stage) -> None:
    business = await stage.business()
    async with signed_in(browser, business) as page:
        await page.set_viewport_size({"width": 900, "height": 400})
        await page.get_by_role("tab", name="Documents").click()
        files = page.locator("#files li")
        await page.locator("#file").set_input_files(
            [note(f"{number}.txt", f"Tent {number} is red.".encode()) for number in range(4)]
        )
        await expect(files.filter(has_text="Ready")).to_have_count(4, timeout=30_000)
        await files.last.get_by_role("button", name="Tags").click()
        await page.get_by_role("dialog").get_by_role("textbox").fill("x" * 41)
        await page.get_by_role("button", name="Save").click()
        error = page.locator("#documents-error")
        await expect(error).to_contain_text("at most 40 characters")
        await expect(error).to_be_in_viewport()
        await page.locator("#file").set_input_files([note("more.txt")])
        await expect(files.filter(has_text="Ready")).to_have_count(5, timeout=30_000)
        await expect(error).to_be_visible()
        await files.last.get_by_role("button", name="Delete").click()
        await page.locator("#confirm-yes").click()
        await expect(error).to_be_hidden()


async def test_what_could_not_be_read_is_not_said_to_be_nothing_and_is_read_when_the_line_is_back(
    browser: Browser, stage: Stage
) -> None:
    business = await stage.business()
    async with signed_in(browser, business) as page:
        line = await PageLine.under(page)
        await page.route("**/api/documents?*", lambda route: route.abort())
        await page.get_by_role("tab", name="Documents").click()
        error, nothing = page.locator("#documents-error"), page.get_by_text("Nothing here yet")
        await expect(error).to_contain_text("cannot be reached")
        await expect(nothing).to_be_hidden()
        await line.cut()
        await page.unroute("**/api/documents?*")
        line.mend()
        await expect(nothing).to_be_visible()
        await expect(error).to_be_hidden()


async def test_an_archive_and_what_came_of_it_are_followed_replaced_and_deleted(browser: Browser, stage: Stage) -> None:
    business = await stage.business()
    inner = zipped({"a.txt": b"Hidden."})["buffer"]
    files = {"docs/tents.txt": b"Tents are blue.", "docs/old.txt": b"Canoes are red.", "inner.zip": inner}
    async with signed_in(browser, business) as person:
        await person.get_by_role("tab", name="Documents").click()
        await person.locator("#file").set_input_files([zipped(files)])
        rows, narrowed = person.locator("#files li"), person.locator("#narrowed")
        await person.get_by_role("button", name="What came of shop").click(timeout=30_000)
        await expect(narrowed).to_contain_text("What came of shop: 2 of 3 ready, 1 not usable", timeout=30_000)
        await expect(rows).to_have_count(3)
        await expect(rows.filter(has_text="inner.zip")).to_contain_text("an archive within another one")
        await narrowed.get_by_role("button", name="Show all").click()
        await expect(rows).to_have_count(4)
        await rows.filter(has_text="docs/tents.txt").get_by_role("button", name="All that came of shop").click()
        await expect(rows).to_have_count(3)
        await narrowed.get_by_role("button", name="Show all").click()

        async with person.expect_file_chooser() as chosen:
            await person.get_by_role("button", name="New version of shop").click()
        await (await chosen.value).set_files([zipped({"docs/tents.txt": b"Tents are green."})])
        await expect(rows).to_have_count(2, timeout=30_000)
        await expect(rows.filter(has_text="Ready")).to_have_count(2, timeout=30_000)
        [hit] = (await business.call("POST", "/api/search", json={"query": "What colour are tents?"}))["items"]
        assert "green" in hit["text"]

        await person.get_by_role("button", name="Delete shop").click()
        dialog = person.locator("#confirm")
        await expect(dialog).to_contain_text("One document came of it")
        await dialog.get_by_role("button", name="Delete it with the one document that came of it").click()
        await expect(rows).to_have_count(0, timeout=30_000)
    assert (await business.call("GET", "/api/documents"))["items"] == []


def note(name: str, text: bytes = b"Tents are blue.") -> FilePayload:
    return {"name": name, "mimeType": "text/plain", "buffer": text}
