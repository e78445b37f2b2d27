import asyncio
import sys
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from ingest_service import build_model
from ingest_service.outbound import minilm_embedder, minilm_model
from ingest_service.outbound.minilm_embedder import MiniLmEmbedder
from ingest_service.outbound.minilm_tokenizer import MiniLmTokenizer
from services.ingest.tests.claim import Claim


@pytest.fixture(scope="module")
def embedder() -> Iterator[MiniLmEmbedder]:
    path = minilm_model.built_model_path()
    if not path.exists():
        minilm_model.build(path)
    embedder = MiniLmEmbedder(path)
    yield embedder
    embedder.close()


def test_nearness_is_that_of_the_published_model(embedder):
    texts = ["How do I get a refund?", "Customers may return any item within 30 days.", "The cat sat on the mat."]
    vectors = np.array(embedder.embed_now(texts))
    near = vectors @ vectors.T
    assert np.allclose(np.diag(near), 1.0, atol=1e-5)
    # fp32 gives 0.370 and 0.015; eight bits may move them a little
    assert near[0, 1] == pytest.approx(0.370, abs=0.02)
    assert near[0, 2] == pytest.approx(0.015, abs=0.02)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7])
async def test_threads_share_the_texts_and_keep_their_order(embedder, count):
    texts = [f"Tent number {number} sleeps {number + 2}." for number in range(count)]
    shared = MiniLmEmbedder(minilm_model.built_model_path(), threads=3)
    assert await shared.embed(texts) == embedder.embed_now(texts)
    shared.close()


async def test_who_asks_has_the_other_cores(monkeypatch: pytest.MonkeyPatch):
    def at_work() -> int:
        return sum(thread.name.startswith("embed-passages-too") for thread in threading.enumerate())

    shared = MiniLmEmbedder(minilm_model.built_model_path(), threads=3)
    await shared.embed_query("a question")
    await shared.embed(["one", "two", "three"])
    assert at_work() == 0
    monkeypatch.setattr(minilm_embedder, "QUIET_S", -1.0)
    await shared.embed(["one", "two", "three"])
    assert at_work() == 2
    shared.close()
    assert at_work() == 0


def test_company_moves_no_vector(embedder):
    texts = ["word " * length for length in (300, 1, 40, 7, 120, 2, 250, 90)] * 3
    together = embedder.embed_now(texts)
    assert together == [embedder.embed_now([text])[0] for text in texts]
    assert len({tuple(vector) for vector in together}) == 8
    assert embedder.embed_now([]) == []
    assert np.isfinite(embedder.embed_now([""])).all()


def test_tokens_are_counted_without_marks():
    tokenizer = MiniLmTokenizer()
    assert tokenizer.count_tokens(["money", "the money", ""]) == [1, 2, 0]
    assert tokenizer.count_tokens(["word " * 400]) == [400]


async def test_the_loop_runs_on(embedder):
    assert await embedder.embed_query("one") == embedder.embed_now(["one"])[0]
    ticks = 0
    working = asyncio.create_task(embedder.embed(["many words are here " * 40] * 64))
    while not working.done():
        await asyncio.sleep(0.001)
        ticks += 1
    assert ticks > 3
    assert len(await working) == 64


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads have no niceness of their own")
async def test_documents_give_way_to_questions(embedder):
    await asyncio.gather(embedder.embed(["a passage"]), embedder.embed_query("a question"))
    ours = Claim.of(0)
    of_passages, of_questions = (
        Claim.of(thread.native_id)
        for name in ("embed-passages", "embed-query")
        for thread in threading.enumerate()
        if thread.name.startswith(name) and thread.native_id is not None
    )
    assert of_passages.gives_way_to(ours)
    assert of_questions == ours


def test_building_again_does_nothing(embedder, capsys):
    path = minilm_model.built_model_path()
    before = path.stat().st_mtime_ns
    assert build_model.main() == 0
    assert path.stat().st_mtime_ns == before
    assert capsys.readouterr().out.count("\n") == 1


def test_other_weights_are_refused(tmp_path, monkeypatch):
    false = tmp_path / "model.safetensors"
    false.write_bytes(b"not the weights")
    monkeypatch.setattr(minilm_model, "model_file", lambda _name: false)
    with pytest.raises(minilm_model.ModelFilesMissing, match="hash"):
        minilm_model.build(tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()


def test_a_model_that_was_not_built_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="build_model"):
        MiniLmEmbedder(tmp_path / "none.onnx")
