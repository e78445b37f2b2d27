import pytest

from ingest_service.outbound import minilm_tokenizer
from ingest_service.outbound.minilm_tokenizer import MiniLmTokenizer

TEXTS = [
    "You may return an unused item within 30 days of delivery, with its bill. " * 20,
    "",
    "word",
    "Rückgabe und Umtausch: innerhalb von 30 Tagen. " * 10,
    "您可以在30天内退货。" * 40,
    *(f"entry {n}" for n in range(50)),
]


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> MiniLmTokenizer:
    monkeypatch.setattr(minilm_tokenizer, "AT_A_TIME", 150)
    return MiniLmTokenizer()


def test_texts_in_parts_have_as_many_tokens_as_whole_ones(counter: MiniLmTokenizer):
    whole = [len(encoding) for encoding in counter._tokenizer.encode_batch_fast(TEXTS, add_special_tokens=False)]
    assert counter.count_tokens(TEXTS) == whole


def test_never_more_is_encoded_at_a_time_than_memory_is_meant_for(counter: MiniLmTokenizer, monkeypatch):
    encode, sizes = counter._encode, []

    def encoded(texts):
        sizes.append(sum(map(len, texts)))
        return encode(texts)

    monkeypatch.setattr(counter, "_encode", encoded)
    counter.count_tokens([*TEXTS, "x" * 1_000])
    assert max(sizes) <= 150


def test_nothing_has_no_tokens(counter: MiniLmTokenizer):
    assert counter.count_tokens([]) == []
    assert counter.count_tokens([""]) == [0]
