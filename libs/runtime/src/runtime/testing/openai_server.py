"""A simulated server that speaks OpenAI's protocol on loopback; see `scripted_server` for what model names say."""

import base64
import json
import struct
from typing import ClassVar, cast

from aiohttp import web

from runtime.testing.scripted_server import PROMPT_TOKENS, RETRY_LATER, Generation, ScriptedServer, reset


class SimulatedOpenAI(ScriptedServer):
    """The server. Use it as an async context manager; `url` is then where it listens, without `/v1`."""

    content_type: ClassVar[str] = "text/event-stream"
    garbage: ClassVar[bytes] = b"data: <html>502 Bad Gateway</html>\n\n"

    def routes(self) -> list[web.RouteDef]:
        """Return the doors of the protocol."""
        return [
            web.get("/v1/models", self._models),
            web.post("/v1/chat/completions", self.chat),
            web.post("/v1/embeddings", self._embed),
        ]

    def refuse(self, status: int, message: str) -> web.Response:
        """Return an error as OpenAI words it."""
        headers = {"Retry-After": "2"} if status in RETRY_LATER else {}
        return web.json_response(
            {"error": {"message": message, "type": "server_error"}}, status=status, headers=headers
        )

    def opening(self, generation: Generation, *, is_counted: bool, thinking: int) -> bytes:
        """Return the chunk with the role."""
        del is_counted, thinking
        return _chunk(generation.model, {"role": "assistant", "content": ""})

    def piece(self, generation: Generation, text: str) -> bytes:
        """Return one piece of the answer."""
        return _chunk(generation.model, {"content": text})

    def closing(self, generation: Generation, *, is_cut: bool, is_counted: bool) -> bytes:
        """Return the finish reason, the usage when it was asked for, and the end mark."""
        done = _chunk(generation.model, {}, "length" if is_cut else "stop")
        options = cast("dict[str, bool]", generation.body.get("stream_options") or {})
        if is_counted and options.get("include_usage"):
            usage = {
                "prompt_tokens": PROMPT_TOKENS,
                "completion_tokens": generation.sent,
                "total_tokens": PROMPT_TOKENS + generation.sent,
            }
            done += _event({**_envelope(generation.model), "choices": [], "usage": usage})
        return done + b"data: [DONE]\n\n"

    def failing(self, message: str) -> bytes:
        """Return an error as vLLM and OpenAI send it in mid-stream."""
        return _event({"error": {"message": message, "type": "server_error", "code": 500}})

    def unknown(self) -> bytes:
        """Return a comment, an event of another name and one of another shape."""
        return b": keep-alive\n\nevent: moderation\n" + _event({"object": "moderation.notice", "verdict": "fine"})

    def limit(self, generation: Generation) -> int | None:
        """Return how many pieces the answer may have."""
        body = generation.body
        return cast("int | None", body.get("max_completion_tokens") or body.get("max_tokens"))

    async def _embed(self, request: web.Request) -> web.StreamResponse:
        found = await self.embeddings.answer(request, refuse=self.refuse, reset=reset)
        if not isinstance(found, list):
            return found
        body = await request.json()
        is_packed = body.get("encoding_format") == "base64"
        # no promise of the protocol says that they come in order: each says its place
        data = [
            {"object": "embedding", "index": n, "embedding": _packed(vector) if is_packed else vector}
            for n, vector in reversed(list(enumerate(found)))
        ]
        usage = {"prompt_tokens": PROMPT_TOKENS, "total_tokens": PROMPT_TOKENS}
        return web.json_response({"object": "list", "data": data, "model": body["model"], "usage": usage})

    async def _models(self, request: web.Request) -> web.Response:
        del request
        items = [
            {"id": name, "object": "model", "created": 0, "owned_by": "nobody"}
            | ({"max_model_len": script.context} if script.context else {})
            for name, script in self.models.items()
        ]
        return web.json_response({"object": "list", "data": items})


def _packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _envelope(model: str) -> dict[str, object]:
    return {"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 0, "model": model}


def _chunk(model: str, delta: dict[str, str], reason: str | None = None) -> bytes:
    return _event({**_envelope(model), "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})


def _event(value: dict[str, object]) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"
