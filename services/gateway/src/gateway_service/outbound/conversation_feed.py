"""The conversations that sockets hold or follow here: what people write in them, and who answers.

Facts tell that something is new, inference is asked what. A socket holds the conversations in which it asked, and
hears people and changes of hands; one that follows a conversation hears every message; people hear of all changes of
hands in their business, because somebody must come. What people do is rare and listened to for every business; the
turns of a conversation are listened to only while somebody follows it.
"""

import asyncio
import contextlib
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import nats.errors
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from contracts import subjects
from contracts.channel import Fact
from contracts.frames import ConversationUpdatedFrame, MessageCreatedFrame, MessageView
from contracts.hand_off import (
    CONVERSATION_UPDATED,
    GET_MESSAGE,
    MESSAGE_CREATED,
    ConversationUpdated,
    GetMessage,
    MessageCreated,
)
from contracts.ids import ConversationId, MessageId, TenantId
from contracts.inference import (
    GET_CONVERSATION,
    MESSAGE_COMPLETED,
    TURN_ACCEPTED,
    Conversation,
    GetConversation,
    Message,
    MessageCompleted,
    TurnAccepted,
)
from gateway_service.domain.chat_ports import Client, Clients
from gateway_service.domain.ports import Services
from gateway_service.domain.told_outside import told_outside
from runtime import logs
from runtime.bus import Bus
from runtime.errors import LumoraError, Rejected, Retryable
from runtime.tenancy import TenantScope
from runtime.token_tap import tap

HELD, FOLLOWED = 200, 50
"""Conversations of one socket: those it asked in last, and those it may follow."""

OWN = 32
"""Messages of one conversation that are remembered as caused here."""
RETRY_S, TELL_WITHIN_S = 1.0, 60.0
"""Inference may be away when something is to be told; who reads here is not left without it for that."""

T = TypeVar("T")
_Key = tuple[TenantId, ConversationId]
_log = logs.get_logger()


@dataclass(eq=False)
class _Room:
    """One conversation, and who hears of it here."""

    scope: TenantScope
    conversation_id: ConversationId
    holders: set[Client] = field(default_factory=set)
    followers: set[Client] = field(default_factory=set)
    own: dict[MessageId, Client] = field(default_factory=dict)
    """The newest messages that a socket here caused: should it follow the conversation, it knows them."""
    subscriptions: list[Subscription] = field(default_factory=list)
    order: asyncio.Lock = field(default_factory=asyncio.Lock)
    """What is told of it is told in the order in which it was heard."""


