"""Answers of Anthropic.

The official client says where the server is, which headers and key it gets, and how models are listed; the stream of
tokens is read below it (`token_stream`). Importing that client takes 38 MB: import this module only where it is used.
"""

from collections.abc import AsyncGenerator
from typing import Final

import anthropic

from inference_service.domain.model import End, Pieces, Prompt, Timeouts
from inference_service.domain.prompt import Budget, approximate_tokens, chat_messages, fit
from inference_service.outbound.anthropic_events import AnthropicEvents
from inference_service.outbound.context_sizes import ContextSizes
from inference_service.outbound.official_clients import listing, streams_of

_ANSWER_TOKENS: Final = 4096
"""Of an answer whose length nobody limited: the protocol wants a limit, and thinking counts into it."""


class AnthropicModel:
    """The provider `anthropic`. Make it inside a running loop; `close` it.

    Args:
        key: as ANTHROPIC_API_KEY.
        base_url: as ANTHROPIC_BASE_URL, with or without `/v1`; empty is Anthropic's own.
        timeouts: how long the server may be silent.
        context_tokens: into which prompts are fitted for a model of which the provider tells nothing.
    """

    def __init__(
        self, key: str, base_url: str = "", *, timeouts: Timeouts | None = None, context_tokens: int = 200_000
    ) -> None:
        timeouts = timeouts or Timeouts()
        self._sizes = ContextSizes(context_tokens)
        url = base_url.rstrip("/").removesuffix("/v1") or "https://api.anthropic.com"
        self._client = anthropic.AsyncAnthropic(
            api_key=key, base_url=url, max_retries=0, timeout=timeouts.first_token_s
        )
        self._streams = streams_of(self._client, f"{url}/v1/messages", timeouts)

    async def close(self) -> None:
        """Close all connections; streams that still run break."""
        await self._streams.close()
        await self._client.close()

    def stream(self, prompt: Prompt, *, deadline: float) -> AsyncGenerator[Pieces | End, None]:
        """Answer piece by piece; see `domain.model.Model`. The protocol has no `temperature`.

        Raises:
            PromptTooLong: what may not be trimmed is beyond the context.
        """
        limit = prompt.max_tokens or _ANSWER_TOKENS
        prompt = fit(prompt, Budget(self._sizes.of(prompt.model), limit))
        messages = chat_messages(prompt)
        events = AnthropicEvents(sum(approximate_tokens(message.content) for message in messages))
        body: dict[str, object] = {
            "model": prompt.model,
            "max_tokens": limit,
            "messages": [message._asdict() for message in messages if message.role != "system"],
            "stream": True,
        }
        if prompt.system:
            # The same for all questions of an agent, so that the provider can keep it cached.
            body["system"] = [{"type": "text", "text": prompt.system, "cache_control": {"type": "ephemeral"}}]
        return self._streams.read(body, events, deadline)

    async def names(self) -> tuple[str, ...]:
        """Return the models that may be asked, and note what they take.

        Retired ones stay in the provider's list for the record.
        """
        async with listing(
            status=anthropic.APIStatusError, connection=anthropic.APIConnectionError, other=anthropic.AnthropicError
        ):
            listed = [model async for model in self._client.models.list() if model.id]
            self._sizes.are({model.id: getattr(model, "max_input_tokens", None) for model in listed})
            return tuple(model.id for model in listed if getattr(model, "lifecycle", "") != "retired")
