import unicodedata

import pytest

from filter_service.domain.fold import fold, joins_words


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Hello", "hello"),
        ("\uff28\uff25\uff2c\uff2c\uff2f\uff14", "hello4"),
        ("Straße", "strasse"),
        ("ﬁn", "fin"),
        ("ΟΔΟΣ οδος οδοσ", "οδοσ οδοσ οδοσ"),
        ("a\u00a0b\u2003c", "a b c"),
        ("a\u2011b\u2013c\u2014d", "a-b-c-d"),
        ("٤١١١", "4111"),
        ("so\u00adft\u200b\u200d\ufe0f", "soft"),
    ],
)
def test_look_alikes_fold_to_the_same(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize("word", ["résumé", "Ångström", "Việt Nam", "한국어", "がぎぐ", "ñandú"])
def test_composed_and_decomposed_spellings_fold_to_the_same(word: str) -> None:
    assert fold(unicodedata.normalize("NFC", word)) == fold(unicodedata.normalize("NFD", word))


def test_ascii_folds_the_same_with_and_without_company() -> None:
    ascii_text = "".join(map(chr, range(128)))
    assert fold(ascii_text + "é") == fold(ascii_text) + fold("é")


@pytest.mark.parametrize("char", ["a", "9", "_", "\u0301", "я"])
def test_letters_digits_and_marks_join_words(char: str) -> None:
    assert joins_words(char)


@pytest.mark.parametrize("char", [" ", "-", "+", "。", "博", "か", "ไ"])
def test_spaces_punctuation_and_unspaced_scripts_do_not_join_words(char: str) -> None:
    assert not joins_words(char)
