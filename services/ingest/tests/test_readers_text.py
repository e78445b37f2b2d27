from email.message import EmailMessage

import pytest

from ingest_service.domain import media_types as kinds
from ingest_service.domain.blocks import Kind
from ingest_service.domain.errors import Encrypted
from ingest_service.outbound.readers.grid import SLAB
from services.ingest.tests import made
from services.ingest.tests.test_readers_office import manuscript, shown

PAGE = """<!DOCTYPE html><html><head><title>Returns of tents</title>
<style>p {}</style><script>var a = 1;</script></head>
<body><nav><a href="/">Home</a></nav><h1>Returns <em>of</em> tents</h1>
<p>See <a href="/more">the rules</a>,<br>please.</p>loose <b>words</b>
<ul><li>one<ul><li>inner</li></ul></li><li>two</li></ul><ol start="3"><li>three</li></ol>
<dl><dt>Coffee</dt><dd>black</dd><dd>hot</dd><dt>Milk</dt><dd>white</dd></dl>
<table><caption>Prices</caption><tr><th>item</th><th colspan="2">price</th></tr>
<tr><td rowspan="2">tent</td><td>1</td><td>a</td></tr><tr><td>2</td><td>b</td></tr></table>
<pre>a
  b</pre><p hidden>secret</p><p style="display: none">secret</p><div aria-hidden="true">secret</div></body></html>"""


def test_a_web_page_is_what_its_reader_sees():
    result = manuscript(PAGE.encode())
    assert (result.media_type, result.title) == (kinds.HTML, "Returns of tents")
    assert shown(result) == [
        (Kind.HEADING, "Returns of tents"),
        (Kind.PARAGRAPH, "See the rules,\nplease."),
        (Kind.PARAGRAPH, "loose words"),
        (Kind.LIST, "- one\n  - inner\n- two"),
        (Kind.LIST, "3. three"),
        (Kind.LIST, "- Coffee: black: hot\n- Milk: white"),
        (Kind.PARAGRAPH, "Prices"),
        (Kind.TABLE, "| item | price | price |\n|---|---|---|\n| tent | 1 | a |\n| tent | 2 | b |"),
        (Kind.CODE, "a\n  b"),
    ]


def test_a_list_that_stands_directly_in_another_one_is_said_once():
    page = b"<html><ul><li>one<ul><ul><li>inner</li></ul></ul></li></ul>" + b"<ol><ul><li>deep" * 30
    told = [words for _, words in shown(manuscript(page))]
    assert told[0] == "- one\n    - inner"
    assert told[1].count("deep") == 30


def test_a_term_is_explained_by_terms_that_are_said_once():
    page = b"<html><dl><dt>Tent</dt><dd>For two<dl><dt>Colour</dt><dd>green</dd></dl>Sold out</dd></dl>"
    assert [words for _, words in shown(manuscript(page))] == ["Tent", "For two", "- Colour: green", "Sold out"]


def test_questions_and_answers_in_a_list_of_terms_are_read_as_such():
    page = (
        b"<html><dl><dt>Coffee</dt><dd>black</dd><dt>Are dogs allowed?</dt><dd>No.</dd><dt>Is it far?</dt>"
        b"<dd>Two hours.</dd><dt>Milk</dt><dd>white</dd></dl>"
    )
    assert shown(manuscript(page)) == [
        (Kind.LIST, "- Coffee: black"),
        (Kind.PARAGRAPH, "Are dogs allowed?\nNo."),
        (Kind.PARAGRAPH, "Is it far?\nTwo hours."),
        (Kind.LIST, "- Milk: white"),
    ]


@pytest.mark.parametrize("opened", ["<div>", "<font>", "<ul><li>", "<blockquote>", "<dl><dt>a<dd>", "<table><tr><td>"])
def test_what_follows_hundreds_of_elements_that_are_never_closed_is_read(opened: str):
    page = f"<html><p>First words</p>{f'{opened}item ' * 400}<p>Last words".encode()
    result = manuscript(page)
    assert (result.text.count("item"), "Last words" in result.text, result.notes) == (400, True, ())


def test_what_follows_too_many_elements_in_each_other_is_noted():
    [note] = manuscript(f"<html><p>First words</p>{'<div>' * 3_000}<p>Last words".encode()).notes
    assert "not read" in note.reason


def test_a_table_that_only_arranges_a_page_is_none():
    page = b"<html><table><tr><td><h1>Title</h1><p>Text</p></td><td>"
    page += b"<table><tr><td>a</td><td>b</td></tr></table></td></tr></table>"
    assert [kind for kind, _ in shown(manuscript(page))] == [Kind.HEADING, Kind.PARAGRAPH, Kind.TABLE]


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        ('<meta charset="shift_jis">', "shift_jis"),
        ('<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">', "cp1251"),
        ('<meta charset="utf-8">', "cp1252"),
        ('<meta charset="nonsense">', "utf-8"),
        ("", "utf-16"),
    ],
)
def test_a_web_page_declares_its_encoding(head, encoding):
    words = {"shift_jis": "返品できますか", "cp1251": "Возврат товара"}.get(encoding, "Grüße")
    page = f"<html><head>{head}</head><body><p>{words}</p></body></html>".encode(encoding)
    assert manuscript(page).text == words


