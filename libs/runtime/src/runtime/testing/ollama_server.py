"""A simulated Ollama: a small server on loopback that speaks Ollama's wire protocol and says what it was told to.

    python -m runtime.testing.ollama_server --port 11434 --say "We are open from 9 to 5 [1]." --rate 50

`scripted_server` tells how it behaves. Embeddings (`/api/embed`) are simulated as `runtime.testing.embeddings` says.
"""

import argparse
import asyncio
import json
from datetime import UTC, datetime
from typing import ClassVar, cast

from aiohttp import web

from runtime.testing.scripted_server import NAME, PROMPT_TOKENS, RETRY_LATER, Generation, Script, ScriptedServer, reset


class SimulatedOllama(ScriptedServer):
    """The server. Use it as an async context manager; `url` is then where it listens."""

    content_type: ClassVar[str] = "application/x-ndjson"
    garbage: ClassVar[bytes] = b"<html>502 Bad Gateway</html>\n"

    def routes(self) -> list[web.RouteDef]:
        """Return the doors of the protocol."""
        return [
            web.get("/", _root),
            web.get("/api/version", _version),
            web.get("/api/tags", self._tags),
            web.post("/api/show", self._show),
            web.post("/api/chat", self.chat),
            web.post("/api/embed", self._embed),
        ]

    def refuse(self, status: int, message: str) -> web.Response:
        """Return an error as the protocol words it."""
        headers = {"Retry-After": "2"} if status in RETRY_LATER else {}
        return web.json_response({"error": message}, status=status, headers=headers)

    def opening(self, generation: Generation, *, is_counted: bool, thinking: int) -> bytes:
        """Return lines of thinking."""
        del is_counted
        return _line(generation.model, {"content": "", "thinking": "hm"}) * thinking

    def piece(self, generation: Generation, text: str) -> bytes:
        """Return one piece of the answer."""
        return _line(generation.model, {"content": text})

    def closing(self, generation: Generation, *, is_cut: bool, is_counted: bool) -> bytes:
        """Return the last line."""
        usage = {"prompt_eval_count": PROMPT_TOKENS, "eval_count": generation.sent} if is_counted else {}
        reason = "length" if is_cut else "stop"
        return _line(generation.model, {"content": ""}, done=True, done_reason=reason, **usage)

    def failing(self, message: str) -> bytes:
        """Return an error line."""
        return json.dumps({"error": message}).encode() + b"\n"

    def unknown(self) -> bytes:
        """Return nothing: every line of this protocol is of the same type."""
        return b""

    def limit(self, generation: Generation) -> int | None:
        """Return how many pieces the answer may have; the protocol's own word for any number is -1."""
        options = cast("dict[str, int]", generation.body.get("options") or {})
        limit = options.get("num_predict", -1)
        return limit if limit >= 0 else None

    async def _tags(self, request: web.Request) -> web.Response:
        del request
        return web.json_response({"models": [{"name": f"{name}:latest", "model": name} for name in self.models]})

    async def _show(self, request: web.Request) -> web.Response:
        model = str((await request.json()).get("model", ""))
        script = self.script(model)
        if script is None:
            return self.refuse(404, f"model '{model}' not found")
        info = {"general.architecture": NAME, f"{NAME}.context_length": script.context or 8192}
        return web.json_response({"model_info": info, "capabilities": ["completion"], "details": {"family": NAME}})

    async def _embed(self, request: web.Request) -> web.StreamResponse:
        found = await self.embeddings.answer(request, refuse=self.refuse, reset=reset)
        if not isinstance(found, list):
            return found
        return web.json_response({"model": "simulated", "embeddings": found, "total_duration": 1, "load_duration": 1})


def _line(model: str, message: dict[str, str], *, done: bool = False, **more: object) -> bytes:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    value = {"model": model, "created_at": now, "message": {"role": "assistant", **message}, "done": done, **more}
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


async def _root(request: web.Request) -> web.Response:
    del request
    return web.Response(text="Ollama is running")


async def _version(request: web.Request) -> web.Response:
    del request
    return web.json_response({"version": "0.0.0-simulated"})


async def serve(server: SimulatedOllama) -> None:
    """Run until cancelled; prints the address once it listens."""
    async with server:
        print(f"simulated ollama listening on {server.url}", flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Run the server from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=11434, help="0 takes a free one")
    parser.add_argument("--model", action="append", default=[], help="a further name to list and to answer as")
    parser.add_argument("--say", default="", help="the answer")
    parser.add_argument("--words", type=int, default=20, help="numbered words, when there is nothing to say")
    parser.add_argument("--rate", type=float, default=0.0, help="pieces a second, 0 is as fast as possible")
    parser.add_argument("--first-ms", type=int, default=0)
    parser.add_argument("--keepalive-s", type=float, default=75.0)
    args = parser.parse_args()
    script = Script(say=args.say, words=args.words, rate=args.rate, first_ms=args.first_ms)
    models = dict.fromkeys([NAME, *args.model], script)
    try:
        asyncio.run(serve(SimulatedOllama(script, models, args.port, args.keepalive_s)))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
