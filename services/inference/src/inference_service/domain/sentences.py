"""A passage as the statements that can be quoted from it, in reading order, without markup.

A statement is a sentence, a list item or short list with the line that introduces it, or a table row with its column
names. What it depends on to be understood (headings, the line above a list, a question it answers) is its context.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from inference_service.domain import marks, titles


@dataclass(frozen=True, slots=True)
class Sentence:
    """One statement.

    Attributes:
        text: what may be shown.
        context: what stands above it: headings, the line that introduces a list, the question it answers.
        before: the statement that it refers back to (`It costs 9 €.`), without which it says little; else empty.
        is_title: it is a title of what follows, which tells a quantity.
        is_entry: it is a row of a table, or an item that says something of what it names (`Helmet: 4 €`).
    """

    text: str
    context: str = ""
    before: str = ""
    is_title: bool = False
    is_entry: bool = False


_WHOLE_LIST: Final = 360
"""Characters up to which a list is one statement: longer ones are quoted item by item."""

_PAIR: Final = 2
"""Filled cells of a row that holds a question and its answer."""

_WRAPPED: Final = 60
"""Characters of a line from which on a paragraph counts as wrapped; lines of a shorter block are facts of their own."""

_SHORT_REPLY: Final = 12
"""Characters: `Yes.` or `No, sorry.` is shown with what follows it."""

_CLAUSE: Final = 80
"""Characters: Thai and Lao end no sentence with a mark, so clauses are put together up to about a sentence."""

_LOOKED_BACK: Final = 40
"""Characters around a mark that tell whether it ends a sentence."""

_HEADING: Final = re.compile(r"^\s{0,3}#{1,6}\s+(.*?)(?:\s+#+)?\s*$")
_BOLD_LINE: Final = re.compile(r"^\s*(?:\*\*|__)(.+?)(?:\*\*|__)\s*:?\s*$")
_UNDERLINE: Final = re.compile(r"^\s*(?:=+|-{2,})\s*$")
_TABLE_RULE: Final = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*$")
_CELL_END: Final = re.compile(r"(?<!\\)\|")
_FENCE: Final = re.compile(r"^\s*(?:```|~~~)")
_LINK: Final = re.compile(r"!?\[([^\[\]]{0,300})\]\([^()\s]{0,500}(?:\s+\"[^\"]{0,300}\")?\)")
_FOOTNOTE: Final = re.compile(r"\s?\[\^?\d{1,3}\]")
"""Notes of the document itself: quoted, they would read as our own citations."""
_STRONG: Final = re.compile(r"(\*\*|`|~~)(?=\S)(.{1,300}?)(?<=\S)\1")
_EMPHASIS: Final = re.compile(r"(?<!\w)(__|\*)(?=\S)(.{1,300}?)(?<=\S)\1(?!\w)")
_TAG: Final = re.compile(r"</?[a-zA-Z][^>]{0,200}>|<!--.*?-->")
_CLAUSES: Final = re.compile("(?<=[\u0e00-\u0eff])\\s+(?=[\u0e00-\u0eff])")


def sentences(text: str, heading: str = "") -> list[Sentence]:
    """Return the statements of a passage in reading order; questions are only context, and headings but for a quantity.

    `heading` is what stands above the passage and is no part of its text.
    """
    found: list[Sentence] = []
    lead = ""
    for kind, lines in _blocks(text):
        if kind == "heading":
            above, heading, lead = heading, _plain(lines[0]), ""
            found += _told(heading, above)
        elif kind == "table":
            found += _rows(lines, _join(heading, lead))
        elif kind == "list":
            found += _items(lines, heading, lead)
            lead = ""
        else:
            lead = _paragraph(lines, heading, found)
    return [sentence for sentence in found if any(map(str.isalnum, sentence.text))]


def told_titles(above: str) -> list[Sentence]:
    """Return those headings above a passage that say something by themselves: they may be the answer."""
    return [told for start, end in titles.title_places(above) for told in _told(_plain(above[start:end]))]


def _told(title: str, context: str = "") -> list[Sentence]:
    says = titles.tells_quantity(title) or titles.is_statement(title)
    return [Sentence(title, context, is_title=True)] if says else []


def split_sentences(text: str) -> list[str]:
    """Cut running text at the ends of its sentences; joined with spaces it is the text again, save white space."""
    cut: list[str] = []
    start = 0
    for stop in marks.STOP.finditer(text):
        before = text[max(start, stop.end() - _LOOKED_BACK) : stop.end()]
        after = text[stop.end() : stop.end() + _LOOKED_BACK].lstrip()
        if _ends_sentence(before, after, stop.group()):
            cut.append(text[start : stop.end()].strip())
            start = stop.end()
    rest = text[start:].strip()
    return [part for sentence in [*cut, rest] if sentence for part in _by_clauses(sentence)]


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Return where the sentences of running text begin and end in it, in characters."""
    spans: list[tuple[int, int]] = []
    at = 0
    for sentence in split_sentences(text):
        # Clauses may be put together with other white space than they had: only the rest is compared.
        start = at = _next_sign(text, at)
        for _ in "".join(sentence.split()):
            at = _next_sign(text, at) + 1
        spans.append((start, at))
    return spans