def test_xml_is_read_as_records():
    data = b"<?xml version='1.0'?><shops><shop><city>Bern</city><days n='Monday and Friday'/></shop>"
    data += b"<p>Say <b>it</b> so.</p></shops>"
    result = manuscript(data)
    assert (result.media_type, result.text) == (kinds.XML, "city: Bern\nn: Monday and Friday\n\nSay it so.")


def test_a_table_in_text_form_has_its_header():
    data = b'Prices of 2026;;\nitem;price;"days;hours"\ntent;120;30\nstove;60;"14\nor 15"\n'
    result = manuscript(data)
    assert result.media_type == kinds.CSV
    assert shown(result) == [
        (Kind.PARAGRAPH, "Prices of 2026"),
        (Kind.TABLE, "| item | price | days;hours |\n|---|---|---|\n| tent | 120 | 30 |\n| stove | 60 | 14 or 15 |"),
    ]


def test_rows_without_a_header_get_none():
    assert manuscript(b"1\t2\n3\t4\n").text == "| 1 | 2 |\n| 3 | 4 |"


def test_flat_records_are_a_table_and_deeper_ones_are_lines():
    flat = manuscript(b'[{"item": "tent", "price": 120.0}, {"item": "stove", "price": null}]')
    assert flat.text == "| item | price |\n|---|---|\n| tent | 120 |\n| stove |  |"
    deep = manuscript(b'{"shop": {"city": "Bern", "days": ["Mon", "Tue"]}, "empty": "", "open": true}')
    assert deep.text == "shop.city: Bern\nshop.days: Mon\nshop.days: Tue\nopen: TRUE"
    lines = manuscript(b'{"a": {"b": 1}}\n{"a": {"b": 2}}\n')
    assert (lines.media_type, lines.text) == (kinds.JSON_LINES, "a.b: 1\n\na.b: 2")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"item": "tent", "days": [30, 14,}', "line 1, column 34"),
        ('[{"item": "tent"},\n {"item": "stove" "days": 14}]', "line 2, column 19"),
        ('["tent", "stove"\n "lamp"]', "line 2, column 2"),
        ('{"item":' * 3_000 + "1" + "}" * 3_000, "nested too deeply"),
        ("[" * 100_000 + "1" + "]" * 100_000, "nested too deeply"),
        ('{"item": "Tent", "number": ' + "9" * 5_000 + "}", "a number of more than 4,300 digits"),
    ],
)
def test_json_that_is_none_is_text_and_says_so(text, fault):
    result = manuscript(text.encode())
    assert result.text == text
    assert [fault in note.reason for note in result.notes] == [True]


@pytest.mark.parametrize(
    "text", ["[Draft] Returns\n\n[1] Within 30 days.", "{name}, your tent is here.", "[[Tents]] are rooms of cloth."]
)
def test_a_text_that_begins_with_a_bracket_is_no_broken_json(text):
    assert manuscript(text.encode()).notes == ()


def test_a_line_that_is_no_json_stands_as_it_is_behind_the_others():
    deep = '{"a":' * 3_000 + "1" + "}" * 3_000
    result = manuscript(f'{{"item": "tent"}}\n{{"item": "stove"}}\n{deep}\n{{"item": "lamp"}}\n{{"item": "la'.encode())
    assert result.text == f'| item |\n|---|\n| tent |\n| stove |\n| lamp |\n\n{deep}\n\n{{"item": "la'
    assert [note.reason for note in result.notes] == ["Lines that are no JSON were read as plain text: 2 (3, 5)."]


def test_subtitles_are_what_is_said():
    data = (
        b"WEBVTT\n\nNOTE not this\n\n1\n00:01.000 --> 00:02.000\n<v Ann>Hello &amp; welcome</v>\n\n"
        b"00:02.000 --> 00:03.000\n<v Ann>to <i>Bern</i>.\n\n00:03.000 --> 00:04.000\nNobody's words\n"
    )
    assert manuscript(data).text == "Ann: Hello & welcome to Bern.\n\nNobody's words"


