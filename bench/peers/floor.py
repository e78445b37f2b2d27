"""The floor: the token path with the same processes and hops as the platform's, and nothing in them but the way.

    python bench/peers/floor.py --port 21502 --upstream http://127.0.0.1:11434    # prints `ready`

Model -> `inference` (aiohttp reads, what comes within 2 ms is one message) -> nats-server -> `filter` (numbers frames)
-> nats-server -> `gateway` (uvicorn's WebSocket). No users, no turns, no database, no check of anything, and nothing
survives a failure. Processes have the names of the services whose place they take; the broker has the platform's own
settings and streams. It speaks relay.py's protocol.

What the platform guarantees can be added, to see what it costs (`--with kept,receipts,rules`):

    kept      the stream TOKENS keeps the frames, so that a client could resume
    receipts  the worker hears what was shown, every quarter of a second and at the end, once the broker has it
    rules     the filter judges by the default policy
    alone     each token is a message of its own, and the worker hears the frames themselves instead of receipts
"""

import argparse
import asyncio
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import ExitStack, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import aiohttp
import orjson
import uvicorn
import uvloop
from nats import connect
from nats.aio.client import Client
from nats.aio.msg import Msg

from filter_service.domain.judge import Judge, prepare
from filter_service.domain.policy import Policy
from lumora.data_folder import DataFolder
from lumora.embedded import nats as embedded
from lumora.embedded.secrets import load_or_make
from runtime.provision import Provisioner
from runtime.token_tap import tap

ROLES = ("inference", "filter", "gateway")
GATHER_S = 0.002
CONFIRM_S = 0.25
ADDED = ("kept", "receipts", "rules", "alone")
ASKED, RAW, RECEIPTS = "rpc.floor.ask", "raw.floor.batch", "rcp.floor"
Send = Callable[[dict[str, Any]], Awaitable[None]]
Added = frozenset[str]


