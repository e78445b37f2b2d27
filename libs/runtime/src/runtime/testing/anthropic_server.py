"""A simulated server that speaks Anthropic's protocol on loopback; see `scripted_server` for what model names say."""

import json
from typing import ClassVar, cast

from aiohttp import web

from runtime.testing.scripted_server import PROMPT_TOKENS, RETRY_LATER, Generation, ScriptedServer

_KINDS = {404: "not_found_error", 429: "rate_limit_error", 500: "api_error", 503: "api_error", 529: "overloaded_error"}


class SimulatedAnthropic(ScriptedServer):
    """The server. Use it as an async context manager; `url` is then where it listens.

    A model named `…-refuses` ends its answers with the stop reason `refusal`.
    """

    content_type: ClassVar[str] = "text/event-stream"
    garbage: ClassVar[bytes] = b"data: <html>502 Bad Gateway</html>\n\n"

    def routes(self) -> list[web.RouteDef]:
        """Return the doors of the protocol."""
        return [web.get("/v1/models", self._models), web.post("/v1/messages", self.chat)]

    def refuse(self, status: int, message: str) -> web.Response:
        """Return an error as Anthropic words it."""
        headers = {"Retry-After": "2"} if status in RETRY_LATER else {}
        error = {"type": _KINDS[status], "message": message}
        return web.json_response({"type": "error", "error": error}, status=status, headers=headers)

    def opening(self, generation: Generation, *, is_counted: bool, thinking: int) -> bytes:
        """Return the message's begin with what was read of the prompt, a third of it from the cache."""
        del thinking
        usage = {"input_tokens": PROMPT_TOKENS - 4, "cache_read_input_tokens": 4, "output_tokens": 1}
        message: dict[str, object] = {
            "id": "msg_0",
            "type": "message",
            "role": "assistant",
            "content": [],
            "model": generation.model,
            "stop_reason": None,
            "stop_sequence": None,
            **({"usage": usage} if is_counted else {}),
        }
        block = {"type": "text", "text": ""}
        return (
            _event("message_start", message=message)
            + _event("ping")
            + _event("content_block_start", index=0, content_block=block)
        )

    def piece(self, generation: Generation, text: str) -> bytes:
        """Return one piece of the answer."""
        del generation
        return _event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})

    def closing(self, generation: Generation, *, is_cut: bool, is_counted: bool) -> bytes:
        """Return the stop reason, the usage and the end mark."""
        reason = "max_tokens" if is_cut else "end_turn"
        if generation.model.endswith("-refuses"):
            reason = "refusal"
        usage = {"usage": {"output_tokens": generation.sent}} if is_counted else {}
        delta = {"stop_reason": reason, "stop_sequence": None}
        return (
            _event("content_block_stop", index=0)
            + _event("message_delta", delta=delta, **usage)
            + _event("message_stop")
        )

    def failing(self, message: str) -> bytes:
        """Return an error event."""
        return _event("error", error={"type": "api_error", "message": message})

    def unknown(self) -> bytes:
        """Return an event and a delta of types that nobody knows yet, and thinking, which is not shown."""
        return (
            _event("weather_report", outlook="sunny")
            + _event("content_block_delta", index=0, delta={"type": "mood_delta", "mood": "fine"})
            + _event("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "hm"})
        )

    def limit(self, generation: Generation) -> int | None:
        """Return how many pieces the answer may have; the protocol always has a limit."""
        return cast("int", generation.body["max_tokens"])

    async def _models(self, request: web.Request) -> web.Response:
        del request
        states = {name: "retired" if name.endswith("-retired") else "active" for name in self.models}
        items = [
            {
                "id": name,
                "type": "model",
                "display_name": name,
                "created_at": "2026-01-01T00:00:00Z",
                "lifecycle": state,
                "max_input_tokens": self.models[name].context or None,
            }
            for name, state in states.items()
        ]
        return web.json_response({"data": items, "has_more": False, "first_id": None, "last_id": None})


def _event(kind: str, **more: object) -> bytes:
    data = json.dumps({"type": kind, **more}, ensure_ascii=False)
    return f"event: {kind}\ndata: {data}\n\n".encode()
