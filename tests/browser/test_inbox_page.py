"""The inbox as people see it, at once with each other and with the customer."""

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.test_hand_off import command, write
from tests.support.page import ask, colleague, held, log, open_inbox, say_much, signed_in, texts
from tests.support.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


async def test_who_asks_for_a_person_is_answered_by_one(browser: Browser, stage: Stage) -> None:
    business = await stage.business()
    async with (
        signed_in(browser, business) as customer,
        signed_in(browser, business, email=await colleague(stage, business)) as person,
    ):
        await ask(customer, "My tent leaks")
        await expect(log(customer).last).to_have_attribute("aria-busy", "false")
        button = customer.get_by_role("button", name="Ask for a person")
        await button.click()
        await expect(customer.locator("#composer-hint")).to_contain_text("A person will answer here")
        await expect(button).to_be_hidden()
        await expect(person.get_by_role("tab", name="Inbox, 1 waiting")).to_be_visible()
        await open_inbox(person, "My tent leaks")
        await expect(person.locator("#inbox-status")).to_have_text(
            "Waiting for a person · The customer asked for a person"
        )
        await person.get_by_role("button", name="Take it").click()
        await expect(person.locator("#inbox-status")).to_contain_text("With a person")
        await expect(customer.locator("#composer-hint")).to_have_text("You are talking to a person.")
        await person.get_by_label("Your answer").fill("I send you a new one.")
        await person.locator("#inbox-send").click()
        await expect(log(customer).last.locator(".body")).to_have_text("I send you a new one.")
        await ask(customer, "Thank you!")
        await expect(person.locator("#inbox-log article").filter(has_text="Thank you!")).to_have_count(1)
        assert [text for text in await texts(person, "#inbox-log") if text][-2:] == [
            "I send you a new one.",
            "Thank you!",
        ]


async def test_of_two_who_take_it_at_once_one_is_told(browser: Browser, stage: Stage) -> None:
    business = await stage.business()
    async with business.chat() as chat:
        first = await chat.answered("Who is faster?")
    await command(business, first.conversation_id, "escalate")
    async with (
        signed_in(browser, business) as one,
        signed_in(browser, business, email=await colleague(stage, business)) as other,
    ):
        for person in (one, other):
            await open_inbox(person, "Who is faster?")
        async with held(one, "**/assign") as first_sent, held(other, "**/assign") as second_sent:
            for person, is_sent in ((one, first_sent), (other, second_sent)):
                await person.get_by_role("button", name="Take it").click()
                await is_sent.wait()
        for person in (one, other):
            await expect(person.locator("#inbox-status")).to_contain_text("With a person")
        refused = [
            person for person in (one, other) if await person.get_by_role("button", name="Take over").is_visible()
        ]
        assert len(refused) == 1
        await expect(refused[0].locator("#inbox-error")).to_have_text("Another person has taken this conversation")
        # Who was told may still take it over, and says so.
        await refused[0].get_by_role("button", name="Take over").click()
        await expect(refused[0].get_by_role("button", name="Take over")).to_be_hidden()


async def test_nobody_ends_a_conversation_over_words_that_came_meanwhile(browser: Browser, stage: Stage) -> None:
    business = await stage.business()
    async with business.chat() as chat:
        first = await chat.answered("Is it paid?")
    await command(business, first.conversation_id, "assign")
    async with signed_in(browser, business) as person:
        await open_inbox(person, "Is it paid?")
        resolve = person.get_by_role("button", name="Resolve")
        await expect(resolve).to_be_visible()
        async with held(person, "**/resolve") as is_sent:
            await resolve.click()
            await is_sent.wait()
            await write(business, first.conversation_id, "And is it on its way?", author="customer")
        await expect(person.locator("#inbox-error")).to_have_text("The customer has written since: read that first")
        await expect(person.locator("#inbox-log article").filter(has_text="on its way")).to_be_visible()
        assert (await business.call("GET", f"/api/conversations/{first.conversation_id}"))["status"] == "with_person"
        await resolve.click()
        await expect(person.locator("#inbox-status")).to_contain_text("Resolved")


async def test_a_long_conversation_is_read_from_its_end_and_can_be_resolved(browser: Browser, stage: Stage) -> None:
    business = await stage.business()
    async with business.chat() as chat:
        first = await chat.answered("The newest question")
    await say_much(stage, first.conversation_id, 2_100)
    await command(business, first.conversation_id, "assign")
    async with signed_in(browser, business) as person:
        await open_inbox(person, "m1")
        newest = person.locator("#inbox-log article").filter(has_text="The newest question")
        await expect(newest).to_be_in_viewport()
        await expect(person.locator("#inbox-log article")).to_have_count(200)
        earlier = person.get_by_role("button", name="Show earlier messages")
        for count in (400, 600):
            await earlier.click()
            await expect(person.locator("#inbox-log article")).to_have_count(count)
        shown = await texts(person, "#inbox-log")
        assert shown[:-2] == [f"m{number}" for number in range(1_503, 2_101)]
        # What comes now comes at the end.
        await write(business, first.conversation_id, "Anything else?", author="person")
        await expect(person.locator("#inbox-log article")).to_have_count(601)
        assert (await texts(person, "#inbox-log"))[598:] == [*shown[-2:], "Anything else?"]
        await person.get_by_role("button", name="Resolve").click()
        await expect(person.locator("#inbox-status")).to_contain_text("Resolved")


async def test_on_a_phone_there_is_room_to_answer(browser: Browser, stage: Stage) -> None:
    business = await stage.business()
    async with business.chat() as chat:
        first = await chat.answered("Is anybody there?")
    await command(business, first.conversation_id, "escalate")
    async with signed_in(browser, business) as person:
        await person.set_viewport_size({"width": 390, "height": 780})
        await expect(person.locator("#recent").get_by_role("button")).to_be_in_viewport()
        await open_inbox(person, "Is anybody there?")
        field = await person.get_by_label("Your answer").bounding_box()
        assert field is not None
        assert field["width"] > 300