def _next_sign(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _ends_sentence(before: str, after: str, mark: str) -> bool:
    if mark[0] in marks.ALWAYS_STOPS or not after:
        return True
    if after[0].islower():
        return False
    if mark[0] != ".":
        return True
    if mark.rstrip(marks.CLOSING) == "." and marks.INITIAL.search(before) and len(before) > len("A."):
        return False
    last = before[: -len(mark)].rsplit(maxsplit=1)
    word = last[-1].lstrip(marks.OPENING).lower() if last else ""
    if word in marks.ABBREVIATIONS:
        return word in marks.MAY_END and after[0].isupper()
    return not (marks.ORDINAL.search(before) and marks.NOT_AFTER_ORDINAL.match(after))


def _by_clauses(sentence: str) -> Iterator[str]:
    """Give Thai and Lao back in parts of about a sentence, everything else whole."""
    held = ""
    for clause in _CLAUSES.split(sentence):
        held = f"{held} {clause}" if held else clause
        if len(held) >= _CLAUSE:
            yield held
            held = ""
    if held:
        yield held


def _blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    """Give the blocks of a text as (heading | table | list | paragraph, lines)."""
    held: list[str] = []
    kind = "paragraph"
    for line in _TAG.sub(" ", text).splitlines():
        is_under = bool(_UNDERLINE.match(line)) and kind == "paragraph" and len(held) == 1
        new = "heading" if is_under else _kind(line, kind if held else "")
        if is_under:
            yield "heading", held
            held = []
        elif new == "heading":
            if held:
                yield _settled(kind, held, is_last=False), held
            yield "heading", [_title(line)]
            held = []
        elif new == "blank":
            if held:
                yield _settled(kind, held, is_last=False), held
            held = []
        elif new != kind and held:
            yield _settled(kind, held, is_last=False), held
            held, kind = [line], new
        else:
            held.append(line)
            kind = new
    if held:
        yield _settled(kind, held, is_last=True), held


def _kind(line: str, open_kind: str) -> str:
    """Say what a line is, given the kind of the block it would continue."""
    if not line.strip() or _FENCE.match(line) or (_UNDERLINE.match(line) and open_kind != "table"):
        return "blank"
    if _HEADING.match(line) or _BOLD_LINE.match(line):
        return "heading"
    if line.count("|") > 1 or (open_kind == "table" and "|" in line):
        return "table"
    if marks.LIST_ITEM.match(line):
        return "list"
    return "list" if open_kind == "list" and line[:1].isspace() else "paragraph"


def _settled(kind: str, lines: list[str], *, is_last: bool) -> str:
    """Take a single short line without an end mark for a heading of what follows, as plain text has them."""
    line = lines[0].strip()
    if kind == "paragraph" and len(lines) == 1 and not is_last and len(line) <= _WRAPPED:
        has_end = line.endswith(marks.LINE_ENDS)
        return "paragraph" if has_end or ": " in line or titles.is_statement(line) else "heading"
    return kind


def _title(line: str) -> str:
    match = _HEADING.match(line) or _BOLD_LINE.match(line)
    return match.group(1) if match else line


def _plain(text: str) -> str:
    """Take the inline markup away and make white space single."""
    text = _FOOTNOTE.sub("", _LINK.sub(r"\1", text))
    text = _EMPHASIS.sub(r"\2", _STRONG.sub(r"\2", text))
    return " ".join(marks.FAQ_MARK.sub("", text.lstrip("> ")).split())


def _join(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _paragraph(lines: list[str], heading: str, found: list[Sentence]) -> str:
    """Add a paragraph's sentences; return its last one when that introduces what follows."""
    plain = [_plain(line) for line in lines]
    if len(plain) > 1 and all(len(line) < _WRAPPED for line in plain) and not any(map(_is_running, plain[:-1])):
        found += _short_lines(plain, heading)
        return ""
    asked = lead = reply = before = ""
    for sentence in split_sentences(_unwrapped(plain)):
        if sentence.endswith(marks.QUESTION_ENDS):
            asked = sentence
        elif sentence.endswith(marks.LEAD_ENDS):
            lead = sentence
        elif len(sentence) < _SHORT_REPLY and not reply and (asked or heading.endswith(marks.QUESTION_ENDS)):
            reply = sentence
        else:
            whole = _join(reply, sentence)
            refers = bool(before) and marks.REFERS_BACK.match(sentence)
            found.append(Sentence(whole, _join(heading, asked), before if refers else ""))
            reply, before = "", whole
    if reply:
        found.append(Sentence(reply, _join(heading, asked)))
    return lead or asked


def _is_running(line: str) -> bool:
    """Whether a line ends as one that goes on, or ends a sentence: then its block is running text."""
    return line.endswith(marks.RUNNING_ENDS) or not (line[0].isupper() or line[0].isdigit())


def _unwrapped(lines: list[str]) -> str:
    """Put wrapped lines together, without a space between two Chinese or Japanese characters."""
    return re.sub("(?<=[\u3000-\u9fff\uff00-\uffef]) (?=[\u3000-\u9fff\uff00-\uffef])", "", " ".join(lines))


def _short_lines(lines: list[str], heading: str) -> list[Sentence]:
    whole = "; ".join(line.rstrip(";.") for line in lines) + "."
    if len(whole) <= _WHOLE_LIST:
        return [Sentence(whole, heading)]
    return [Sentence(line, heading) for line in lines]


def _items(lines: list[str], heading: str, lead: str) -> list[Sentence]:
    """Return a list as one statement when it is short and belongs together, else item by item."""
    items: list[str] = []
    first = marks.LIST_ITEM.match(lines[0])
    is_ordered = bool(first and first.group(1))
    for line in lines:
        if marks.LIST_ITEM.match(line):
            items.append(_plain(marks.LIST_ITEM.sub("", line)))
        elif items:
            items[-1] = _join(items[-1], _plain(line))
    shown_lead = "" if lead.endswith(marks.QUESTION_ENDS) else lead
    if not lead and heading and not any(marks.is_fact(item) for item in items):
        innermost = heading.rpartition(" > ")[2]
        shown_lead = innermost if innermost.endswith(marks.QUESTION_ENDS) else f"{innermost}:"
    numbered = [f"{n}. {item}" for n, item in enumerate(items, 1)] if is_ordered else [i.rstrip(";,.") for i in items]
    whole = _join(shown_lead, " ".join(numbered) if is_ordered else "; ".join(numbered) + ".")
    if (shown_lead or is_ordered) and len(whole) <= _WHOLE_LIST:
        return [Sentence(whole, heading)]
    return [
        Sentence(_join(shown_lead, item), _join(heading, lead), is_entry=marks.ENTRY.match(item) is not None)
        for item in items
    ]


def _rows(lines: list[str], heading: str) -> Iterator[Sentence]:
    """Give each table row as `first cell: column value, column value`, one that answers a question as its answer."""
    cells = [
        [_plain(cell.replace("\\|", "|")) for cell in _CELL_END.split(line.strip().removeprefix("|").removesuffix("|"))]
        for line in lines
        if not _TABLE_RULE.match(line)
    ]
    has_header = len(lines) > 1 and bool(_TABLE_RULE.match(lines[1]))
    names = cells[0] if has_header else []
    for row in cells[1:] if has_header else cells:
        if row[0].endswith(marks.QUESTION_ENDS) and len(list(filter(None, row))) == _PAIR:
            yield Sentence("".join(row[1:]), _join(heading, row[0]), is_entry=True)
            continue
        named = [_join(name, value) for name, value in zip(names[1:], row[1:], strict=False) if value] or row[1:]
        said = f"{row[0]}: {', '.join(named)}." if row[0] else f"{', '.join(named)}."
        yield Sentence(said, heading, is_entry=True)
