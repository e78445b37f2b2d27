"""The split and reading of Ollama's lines."""

import itertools
import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_service.domain.errors import ModelBroken
from inference_service.domain.model import End
from inference_service.outbound.ollama_lines import OllamaLines


def line(content: str, *, done: bool = False, **more: object) -> bytes:
    message = {"role": "assistant", "content": content}
    return json.dumps({"model": "m", "message": message, "done": done, **more}).encode() + b"\n"


@given(texts=st.lists(st.text(min_size=1), max_size=8), cuts=st.lists(st.integers(0, 2000), max_size=8))
def test_any_cutting_of_the_bytes_gives_the_same_text(texts: list[str], cuts: list[int]) -> None:
    texts = [orjson.loads(orjson.dumps(text.encode(errors="replace").decode())) for text in texts]
    data = b"".join(map(line, texts)) + line("", done=True, done_reason="stop", prompt_eval_count=3, eval_count=4)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    lines = OllamaLines()
    got = [text for a, b in itertools.pairwise(edges) for text in lines.feed(data[a:b])]
    assert got == texts
    assert lines.end(99) == End("stop", 3, 4, estimated=False)


def test_a_last_line_without_a_line_break_counts() -> None:
    lines = OllamaLines()
    assert lines.feed(line("a") + line("b", done=True)[:-1]) == ("a",)
    assert lines.last is None
    assert lines.close() == ("b",)
    assert lines.end(7) == End("stop", 7, 2, estimated=True)


def test_what_follows_the_end_is_ignored() -> None:
    lines = OllamaLines()
    assert lines.feed(line("a", done=True) + b"garbage\n" + line("b")) == ("a",)


@pytest.mark.parametrize(
    "bad",
    [
        b"{\n",
        b"[]\n",
        b"null\n",
        b'"text"\n',
        b'{"done":false}\n',
        b'{"message":{"content":"x"}}\n',
        b'{"message":{"content":1},"done":false}\n',
        b'{"message":{"content":"\xff"},"done":false}\n',
        b"{" * (2 << 20),
    ],
)
def test_a_line_that_is_no_chat_message_breaks_the_stream(bad: bytes) -> None:
    with pytest.raises(ModelBroken):
        OllamaLines().feed(bad)


def test_an_error_line_is_told_in_the_servers_words() -> None:
    with pytest.raises(ModelBroken, match="error in the stream: out of memory"):
        OllamaLines().feed(b'{"error":"out of memory"}\n')


@pytest.mark.parametrize("reason", ["load", "unload"])
def test_a_model_that_was_only_loaded_did_not_answer(reason: str) -> None:
    with pytest.raises(ModelBroken):
        OllamaLines().feed(line("", done=True, done_reason=reason))