class Worker:
    """Reads models, sends what they say in batches, and hears what was shown."""

    def __init__(self, connection: Client, upstream: str, added: Added) -> None:
        self._connection = connection
        self._url = f"{upstream}/api/chat"
        self._added = added
        self._waiting: list[bytes] = []
        self._wake = asyncio.Event()
        self._shown: defaultdict[str, list[str]] = defaultdict(list)
        self._ended: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self) -> None:
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=512))
        self._spawn(self._write())
        await tap(self._connection, RECEIPTS, self._heard)
        await tap(self._connection, ASKED, self._asked)

    def _asked(self, message: Msg) -> None:
        self._spawn(self._answer(**orjson.loads(message.data)))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, message_id: str, model: str, content: str) -> None:
        question = {"model": model, "messages": [{"role": "user", "content": content}], "stream": True}
        rest, first = b"", 0
        hears_frames = {"alone", "receipts"} <= self._added
        if hears_frames:
            frames = await tap(self._connection, shown_at(message_id, self._added), self._heard_frame)
        async with self._http.post(self._url, data=orjson.dumps(question)) as response:
            while data := await response.content.readany():
                *lines, rest = (rest + data).split(b"\n")
                texts = [text for line in lines if (text := orjson.loads(line)["message"]["content"])]
                if texts:
                    self._say({"type": "tokens", "message_id": message_id, "first": first, "texts": texts})
                    first += len(texts)
        self._say({"type": "end", "message_id": message_id})
        if "receipts" in self._added:
            await self._ended[message_id].wait()
            del self._ended[message_id], self._shown[message_id]
        if hears_frames:
            await frames.unsubscribe()

    def _say(self, raw: dict[str, Any]) -> None:
        self._waiting.append(orjson.dumps(raw))
        self._wake.set()

    async def _write(self) -> None:
        clock, written_at = asyncio.get_running_loop().time, 0.0
        while True:
            await self._wake.wait()
            if (pause_s := written_at + GATHER_S - clock()) > 0:
                await asyncio.sleep(pause_s)
            self._wake.clear()
            parts, self._waiting = self._waiting, []
            written_at = clock()
            batches = [[part] for part in parts] if "alone" in self._added else [parts]
            for batch in batches:
                await self._connection.publish(RAW, b'{"parts":[%b]}' % b",".join(batch))

    def _heard(self, message: Msg) -> None:
        for frame in orjson.loads(message.data)["frames"]:
            self._note(frame)

    def _heard_frame(self, message: Msg) -> None:
        self._note(orjson.loads(message.data))

    def _note(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "token":
            self._shown[frame["message_id"]].append(frame["text"])
        else:
            self._ended[frame["message_id"]].set()


class Filter:
    """Numbers frames; says receipts and judges where that is added."""

    def __init__(self, connection: Client, added: Added) -> None:
        self._connection = connection
        self._added = added
        self._says_receipts = "receipts" in added and "alone" not in added
        self._judges: dict[str, Judge] = {}
        self._bench = prepare(Policy())
        self._owed: dict[str, list[dict[str, Any]]] = {}
        self._due = asyncio.Event()

    async def begin(self) -> None:
        await self._connection.subscribe(RAW, cb=self._heard)
        if self._says_receipts:
            self._confirming = asyncio.create_task(self._confirm())

    async def _heard(self, message: Msg) -> None:
        for raw in orjson.loads(message.data)["parts"]:
            message_id = raw["message_id"]
            if "rules" in self._added:
                self._judge(raw)
            frame = _frame(raw)
            await self._connection.publish(shown_at(message_id, self._added), orjson.dumps(frame))
            if self._says_receipts:
                self._owed.setdefault(message_id, []).append(frame)
                if raw["type"] == "end":
                    self._due.set()

    def _judge(self, raw: dict[str, Any]) -> None:
        message_id = raw["message_id"]
        if raw["type"] == "end":
            self._judges.pop(message_id, None)
        else:
            judge = self._judges.get(message_id) or self._judges.setdefault(message_id, Judge(self._bench))
            raw["texts"] = [judge.feed(text) for text in raw["texts"]]

    async def _confirm(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._due.wait(), CONFIRM_S)
            self._due.clear()
            owed, self._owed = self._owed, {}
            if owed:
                # Twice, as `Bus.settle` does: the first only pushes out what is pending.
                await self._connection.flush()
                await self._connection.flush()
                frames = [frame for frames in owed.values() for frame in _joined(frames)]
                await self._connection.publish(RECEIPTS, orjson.dumps({"frames": frames}))


def shown_at(message_id: str, added: Added) -> str:
    """The subject of an answer's frames: the stream TOKENS takes the first kind alone."""
    return f"tok.floor.floor.{message_id}" if "kept" in added else f"unkept.floor.{message_id}"


def _frame(raw: dict[str, Any]) -> dict[str, Any]:
    head = {"type": "token", "message_id": raw["message_id"], "attempt": 1}
    if raw["type"] == "end":
        return head | {"type": "end"}
    last = raw["first"] + len(raw["texts"]) - 1
    return head | {"from_seq": raw["first"], "seq": last, "text": "".join(raw["texts"])}


def _joined(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """An answer's tokens as one frame, and its end."""
    tokens = [frame for frame in frames if frame["type"] == "token"]
    ends = [frame for frame in frames if frame["type"] == "end"]
    if not tokens:
        return ends
    text = "".join(frame["text"] for frame in tokens)
    return [{**tokens[-1], "from_seq": tokens[0]["from_seq"], "text": text}, *ends]


class Gateway:
    """The WebSocket door."""

    def __init__(self, connection: Client, port: int, added: Added) -> None:
        self._connection = connection
        self._added = added
        # As the platform's own server is set.
        chosen: dict[str, Any] = {
            "interface": "asgi3",
            "ws": "websockets-sansio",
            "ws_per_message_deflate": False,
            "server_header": False,
        }
        self._server = uvicorn.Server(
            uvicorn.Config(self._serve, port=port, log_level="warning", lifespan="off", **chosen)
        )

    async def begin(self) -> None:
        self._serving = asyncio.create_task(self._server.serve())
        while not self._server.started:  # noqa: ASYNC110 - uvicorn tells it by nothing else
            await asyncio.sleep(0.05)

    async def _serve(self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Send) -> None:
        if scope["type"] != "websocket":
            return
        await receive()
        await send({"type": "websocket.accept"})
        while (event := await receive())["type"] == "websocket.receive":
            await self._relay(event["text"], send)

    async def _relay(self, question: str, send: Send) -> None:
        message_id, frames, wake = str(uuid4()), deque[bytes](), asyncio.Event()

        def hear(message: Msg) -> None:
            frames.append(message.data)
            wake.set()

        subscription = await tap(self._connection, shown_at(message_id, self._added), hear)
        await self._connection.publish(ASKED, orjson.dumps({**orjson.loads(question), "message_id": message_id}))
        is_over = False
        while not is_over:
            await wake.wait()
            wake.clear()
            while frames:
                frame = frames.popleft()
                is_over = frame.startswith(b'{"type":"end"')
                await send({"type": "websocket.send", "text": frame.decode()})
        await subscription.unsubscribe()


# ---- processes ------------------------------------------------------------------------------------------------------


async def serve(role: str, given: argparse.Namespace) -> None:
    """One of the processes, until it is ended."""
    connection = await connect(given.nats, nkeys_seed_str=sys.stdin.readline().strip())
    parts: dict[str, Callable[[], Worker | Filter | Gateway]] = {
        "inference": lambda: Worker(connection, given.upstream, given.added),
        "filter": lambda: Filter(connection, given.added),
        "gateway": lambda: Gateway(connection, given.port, given.added),
    }
    part = parts[role]()
    await part.begin()
    await connection.flush()
    print("up", flush=True)
    await asyncio.Event().wait()


async def provision(url: str, seed: str) -> None:
    """The platform's own streams, as soon as the broker is there."""
    port = int(url.rpartition(":")[2])
    async with asyncio.timeout(30):
        while not await embedded.is_up(port):  # noqa: ASYNC110 - a server that starts sends nothing
            await asyncio.sleep(0.1)
    connection = await connect(url, nkeys_seed_str=seed)
    await Provisioner(connection, running_per_tenant=8).provision()
    await connection.close()


def start_broker(stack: ExitStack, folder: DataFolder, port: int) -> str:
    """The platform's settings, with one user who may do everything; returns the user's seed."""
    everything = SimpleNamespace(publish=[">"], subscribe=[">"], allow_responses=False)
    secrets = load_or_make(folder.secrets, users=("floor", embedded.SYSTEM_USER), roles=())
    store = folder.nats / "jetstream"
    text = embedded.configuration(port=port, store=store, secrets=secrets, users={"floor": everything})
    path = embedded.write_configuration(folder.nats, text)
    command = [str(Path(sysconfig.get_path("scripts")) / "nats-server"), "-c", str(path)]
    start(stack, command, env=embedded.environment({}), stderr=subprocess.DEVNULL)
    return secrets.nkeys["floor"].seed


def start(stack: ExitStack, command: list[str], **more: Any) -> "subprocess.Popen[str]":
    process = subprocess.Popen(command, text=True, **more)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    return process


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("role", nargs="?", choices=ROLES, help="one process of it; the seed is read from stdin")
    parser.add_argument("--port", type=int, default=21502, help="of the WebSocket; the next one is the broker's")
    parser.add_argument("--upstream", required=True)
    parser.add_argument("--nats", default="")
    names = f"what is added to the way, of {', '.join(ADDED)}"
    parser.add_argument("--with", dest="added", type=lambda text: frozenset(text.split(",")), default="", help=names)
    given = parser.parse_args()
    if given.role:
        uvloop.run(serve(given.role, given))
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    given.nats = f"nats://127.0.0.1:{given.port + 1}"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lumora-floor-")))
        seed = start_broker(stack, DataFolder(folder), given.port + 1)
        uvloop.run(provision(given.nats, seed))
        options = ["--port", str(given.port), "--upstream", given.upstream, "--nats", given.nats]
        options += ["--with", ",".join(given.added)]
        for role in ROLES:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            process = start(stack, [sys.executable, __file__, role, *options], **pipes)
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{seed}\n")
            process.stdin.close()
            if process.stdout.readline() != "up\n":
                sys.exit(f"{role} did not start")
        print("ready", flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
