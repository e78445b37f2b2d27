"""A person before the page, as they see and use it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from playwright.async_api import Browser, Locator, Page, Route, WebSocketRoute, expect

from contracts.ids import uuid7
from tests.support.business import Business
from tests.support.stage import Stage

WITHIN_MS = 15_000


class PageLine:
    """The page's line to its gateway: while it is cut, sockets end as soon as they are opened.

    While it is held, the page hears nothing; what was said to it comes when it is let go.
    """

    def __init__(self) -> None:
        self._is_cut = False
        self._is_held = False
        self._unheard: list[tuple[WebSocketRoute, str | bytes]] = []
        self._open: list[WebSocketRoute] = []

    @classmethod
    async def under(cls, page: Page) -> "PageLine":
        """Below the sockets that this page opens from now on; it is loaded anew for that."""
        line = cls()
        await page.route_web_socket("**/api/chat", line._carry)
        await page.reload()
        await ready(page)
        return line

    async def _carry(self, socket: WebSocketRoute) -> None:
        if self._is_cut:
            await socket.close()
            return
        server = socket.connect_to_server()

        def said(frame: str | bytes) -> None:
            if self._is_held:
                self._unheard.append((socket, frame))
            else:
                socket.send(frame)

        server.on_message(said)
        self._open.append(socket)

    def hold(self) -> None:
        self._is_held = True

    def let_go(self) -> None:
        self._is_held = False
        for socket, frame in self._unheard:
            socket.send(frame)
        self._unheard.clear()

    async def cut(self) -> None:
        self._is_cut = True
        for socket in self._open:
            await socket.close(code=1012)
        self._open.clear()

    def mend(self) -> None:
        self._is_cut = False


@asynccontextmanager
async def signed_in(
    browser: Browser, business: Business, *, url: str | None = None, email: str | None = None
) -> AsyncIterator[Page]:
    """Signed in at the chat, connected; what goes wrong in the page's own code fails the test."""
    async with await browser.new_context() as context:
        context.set_default_timeout(WITHIN_MS)
        page, errors = await context.new_page(), list[Any]()

        def crashed(error: Any) -> None:
            errors.append(error)

        page.on("pageerror", crashed)
        await page.goto(url or business.urls[0])
        await sign_in(page, business, email=email)
        yield page
    assert errors == []


async def sign_in(page: Page, business: Business, *, email: str | None = None) -> None:
    await page.get_by_role("textbox", name="E-mail").fill(email or business.email)
    await page.get_by_role("textbox", name="Password").fill(business.password)
    await page.get_by_role("button", name="Sign in").click()
    await ready(page)


async def ready(page: Page) -> None:
    await expect(page.locator("#connection")).to_have_attribute("data-state", "open", timeout=WITHIN_MS)
    # The greeting names the agent once they are known, and is not drawn again.
    await expect(page.get_by_role("heading", name="Ask Ada")).to_be_visible()


async def colleague(stage: Stage, business: Business) -> str:
    """One more person of the business, with the owner's password; returns their e-mail: nobody can be invited yet."""
    email = f"colleague-{uuid7().hex}@example.com"
    connection = await asyncpg.connect(stage.platform.postgres_url("lumora"))
    try:
        await connection.execute(
            """INSERT INTO auth.member (tenant_id, id, email, password_hash, role, created_at)
            SELECT tenant_id, $2, $3, password_hash, 'support', now() FROM auth.member WHERE email = $1""",
            business.email,
            uuid7(),
            email,
        )
    finally:
        await connection.close()
    return email


async def say_much(stage: Stage, conversation_id: str, count: int) -> None:
    """So many more messages in a conversation, `m1` the oldest, an hour ago; one by one they would take minutes."""
    connection = await asyncpg.connect(stage.platform.postgres_url("lumora"))
    try:
        await connection.execute(
            """INSERT INTO inference.message (tenant_id, id, conversation_id, author, content, created_at)
            SELECT tenant_id, gen_random_uuid(), id, CASE n % 2 WHEN 0 THEN 'machine' ELSE 'customer' END, 'm' || n,
                created_at - interval '1 hour' + n * interval '1 millisecond'
            FROM inference.conversation, generate_series(1, $2) AS n WHERE id = $1""",
            conversation_id,
            count,
        )
    finally:
        await connection.close()


@asynccontextmanager
async def held(page: Page, path: str) -> AsyncIterator[asyncio.Event]:
    """What the page sends there is on its way until the block ends; the event tells that something was sent."""
    is_sent, may_go = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        is_sent.set()
        await may_go.wait()
        await route.continue_()

    await page.route(path, hold)
    yield is_sent
    may_go.set()


async def ask(page: Page, question: str) -> None:
    await page.get_by_label("Your question").fill(question)
    await page.get_by_role("button", name="Send").click()


def log(page: Page) -> Locator:
    """The messages of the chat that is shown."""
    return page.locator("#log article")


async def texts(page: Page, place: str = "#log") -> list[str]:
    """What the messages say, without the notices below them."""
    return [text.strip() for text in await page.locator(f"{place} article .body").all_inner_texts()]


async def open_inbox(page: Page, title: str) -> None:
    """The inbox, and in it the conversation that begins so."""
    await page.get_by_role("tab", name="Inbox").click()
    await page.locator("#inbox-list").get_by_role("button", name=title).click()
    await expect(page.locator("#inbox-log article")).not_to_have_count(0)
