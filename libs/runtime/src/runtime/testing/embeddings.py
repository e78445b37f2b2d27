"""Simulated embeddings for the simulated servers: texts that share words are near. There is no model.

How they behave can ride in the model's name:

    simulated-embed-n128               128 numbers a vector (64, unless said), 3 long: normalising is left to the client
    simulated-embed-f429  -f500  -f503 that status; 429 and 503 say retry-after: 2
    simulated-embed-fstall             silence
    simulated-embed-fdrop              the connection is reset before any answer
    simulated-embed-fgarbage           200 with a page of HTML
    simulated-embed-fdimension         one number too many in each vector
    simulated-embed-fcount             one vector too few
    simulated-embed-fnan               a number that is none (NaN) in the last vector
    simulated-embed-fzero              the last vector is of zeros alone
    simulated-embed-f500-x2            only the first two requests of this name meet the fault

`fault` of the server's `embeddings` overrules the names: a test can take a running server away and bring it back.
"""

import asyncio
import hashlib
import math
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal, cast

from aiohttp import web

EmbedFault = Literal["", "429", "500", "503", "stall", "drop", "garbage", "dimension", "count", "nan", "zero"]
FAMILY: Final = "simulated-embed"
LENGTH: Final = 3.0
_NUMBERS: Final = 64
_PART: Final = re.compile(
    r"-(?:n(?P<numbers>\d+)|x(?P<strikes>\d+)|f(?P<fault>429|500|503|stall|drop|garbage|dimension|count|nan|zero))(?=-|$)"
)
_WORD: Final = re.compile(r"\w+")
Refuse = Callable[[int, str], web.Response]
Reset = Callable[[web.Request], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came."""

    model: str
    texts: tuple[str, ...]
    body: dict[str, object]
    headers: dict[str, str]


@dataclass
class SimulatedEmbeddings:
    """What both protocols share: `answer` gives raw vectors, or the response with which the request fails."""

    fault: EmbedFault | None = None
    asked: list[Asked] = field(default_factory=list)
    _struck: Counter[str] = field(default_factory=Counter)

    async def answer(
        self, request: web.Request, *, refuse: Refuse, reset: Reset
    ) -> list[list[float]] | web.StreamResponse:
        """Vectors in the order of the texts; a response where a fault is what was asked for."""
        body = await request.json()
        model, given = str(body.get("model", "")).removesuffix(":latest"), body.get("input", [])
        texts = (given,) if isinstance(given, str) else tuple(map(str, given))
        if not model.startswith(FAMILY):
            return refuse(404, f'model "{model}" not found, try pulling it first')
        self.asked.append(Asked(model, texts, body, dict(request.headers)))
        traits = {key: value for part in _PART.finditer(model) for key, value in part.groupdict().items() if value}
        numbers = int(body.get("dimensions") or traits.get("numbers", _NUMBERS))
        fault = self._fault(model, traits)
        failed = await _fail(request, fault, refuse, reset)
        return failed or spoiled([vector(text, numbers) for text in texts], fault)

    def _fault(self, model: str, traits: dict[str, str]) -> EmbedFault:
        if self.fault is not None:
            return self.fault
        if self._struck[model] >= int(traits.get("strikes", "1000000000")):
            return ""
        self._struck[model] += 1
        return cast("EmbedFault", traits.get("fault", ""))


def vector(text: str, numbers: int) -> list[float]:
    """The sum of the words' vectors, `LENGTH` long; a text without words has a vector of its own."""
    words = _WORD.findall(text.lower()) or [f"\0{text}"]
    total = [sum(column) for column in zip(*(_of_word(word, numbers) for word in words), strict=True)]
    length = math.sqrt(sum(number * number for number in total)) or 1.0
    return [LENGTH * number / length for number in total]


def spoiled(vectors: list[list[float]], fault: EmbedFault) -> list[list[float]]:
    """The vectors with the fault in them."""
    if fault == "dimension":
        return [[*one, 0.5] for one in vectors]
    if fault == "count":
        return vectors[:-1]
    if fault in {"nan", "zero"} and vectors:
        return [*vectors[:-1], [math.nan if fault == "nan" else 0.0] * len(vectors[-1])]
    return vectors


@lru_cache(maxsize=20_000)
def _of_word(word: str, numbers: int) -> Sequence[float]:
    """Signs drawn from the word's hash: any two words are nearly at a right angle."""
    bits = int.from_bytes(hashlib.shake_256(word.encode()).digest((numbers + 7) // 8))
    return [1.0 if bits >> place & 1 else -1.0 for place in range(numbers)]


async def _fail(request: web.Request, fault: EmbedFault, refuse: Refuse, reset: Reset) -> web.StreamResponse | None:
    if fault == "stall":
        waiting: Awaitable[object] = asyncio.Event().wait()
        await waiting
    if fault == "drop":
        reset(request)
        return web.Response()
    if fault == "garbage":
        return web.Response(text="<html>502 Bad Gateway</html>", content_type="text/html")
    if fault in {"429", "500", "503"}:
        return refuse(int(fault), {"429": "too many requests", "503": "server busy"}.get(fault, "runner terminated"))
    return None
