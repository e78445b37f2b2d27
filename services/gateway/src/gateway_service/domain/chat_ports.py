"""What a chat needs from the outside."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol
from uuid import UUID

from contracts.ids import ConversationId, MessageId, TenantId
from contracts.inference import AcceptedTurn, AcceptTurn, Turn
from gateway_service.domain.principal import Principal
from gateway_service.domain.resume import Progress
from runtime.tenancy import TenantScope


class Credentials(Protocol):
    """Who a token belongs to."""

    async def verify(self, token: str) -> Principal:
        """Raises Rejected (`not_authenticated`), or Unavailable when it cannot be checked now."""
        ...


class Turns(Protocol):
    """Answers, asked of inference. Every method may raise Unavailable."""

    async def accept(self, scope: TenantScope, request: AcceptTurn) -> AcceptedTurn:
        """Durable when it returns. Raises NotFound, Overloaded."""
        ...

    async def stop(self, scope: TenantScope, message_id: MessageId) -> None:
        """Raises NotFound."""
        ...

    async def get(self, scope: TenantScope, message_id: MessageId) -> Turn:
        """Raises NotFound."""
        ...


class Client(Protocol):
    """The sending half of a socket."""

    following: int
    """Answers that are still running for this client."""

    def push(self, frame: bytes, answer: str = "") -> None:
        """Queue a frame; never waits. `answer` names a token frame's answer and attempt: neighbours may be merged."""
        ...

    def close(self, code: int) -> None:
        """Close after what is queued."""
        ...

    async def run(self) -> None:
        """Send until closed."""
        ...


class Clients(Protocol):
    """The sockets that are open here."""

    is_draining: bool

    def open(self, send: Callable[[dict[str, Any]], Awaitable[None]]) -> Client: ...

    def admit(self, client: Client, principal: Principal) -> None:
        """The client said who it is; people hear from now on how the business's documents come along."""
        ...

    def tell_people(self, tenant_id: TenantId, frame: bytes) -> None:
        """To every person of the business who may see its documents."""
        ...

    def people_of(self, tenant_id: TenantId) -> frozenset[Client]:
        """The same people, to be told by somebody else."""
        ...

    def end(self, credential_id: UUID) -> None:
        """What these clients came in with opens nothing any more: they are closed."""
        ...

    def people(self) -> list[Principal]:
        """Who is signed in here, once for each session."""
        ...

    def remove(self, client: Client) -> None: ...


class Conversations(Protocol):
    """Tells sockets of the conversations that they hold or follow: who answers, and what others write."""

    def hold(self, client: Client, scope: TenantScope, conversation_id: ConversationId, *own: MessageId) -> None:
        """The client asks there, with messages that it knows: it hears people and changes of hands."""
        ...

    async def subscribe(self, client: Client, scope: TenantScope, conversation_id: ConversationId) -> None:
        """Tell how it stands, and every message from now on. Raises NotFound, Unavailable, Rejected (too many)."""
        ...

    def unsubscribe(self, client: Client, scope: TenantScope, conversation_id: ConversationId) -> None: ...

    def leave_all(self, client: Client) -> None: ...


class Following(Protocol):
    """One answer that is followed for one client; frames are kept back until `begin` or `catch_up`."""

    def begin(self) -> None:
        """The answer is new: nothing can be missing."""
        ...

    async def catch_up(self) -> None:
        """What was missed first. Raises NotFound, Unavailable."""
        ...

    def leave(self) -> None:
        """Nobody follows any more."""
        ...


class Answers(Protocol):
    """Follows answers for clients, and ends each with exactly one of completed, blocked, failed."""

    async def follow(
        self,
        client: Client,
        scope: TenantScope,
        conversation_id: ConversationId,
        message_id: MessageId,
        progress: Progress,
    ) -> Following:
        """Listen before anything can be said."""
        ...

    def leave_all(self, client: Client) -> None: ...
