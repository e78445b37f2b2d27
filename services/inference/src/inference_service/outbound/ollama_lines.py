"""The lines of Ollama's /api/chat stream: newline-delimited JSON, the last one with `"done": true`."""

from typing import Any, Final

import orjson

from inference_service.domain.errors import ModelBroken
from inference_service.domain.model import End

_LONGEST_LINE: Final = 1 << 20
"""Bytes. The real lines are some 150; a peer that never ends one must not fill the memory."""

_LOADED_ONLY: Final = frozenset({"load", "unload"})
"""Reasons that end an answer which was never generated."""


class OllamaLines:
    """Cuts what the socket gave into lines and reads them.

    Attributes:
        last: the last line, once it was read; None before.
        words: pieces of text read so far: one is one token, as Ollama sends them.
    """

    def __init__(self) -> None:
        self.last: dict[str, Any] | None = None
        self.words = 0
        self._rest = b""

    def feed(self, data: bytes) -> tuple[str, ...]:
        """Return the pieces of text that became whole with these bytes; what follows the last line is ignored.

        Raises:
            ModelBroken: a line that is no JSON object, an error line, or one without an end.
        """
        *lines, rest = (self._rest + data).split(b"\n")
        if len(rest) > _LONGEST_LINE:
            raise ModelBroken("a line of the stream is too long")
        self._rest = rest
        texts = [text for line in lines if (text := self._read(line))]
        self.words += len(texts)
        return tuple(texts)

    def close(self) -> tuple[str, ...]:
        """Read what came after the last line break: a last line may lack its own."""
        return self.feed(b"\n")

    def end(self, prompt_tokens: int) -> End:
        """Return the End of the last line.

        Args:
            prompt_tokens: what to say when the server did not count them (it omits a zero, and did so for a cached
                prompt); tokens of the answer are then the pieces.
        """
        last = self.last
        assert last is not None
        counted = (last.get("prompt_eval_count"), last.get("eval_count"))
        return End(
            finish_reason="length" if last.get("done_reason") == "length" else "stop",
            prompt_tokens=counted[0] if isinstance(counted[0], int) else prompt_tokens,
            completion_tokens=counted[1] if isinstance(counted[1], int) else self.words,
            estimated=not all(isinstance(count, int) for count in counted),
        )

    def _read(self, line: bytes) -> str:
        """Return the text of one line, which is empty for thinking, for the last line and for a blank one."""
        if self.last is not None or not line or line.isspace():
            return ""
        try:
            value = orjson.loads(line)
            if value["done"]:
                self._finish(value)
            text = value["message"]["content"]
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise ModelBroken(_complaint(line)) from error
        if not isinstance(text, str):
            raise ModelBroken(_complaint(line))
        return text

    def _finish(self, value: dict[str, Any]) -> None:
        reason = value.get("done_reason")
        if reason in _LOADED_ONLY:
            raise ModelBroken(f"the server ended the stream with '{reason}'")
        self.last = value


def _complaint(line: bytes) -> str:
    """Return the server's own words when the line is an error, else what is wrong with it."""
    try:
        return f"error in the stream: {str(orjson.loads(line)['error'])[:200]}"
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return "a line of the stream is no chat message"
