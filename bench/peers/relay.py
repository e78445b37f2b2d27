"""The peer: what one writes in an hour. FastAPI takes a WebSocket, httpx reads Ollama's lines, each token goes out.

One process, no users, no history, no durability; the only check is a list of words, so that it looks at every token.

    UPSTREAM=http://127.0.0.1:11434 uvicorn --app-dir bench/peers relay:app --port 21501
"""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

BANNED = ("forbidden-word",)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    limits = httpx.Limits(max_connections=1000, max_keepalive_connections=1000)
    async with httpx.AsyncClient(base_url=os.environ["UPSTREAM"], timeout=60, limits=limits) as client:
        app.state.http = client
        yield


app = FastAPI(lifespan=lifespan)


@app.websocket("/ws")
async def chat(socket: WebSocket) -> None:
    await socket.accept()
    try:
        while True:
            await relay(socket, await socket.receive_json())
    except WebSocketDisconnect:
        pass


async def relay(socket: WebSocket, asked: dict[str, str]) -> None:
    question = {
        "model": asked["model"],
        "messages": [{"role": "user", "content": asked["content"]}],
        "stream": True,
    }
    async with socket.app.state.http.stream("POST", "/api/chat", json=question) as answer:
        async for line in answer.aiter_lines():
            part = json.loads(line)
            text = part["message"]["content"]
            if text and not any(word in text for word in BANNED):
                await socket.send_json({"type": "token", "text": text})
    await socket.send_json({"type": "done"})
