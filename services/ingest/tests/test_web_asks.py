import pytest

from ingest_service.domain.web_asks import LOOKED_AT, asks_of

NEITHER, BOTH = (False, False), (True, True)


@pytest.mark.parametrize(
    ("header", "asks"),
    [
        ([], NEITHER),
        (["noindex"], (True, False)),
        (["NoIndex , NOFOLLOW"], BOTH),
        (["none"], BOTH),
        (["all", "index, follow"], NEITHER),
        (["otherbot: noindex, nofollow"], NEITHER),
        (["otherbot: noindex, lumorabot: nofollow"], (False, True)),
        (["LumoraBot: none"], BOTH),
        (["unavailable_after: 25 Jun 2030 15:00:00 PST, noindex"], (True, False)),
        (["max-snippet: -1, nofollow"], (False, True)),
        (["googlebot: nofollow", "noindex"], (True, False)),
        ([":", ",,", ""], NEITHER),
    ],
)
def test_what_a_header_asks(header, asks):
    assert asks_of(b"<p>Text</p>", header) == asks


@pytest.mark.parametrize(
    ("head", "asks"),
    [
        ('<meta name="robots" content="noindex">', (True, False)),
        ("<META CONTENT='nofollow,noindex' NAME='Robots'/>", BOTH),
        ('<meta name="lumorabot" content="noindex">', (True, False)),
        ('<meta name="googlebot" content="noindex"><meta name="description" content="noindex">', NEITHER),
        ('<!-- <meta name="robots" content="noindex"> -->', NEITHER),
        ("<script>\"<meta name='robots' content='noindex'>\"</script>", NEITHER),
        ('<meta name="robots"><meta content="noindex">', NEITHER),
        ('<![foo[ a ]]><![ b> <![1]><![if !mso]><meta name="robots" content="noindex">', (True, False)),
    ],
)
def test_what_a_page_asks(head, asks):
    assert asks_of(f"<!doctype html><html><head>{head}</head><body>Text</body></html>".encode()) == asks


@pytest.mark.parametrize(
    "data", [b"\x00\xff<meta", b"%PDF-1.7 <meta name=robots content=noin", b"<meta" * 90_000, b"<meta><![x"]
)
def test_no_bytes_break_it(data):
    assert asks_of(data) == NEITHER
    assert len(data) < 2 * LOOKED_AT
