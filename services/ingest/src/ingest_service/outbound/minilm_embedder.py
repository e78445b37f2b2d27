"""all-MiniLM-L6-v2 in onnxruntime: one model in memory for the whole platform."""

import asyncio
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime

from ingest_service.outbound.giving_way import give_way
from ingest_service.outbound.minilm_model import DIMENSION, NAME
from ingest_service.outbound.minilm_tokenizer import MiniLmTokenizer

MOST_TOKENS: Final = 256
"""Tokens that the model was trained to read; the rest of a longer text is cut."""

QUIET_S: Final = 30.0
"""So long after the last question passages are embedded in one thread alone (ADR 0044)."""


class MiniLmEmbedder:
    """Embeds queries and passages in threads of their own, so that a query never waits behind a document."""

    model = NAME
    dimension = DIMENSION

    def __init__(self, model: Path, *, threads: int = 1) -> None:
        """Load the model.

        Args:
            model: The int8 graph that `build_model` wrote.
            threads: Threads that embed passages while nobody asks; questions have one more.

        Raises:
            FileNotFoundError: The graph was not built yet.
        """
        if not model.exists():
            raise FileNotFoundError(f"{model} is missing: run `python -m ingest_service.build_model`")
        self._session = _session(model)
        self._tokenizer = MiniLmTokenizer()
        # onnxruntime runs a session from several threads at once
        self._query_thread = ThreadPoolExecutor(1, thread_name_prefix="embed-query")
        self._passage_thread = ThreadPoolExecutor(1, thread_name_prefix="embed-passages", initializer=_give_way)
        self._others = [
            ThreadPoolExecutor(1, thread_name_prefix="embed-passages-too", initializer=_give_way)
            for _ in range(threads - 1)
        ]
        self._asked_at = float("-inf")

    def check(self) -> None:
        """It is always there."""

    async def embed_query(self, text: str) -> list[float]:
        (vector,) = await self.embed([text], is_urgent=True)
        return vector

    async def embed(self, texts: Sequence[str], *, is_urgent: bool = False) -> list[list[float]]:
        loop = asyncio.get_running_loop()
        if is_urgent:
            self._asked_at = loop.time()
            return await loop.run_in_executor(self._query_thread, self.embed_now, texts)
        threads = [self._passage_thread]
        # giving way is not enough: with a core of its own free, whoever asks is answered sooner
        if loop.time() - self._asked_at > QUIET_S:
            threads += self._others
        # every other text, so that each thread has as much to do where texts of one length follow each other
        shares = [texts[first :: len(threads)] for first in range(len(threads))]
        done = await asyncio.gather(
            *(
                loop.run_in_executor(thread, self.embed_now, share)
                for thread, share in zip(threads, shares, strict=True)
            )
        )
        return [done[place % len(threads)][place // len(threads)] for place in range(len(texts))]

    def embed_now(self, texts: Sequence[str]) -> list[list[float]]:
        """Vectors of unit length in the order of `texts`; blocks while it works.

        One run a text: on few cores a batch is no faster, and would pad.
        """
        return [self._vector(ids) for ids in self._tokenizer.ids(texts, MOST_TOKENS)]

    def close(self) -> None:
        """Let the threads end; what they are working on is finished first."""
        for thread in (self._query_thread, self._passage_thread, *self._others):
            thread.shutdown()

    def _vector(self, ids: Sequence[int]) -> list[float]:
        (vector,) = self._session.run(None, {"ids": np.array(ids, dtype=np.int64)})
        row: list[float] = vector.tolist()
        return row


def _give_way() -> None:
    """On Linux a thread can; elsewhere the whole service would, and questions with it."""
    if sys.platform == "linux":
        give_way()


def _session(model: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # the arena keeps the memory of the largest batch for ever; without it a run gives its memory back
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.use_device_allocator_for_initializers", "1")
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
