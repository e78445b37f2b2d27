import pytest

from filter_service.domain.judge import Judge, prepare
from filter_service.domain.policy import Policy


def wide(text: str) -> str:
    """The full-width look-alikes of ASCII characters."""
    return "".join(chr(ord(char) + 0xFEE0) for char in text)


def shown(text: str, *terms: str) -> str:
    judge = Judge(prepare(Policy(terms=terms, cards_action="off")))
    return judge.feed(text) + judge.close()


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("acme", "ACME"),
        ("Acme", "acme"),
        ("résumé", "Re\u0301sume\u0301"),
        ("re\u0301sume\u0301", "RÉSUMÉ"),
        ("acme", wide("ACME")),
        ("straße", "STRASSE"),
        ("foo bar", "foo \n\t  bar"),
        ("foo\n bar", "foo bar"),
        ("c++", "C++"),
        ("rock'n'roll", "Rock'n'Roll"),
        ("e-mail", "e\u2011mail"),
        ("$$$", "$$$"),
        ("acme", "ac\u200bme"),
        ("हिन्दी", "हिन्दी"),
    ],
)
def test_a_term_is_found_however_it_is_written(term: str, text: str) -> None:
    assert shown(f"an {text}, here", term) == "an [redacted], here"
    assert shown(text, term) == "[redacted]"


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("acme", "acmes"),
        ("acme", "xacme"),
        ("acme", "acme_id"),
        ("acme", "acme1"),
        ("resume", "resumé"),
        ("resume", "resume\u0301"),
        ("foo bar", "foobar"),
        ("foo bar", "foo, bar"),
        ("हिन्द", "हिन्दी"),
        ("acme", "acm"),
        ("ass", "class assume bass"),
    ],
)
def test_a_part_of_a_word_is_no_term(term: str, text: str) -> None:
    assert shown(text, term) == text


def test_scripts_without_spaces_have_no_word_boundaries() -> None:
    assert shown("他喜欢赌博吗", "赌博") == "他喜欢[redacted]吗"
    assert shown("我用acme。", "acme") == "我用[redacted]。"


def test_the_longest_term_of_a_place_is_taken() -> None:
    assert shown("foo bar foo baz", "foo", "foo bar") == "[redacted] [redacted] baz"


def test_terms_that_overlap_are_redacted_as_one() -> None:
    assert shown("a b c d", "a b", "b c") == "[redacted] d"
    assert shown("$$$ x", "$$") == "[redacted] x"


def test_terms_that_touch_are_redacted_each() -> None:
    assert shown("赌博赌博", "赌博") == "[redacted][redacted]"


def test_a_term_spread_beyond_the_window_is_no_match() -> None:
    judge = Judge(prepare(Policy(terms=("foo bar",), window_chars=40)))
    text = "foo" + " " * 34 + "bar"
    assert judge.feed(text) + judge.close() == "[redacted]"
    judge = Judge(prepare(Policy(terms=("foo bar",), window_chars=40)))
    text = "foo" + " " * 35 + "bar"
    assert judge.feed(text) + judge.close() == text


def test_a_ligature_is_taken_whole_or_not_at_all() -> None:
    assert shown("aﬁ", "af") == "aﬁ"
    assert shown("½", "1") == "½"
    assert shown("…", "..") == "…"
    assert shown("ﬁn", "fin") == "[redacted]"
