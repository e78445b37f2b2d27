"""The chunks of an OpenAI-compatible /chat/completions stream, as OpenAI, vLLM, LiteLLM and llama.cpp send them."""

from typing import Any

import orjson

from inference_service.domain.errors import ModelBroken, ModelRejected
from inference_service.domain.model import End
from inference_service.outbound.event_lines import EventLines
from inference_service.outbound.http_refusals import told


class OpenAIEvents:
    """Implements `Reader`. The answer is whole with `[DONE]`, or when a body ends after a finish reason.

    Args:
        prompt_tokens: what to say when the server counts none; tokens of the answer are then the pieces.
    """

    def __init__(self, prompt_tokens: int) -> None:
        self.is_over = False
        self._estimate = prompt_tokens
        self._lines = EventLines()
        self._reason: str | None = None
        self._usage: dict[str, Any] = {}
        self._pieces = 0

    def feed(self, data: bytes) -> tuple[str, ...]:
        """Return the pieces of text that became whole; what follows `[DONE]` is ignored.

        Raises:
            ModelBroken: data that is no chunk, or an error in the stream.
            ModelRejected: the provider's own filter cut the answer.
        """
        texts = [text for said in self._lines.feed(data) if (text := self._read(said))]
        self._pieces += len(texts)
        return tuple(texts)

    def close(self) -> tuple[str, ...]:
        """Take a body that ended after its finish reason as whole: some servers leave `[DONE]` out."""
        self.is_over = self.is_over or self._reason is not None
        return ()

    def end(self) -> End:
        asked, answered = self._usage.get("prompt_tokens"), self._usage.get("completion_tokens")
        is_counted = isinstance(asked, int) and isinstance(answered, int)
        return End(
            "length" if self._reason == "length" else "stop",
            prompt_tokens=asked if isinstance(asked, int) else self._estimate,
            completion_tokens=answered if isinstance(answered, int) else self._pieces,
            estimated=not is_counted,
        )

    def _read(self, said: bytes) -> str:
        if self.is_over:
            return ""
        if said == b"[DONE]":
            self.is_over = True
            return ""
        try:
            chunk: dict[str, Any] = orjson.loads(said)
            if "choices" not in chunk:
                return _other(chunk)
            self._usage = chunk.get("usage") or self._usage
            return self._choice(chunk["choices"][0]) if chunk["choices"] else ""
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise ModelBroken("an event of the stream is no chunk of a completion") from error

    def _choice(self, choice: dict[str, Any]) -> str:
        self._reason = choice.get("finish_reason") or self._reason
        if self._reason == "content_filter":
            raise ModelRejected("the provider's own filter cut the answer")
        delta = choice.get("delta") or {}
        text = delta.get("content") or delta.get("refusal") or ""
        if not isinstance(text, str):
            raise ModelBroken("a piece of the answer is no text")
        return text


def _other(chunk: dict[str, Any]) -> str:
    """Pass over what is no part of the answer; an error ends it."""
    if chunk.get("error"):
        raise ModelBroken(f"error in the stream: {told(chunk['error'])}")
    return ""
