"""One client's chat: ask, follow, stop, resume."""

from contracts.frames import (
    ConversationSubscribe,
    ConversationUnsubscribe,
    MessageAccepted,
    MessageSend,
    MessageStop,
    ResumePoint,
)
from contracts.ids import ConversationId, MessageId, uuid7
from contracts.inference import AcceptTurn
from gateway_service.domain.chat_ports import Answers, Client, Conversations, Turns
from gateway_service.domain.limits import RateLimits
from gateway_service.domain.principal import Principal
from gateway_service.domain.resume import Progress
from gateway_service.domain.upload_turns import UploadTurns
from runtime.errors import Overloaded, Rejected


class Chat:
    """Everything that one socket asks for, within one business."""

    def __init__(
        self,
        client: Client,
        principal: Principal,
        *,
        turns: Turns,
        answers: Answers,
        conversations: Conversations,
        limits: RateLimits,
        uploads: UploadTurns,
    ) -> None:
        self._client = client
        self._principal = principal
        self._turns = turns
        self._answers = answers
        self._conversations = conversations
        self._limits = limits
        self._uploads = uploads

    async def ask(self, frame: MessageSend) -> None:
        """Have the turn accepted, say so, and follow its answer; the same client_message_id is the same message.

        Raises:
            Forbidden, NotFound, Overloaded, Unavailable: nothing was accepted.
            Rejected: the frame asks for something that does not exist yet (`not_supported`).
        """
        self._principal.require("chat")
        if frame.attachments or frame.replaces is not None:
            raise Rejected("attachments and edits are not supported yet", code="not_supported")
        await self._take_allowance()
        self._uploads.asked()
        request = AcceptTurn(
            client_message_id=frame.client_message_id,
            conversation_id=frame.conversation_id or ConversationId(uuid7()),
            is_new_conversation=frame.conversation_id is None,
            message_id=MessageId(uuid7()),
            customer_message_id=MessageId(uuid7()),
            agent_id=frame.agent_id,
            content=frame.content,
            options=frame.options,
            customer=self._principal.key,
        )
        scope = self._principal.scope
        self._conversations.hold(
            self._client, scope, request.conversation_id, request.customer_message_id, request.message_id
        )
        following = await self._answers.follow(
            self._client, scope, request.conversation_id, request.message_id, Progress()
        )
        try:
            accepted = await self._turns.accept(scope, request)
        except BaseException:
            following.leave()
            raise
        said = MessageAccepted(
            client_message_id=frame.client_message_id,
            conversation_id=accepted.conversation_id,
            message_id=accepted.message_id,
            customer_message_id=accepted.customer_message_id,
            duplicate=accepted.is_duplicate,
        )
        self._client.push(said.dump())
        if not accepted.is_duplicate:
            following.begin()
            return
        following.leave()
        self._conversations.hold(
            self._client, scope, accepted.conversation_id, accepted.customer_message_id, accepted.message_id
        )
        await self._follow(accepted.conversation_id, accepted.message_id, Progress())

    async def resume(self, point: ResumePoint) -> None:
        """Send what this client missed of an answer, and go on.

        Raises:
            NotFound: this business has no such answer.
            Unavailable: it cannot be found out now.
        """
        progress = Progress(point.attempt, point.after_seq)
        # Before its end can be heard: who follows the conversation too is not told the answer twice.
        self._conversations.hold(self._client, self._principal.scope, point.conversation_id, point.message_id)
        await self._follow(point.conversation_id, point.message_id, progress)

    async def subscribe(self, frame: ConversationSubscribe) -> None:
        """Follow a conversation. Raises NotFound, Overloaded, Unavailable, Rejected (too many)."""
        await self._take_allowance()
        await self._conversations.subscribe(self._client, self._principal.scope, frame.conversation_id)

    async def unsubscribe(self, frame: ConversationUnsubscribe) -> None:
        self._conversations.unsubscribe(self._client, self._principal.scope, frame.conversation_id)

    async def stop(self, frame: MessageStop) -> None:
        """Stop generating; what was shown is kept. Raises NotFound, Unavailable."""
        self._principal.require("chat")
        await self._turns.stop(self._principal.scope, frame.message_id)

    async def _follow(self, conversation_id: ConversationId, message_id: MessageId, progress: Progress) -> None:
        scope = self._principal.scope
        following = await self._answers.follow(self._client, scope, conversation_id, message_id, progress)
        try:
            await following.catch_up()
        except BaseException:
            following.leave()
            raise

    async def _take_allowance(self) -> None:
        allowance = await self._limits.take(self._principal.key)
        if not allowance.is_allowed:
            raise Overloaded(f"{allowance.limit} requests a minute are allowed", retry_after_s=allowance.reset_s)