def test_rich_text_is_read():
    result = manuscript(rb"{\rtf1\ansi\ansicpg1252 {\b Returns}\par Gr\'fc\'dfe within \u8364? 30 days.\par}")
    assert result.media_type == kinds.RTF
    assert result.text == "Returns\n\nGrüße within € 30 days."


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        (r"Open {\v secret {\b word} more }now.", "Open now."),
        (r"Open \v secret \b word\b0\v0 now.", "Open now."),
        (r"Open {\b \v secret} now.", "Open now."),
        (r"{\v secret\par}\v word\par\plain Open {\v0 now}.", "Open now."),
        (r"Open \deleted ten \'fc\u8364?\emdash\deleted0 {\deleted {\v0 nine}}now.", "Open now."),
        (r"Open \viewkind4 now{\v \{secret\}}.", "Open now."),
        (r"Open \u-10179?\u-8704? now.", "Open \U0001f600 now."),
    ],
)
def test_words_of_rich_text_that_are_hidden_or_deleted_are_left_out(written, seen):
    assert " ".join(manuscript(rf"{{\rtf1\ansi {written}}}".encode()).text.split()) == seen


def test_a_book_is_read_in_the_order_of_its_spine():
    result = manuscript(
        made.book("<html><body><h1>Two</h1><p>b</p></body></html>", "<html><h1>One</h1><p>a</p></html>")
    )
    assert (result.media_type, result.title, result.text) == (kinds.EPUB, "The book", "One\n\na\n\nTwo\n\nb")


def letter() -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = "Zelt zurück"
    message["From"] = "Ann <ann@example.com>"
    message["To"] = "shop@example.com"
    message["Date"] = "Tue, 01 Oct 2024 12:34:56 -0500"
    return message


def test_a_letter_says_who_wrote_what_and_names_attachments():
    message = letter()
    message.set_content("Grüße.\n\nBring:\n- a tent\n", charset="iso-8859-1")
    message.add_alternative("<p>not this</p>", subtype="html")
    message.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename="bill.pdf")
    result = manuscript(message.as_bytes())
    assert (result.media_type, result.title) == (kinds.EMAIL, "Zelt zurück")
    assert shown(result) == [
        (Kind.HEADING, "Zelt zurück"),
        (Kind.PARAGRAPH, "From: Ann <ann@example.com>\nTo: shop@example.com\nDate: Tue, 01 Oct 2024 12:34:56 -0500"),
        (Kind.PARAGRAPH, "Grüße."),
        (Kind.PARAGRAPH, "Bring:"),
        (Kind.LIST, "- a tent"),
    ]
    assert "bill.pdf" in result.notes[0].reason


def test_a_letter_without_plain_text_is_read_from_its_page():
    message = letter()
    message.set_content("<h2>Hello</h2><p>web</p>", subtype="html")
    assert manuscript(message.as_bytes()).text.endswith("Hello\n\nweb")


@pytest.mark.parametrize("charset", ["no-such-charset", "ascii"])
def test_a_letter_with_a_false_charset_is_read_all_the_same(charset):
    data = f"From: a@example.com\nSubject: Hi\nContent-Type: text/plain; charset={charset}\n\nGrüße".encode()
    assert manuscript(data).text.endswith("Grüße") or "\ufffd" in manuscript(data).text


@pytest.mark.parametrize(
    "data",
    [
        b"From: a@example.com\nSubject: Hi\nContent-Type: application/pkcs7-mime\n\nMIIB",
        b"From: a@example.com\nSubject: Hi\n\n-----BEGIN PGP MESSAGE-----\n\nabc",
    ],
)
def test_an_encrypted_letter_says_so(data):
    with pytest.raises(Encrypted):
        manuscript(data)


def test_a_long_table_has_its_header_again_in_each_part():
    rows = [f"tent {number},{number}" for number in range(SLAB * 2 + 7)]
    result = manuscript("\n".join(["name,price", *rows]).encode())
    assert [kind for kind, _ in shown(result)] == [Kind.TABLE] * 3
    assert all(text.startswith("| name | price |\n|---|---|\n| tent ") for _, text in shown(result))
    assert [row for row in rows if f"| {row.replace(',', ' | ')} |" not in result.text] == []
    assert all(len(block.units) < SLAB for block in result.blocks)


def test_a_table_after_a_gap_has_no_header_of_the_one_before():
    rows = [*(f"{number},{number}" for number in range(SLAB)), "", "a,b", "1,2"]
    tables = [text for _, text in shown(manuscript("\n".join(rows).encode()))]
    assert [table.splitlines()[0] for table in tables] == ["| 0 | 0 |", "| a | b |"]


@pytest.mark.parametrize("data", [b"<!---->" * 9_000 + b"x", b"**a " * 100_000, b"](a" * 100_000, b"<a" * 100_000])
def test_telling_a_kind_takes_time_in_proportion(data):
    assert manuscript(data).text


def test_subtitles_of_a_player_are_what_is_said():
    cues = b"1\r\n00:00:01,000 --> 00:00:03,000\r\nWelcome to <i>the shop</i>.\r\n\r\n"
    result = manuscript(cues + b"2\r\n00:00:03,500 --> 00:00:06,000\r\nReturns take\r\n30 days.\r\n")
    assert result.media_type == kinds.SRT
    assert shown(result) == [(Kind.PARAGRAPH, "Welcome to the shop. Returns take 30 days.")]
