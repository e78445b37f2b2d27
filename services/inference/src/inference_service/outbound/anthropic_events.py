"""The events of Anthropic's /v1/messages stream."""

from typing import Any

import orjson

from inference_service.domain.errors import ModelBroken, ModelFailed, ModelOverloaded, ModelRejected
from inference_service.domain.model import End
from inference_service.outbound.event_lines import EventLines
from inference_service.outbound.http_refusals import told

_BUSY = frozenset({"overloaded_error", "rate_limit_error"})
_CUT = frozenset({"max_tokens", "model_context_window_exceeded"})
_ASKED = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
"""Together these are the tokens of the prompt."""


class AnthropicEvents:
    """Implements `Reader`. The answer is whole with `message_stop`; thinking is not shown, unknown events are ignored.

    Args:
        prompt_tokens: what to say when the server counts none; tokens of the answer are then its UTF-8 bytes / 4.
    """

    def __init__(self, prompt_tokens: int) -> None:
        self.is_over = False
        self._estimate = prompt_tokens
        self._lines = EventLines()
        self._reason: str | None = None
        self._usage: dict[str, Any] = {}
        self._bytes = 0

    def feed(self, data: bytes) -> tuple[str, ...]:
        """Return the pieces of text that became whole; what follows `message_stop` is ignored.

        Raises:
            ModelBroken: data that is no event, or an error in the stream.
            ModelOverloaded: an error in the stream that says so.
            ModelRejected: the model refused to answer, or to go on.
        """
        texts = [text for said in self._lines.feed(data) if (text := self._read(said))]
        self._bytes += sum(len(text.encode()) for text in texts)
        return tuple(texts)

    def close(self) -> tuple[str, ...]:
        """Nothing may be missing: `message_stop` is always sent."""
        return ()

    def end(self) -> End:
        asked = [count for name in _ASKED if isinstance(count := self._usage.get(name), int)]
        answered = self._usage.get("output_tokens")
        return End(
            "length" if self._reason in _CUT else "stop",
            prompt_tokens=sum(asked) if asked else self._estimate,
            completion_tokens=answered if isinstance(answered, int) else -(-self._bytes // 4),
            estimated=not (asked and isinstance(answered, int)),
        )

    def _read(self, said: bytes) -> str:
        if self.is_over:
            return ""
        try:
            event: dict[str, Any] = orjson.loads(said)
            return self._event(event)
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise ModelBroken("an event of the stream cannot be read") from error

    def _event(self, event: dict[str, Any]) -> str:
        match event["type"]:
            case "content_block_delta":
                return _text(event["delta"])
            case "content_block_start":
                return _text(event["content_block"])
            case "message_start":
                self._count(event["message"].get("usage"))
            case "message_delta":
                self._finish(event)
            case "message_stop":
                self.is_over = True
            case "error":
                raise _failed(event.get("error"))
        return ""

    def _finish(self, event: dict[str, Any]) -> None:
        self._count(event.get("usage"))
        self._reason = event["delta"].get("stop_reason") or self._reason
        if self._reason == "refusal":
            raise ModelRejected("the model refused to answer")

    def _count(self, usage: dict[str, Any] | None) -> None:
        """Later figures are of the whole answer and replace earlier ones."""
        self._usage |= {name: count for name, count in (usage or {}).items() if count is not None}


def _text(part: dict[str, Any]) -> str:
    """Return the text of a block or of a delta; thinking and tools have none to show."""
    if part.get("type") not in ("text", "text_delta"):
        return ""
    text = part["text"]
    if not isinstance(text, str):
        raise ModelBroken("a piece of the answer is no text")
    return text


def _failed(error: object) -> ModelFailed:
    sentence = f"error in the stream: {told(error)}"
    if isinstance(error, dict) and error.get("type") in _BUSY:
        return ModelOverloaded(sentence)
    return ModelBroken(sentence)
