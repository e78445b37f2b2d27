"""Texts that do not say their encoding. `bench/encodings.py` measures more of them, and pieces of every length."""

import pytest

from ingest_service.domain import national
from ingest_service.domain.encoding import decode, guess_of
from ingest_service.outbound.readers import read
from services.ingest.tests.national_texts import cases


@pytest.mark.parametrize(
    ("language", "encoding", "text"), [pytest.param(*case, id="-".join(case[:2])) for case in cases()]
)
def test_a_text_is_read_in_the_encoding_it_was_written_in(language, encoding, text):
    assert decode(text.encode(encoding)) == text
    # half of it is enough
    half = text[: len(text) // 2]
    assert decode(half.encode(encoding)) == half, language


@pytest.mark.parametrize("text", ["café", "Grüße aus Zürich", "naïve", "Ça va ?", "à", "30 € señor"])
def test_a_western_word_or_two_stay_western(text):
    assert decode(text.encode("cp1252")) == text


def test_what_comes_after_much_ascii_is_looked_at():
    text = (
        "A line without accents.\n" * 5_000
        + "Zboží můžete vrátit do třiceti dnů od doručení a peníze vám pošleme zpět."
    )
    assert decode(text.encode("cp1250")) == text


def test_a_character_cut_at_the_end_of_the_sample_does_not_matter(monkeypatch):
    text = "返品できますか。" * 50
    for length in (101, 102):
        monkeypatch.setattr(national, "LOOKED_AT", length)
        assert decode(text.encode("shift_jis")) == text


def test_a_guess_is_said():
    data = "Zboží můžete vrátit do třiceti dnů od doručení.".encode("cp1250")
    (note,) = read(data, lambda _done, _of: None).notes
    assert "Windows-1250" in note.reason
    assert guess_of("Grüße aus Zürich".encode("cp1252")) == "Windows-1252"


@pytest.mark.parametrize("data", ["Grüße".encode(), "Grüße".encode("utf-16"), b"plain"])
def test_what_is_told_is_no_guess(data):
    assert guess_of(data) is None
    assert read(data + b"", lambda _done, _of: None).notes == ()