class ConversationFeed:
    """Implements `Conversations`."""

    def __init__(self, bus: Bus, services: Services, clients: Clients) -> None:
        self._bus = bus
        self._clients = clients
        self._services = services
        self._rooms: dict[_Key, _Room] = {}
        self._held: defaultdict[Client, OrderedDict[_Key, None]] = defaultdict(OrderedDict)
        self._followed: defaultdict[Client, set[_Key]] = defaultdict(set)
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Hear what people do."""
        await self._bus.listen(CONVERSATION_UPDATED, self._on_updated)
        await self._bus.listen(MESSAGE_CREATED, self._on_created)
        self._bus.on_reconnect(self._look_at_all)

    def hold(self, client: Client, scope: TenantScope, conversation_id: ConversationId, *own: MessageId) -> None:
        key, held = (scope.tenant_id, conversation_id), self._held[client]
        held[key] = None
        held.move_to_end(key)
        room = self._room(scope, conversation_id)
        room.holders.add(client)
        room.own |= dict.fromkeys(own, client)
        while len(room.own) > OWN:
            room.own.pop(next(iter(room.own)))
        if len(held) > HELD:
            oldest, _ = held.popitem(last=False)
            self._rooms[oldest].holders.discard(client)
            self._tidy(oldest)

    async def subscribe(self, client: Client, scope: TenantScope, conversation_id: ConversationId) -> None:
        key = (scope.tenant_id, conversation_id)
        followed = self._followed[client]
        if key not in followed and len(followed) >= FOLLOWED:
            raise Rejected(f"at most {FOLLOWED} conversations are followed at a time")
        await self._standing(scope, conversation_id)  # which must be there before anything is kept for it
        followed.add(key)
        room = self._room(scope, conversation_id)
        room.followers.add(client)
        async with room.order:
            if not room.subscriptions:
                await self._listen(room)
            self._push(scope, await self._standing(scope, conversation_id), [client])

    def unsubscribe(self, client: Client, scope: TenantScope, conversation_id: ConversationId) -> None:
        self._leave((scope.tenant_id, conversation_id), client)

    def leave_all(self, client: Client) -> None:
        for key in tuple(self._followed.pop(client, ())):
            self._leave(key, client)
        for key in self._held.pop(client, ()):
            self._rooms[key].holders.discard(client)
            self._tidy(key)

    # ---- rooms ------------------------------------------------------------------------------------------------

    def _room(self, scope: TenantScope, conversation_id: ConversationId) -> _Room:
        return self._rooms.setdefault((scope.tenant_id, conversation_id), _Room(scope, conversation_id))

    def _leave(self, key: _Key, client: Client) -> None:
        self._followed.get(client, set()).discard(key)
        room = self._rooms.get(key)
        if room is None:
            return
        room.followers.discard(client)
        if not room.followers:
            self._stop_listening(room)
        self._tidy(key)

    def _tidy(self, key: _Key) -> None:
        room = self._rooms[key]
        if not room.holders and not room.followers:
            del self._rooms[key]

    async def _listen(self, room: _Room) -> None:
        """To both or to none: half of them would count as all for whoever follows next."""
        try:
            for fact, hear in ((TURN_ACCEPTED, self._heard_question), (MESSAGE_COMPLETED, self._heard_answer)):
                room.subscriptions.append(await self._tap(room, fact, hear))
        except BaseException:
            self._stop_listening(room)
            raise
        # Whoever reads the messages after our answer misses none: the server listens for us before it. Where it is
        # away they are told so, and it does when it is back.
        await self._bus.settle()

    def _stop_listening(self, room: _Room) -> None:
        for subscription in room.subscriptions:
            self._spawn(_unsubscribe(subscription))
        room.subscriptions = []

    async def _tap(self, room: _Room, fact: Fact[Any], hear: Callable[[_Room, bytes], None]) -> Subscription:
        subject = subjects.fact(fact, room.scope.tenant_id, room.conversation_id)

        def heard(message: Msg) -> None:
            hear(room, message.data)

        return await tap(self._bus.nc, subject, heard)

    # ---- what is heard ----------------------------------------------------------------------------------------

    async def _on_updated(self, fact: ConversationUpdated, scope: TenantScope) -> None:
        room = self._rooms.get((scope.tenant_id, fact.conversation_id))
        if room is not None or self._clients.people_of(scope.tenant_id):
            self._spawn(self._tell_standing(room or _Room(scope, fact.conversation_id)))

    async def _on_created(self, fact: MessageCreated, scope: TenantScope) -> None:
        if room := self._rooms.get((scope.tenant_id, fact.conversation_id)):
            self._spawn(self._tell_message(room, fact.message_id, to_holders=True))

    def _heard_question(self, room: _Room, data: bytes) -> None:
        self._spawn(self._tell_message(room, TurnAccepted.read(data).customer_message_id))

    def _heard_answer(self, room: _Room, data: bytes) -> None:
        self._spawn(self._tell_message(room, MessageCompleted.read(data).message_id))

    async def _look_at_all(self) -> None:
        """The connection was away: hands may have changed unheard. Messages are read back by who wants them."""
        for room in tuple(self._rooms.values()):
            self._spawn(self._tell_standing(room))

    # ---- what is told -----------------------------------------------------------------------------------------

    async def _tell_standing(self, room: _Room) -> None:
        async with room.order:
            found = await _patiently(lambda: self._standing(room.scope, room.conversation_id))
            self._push(room.scope, found, room.holders | room.followers | self._clients.people_of(room.scope.tenant_id))

    async def _tell_message(self, room: _Room, message_id: MessageId, *, to_holders: bool = False) -> None:
        async with room.order:
            asker = room.own.pop(message_id, None)
            question = GetMessage(conversation_id=room.conversation_id, message_id=message_id)
            message = (await _patiently(lambda: self._services.ask(GET_MESSAGE, question, room.scope))).message
            if not message.content:
                return
            frame = _created(message).dump()
            for client in room.followers | (room.holders if to_holders else set()):
                if client is not asker:
                    client.push(frame)

    async def _standing(self, scope: TenantScope, conversation_id: ConversationId) -> Conversation:
        """Raises NotFound, Unavailable."""
        question = GetConversation(conversation_id=conversation_id)
        return (await self._services.ask(GET_CONVERSATION, question, scope)).conversation

    def _push(self, scope: TenantScope, found: Conversation, clients: Iterable[Client]) -> None:
        """How it stands, to each as much of it as it may know."""
        people = self._clients.people_of(scope.tenant_id)
        inside, outside = _updated(found), _updated(told_outside(found))
        for client in clients:
            client.push(inside if client in people else outside)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(_quietly(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _quietly(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except LumoraError as error:
        _log.warning("conversation.untold", code=error.code)


async def _unsubscribe(subscription: Subscription) -> None:
    # Gone with the connection, or closed already: either way there is nothing left to unsubscribe.
    with contextlib.suppress(nats.errors.Error, OSError):
        await subscription.unsubscribe()


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Raises LumoraError: what inference said, or that it was away for too long."""
    clock = asyncio.get_running_loop().time
    until = clock() + TELL_WITHIN_S
    while True:
        try:
            return await ask()
        except Retryable:
            if clock() > until:
                raise
        await asyncio.sleep(RETRY_S)


def _updated(found: Conversation) -> bytes:
    return ConversationUpdatedFrame(
        conversation_id=found.id, status=found.status, reason=found.reason, assignee=found.assignee
    ).dump()


def _created(message: Message) -> MessageCreatedFrame:
    view = MessageView(id=message.id, author=message.author, content=message.content, created_at=message.created_at)
    return MessageCreatedFrame(conversation_id=message.conversation_id, message=view)
