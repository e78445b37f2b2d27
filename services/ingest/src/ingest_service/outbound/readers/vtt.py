"""Subtitles, WebVTT and SRT: who says what, without times and styles."""

import re
from html import unescape
from itertools import groupby
from typing import Final

from ingest_service.domain.encoding import decode
from ingest_service.domain.manuscript import Composer, Manuscript
from ingest_service.domain.text_kinds import kind_of_text
from ingest_service.outbound.readers.ports import Say

_SILENT: Final = ("NOTE", "STYLE", "REGION", "WEBVTT", "X-TIMESTAMP-MAP")
_VOICE: Final = re.compile(r"<v(?:\.[^\s>]*)?\s+([^<>]*)>")
_MARK: Final = re.compile(r"</?[^<>]*>")
TOGETHER: Final = 8
"""Cues of one voice that make a paragraph."""


def read(data: bytes, say: Say) -> Manuscript:
    text, composer = decode(data), Composer()
    cues = [
        cue for block in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n").replace("\r", "\n")) for cue in _cue(block)
    ]
    for voice, said in groupby(cues, key=lambda cue: cue[0]):
        words = [words for _, words in said]
        for start in range(0, len(words), TOGETHER):
            spoken = " ".join(words[start : start + TOGETHER])
            composer.paragraph(f"{voice}: {spoken}" if voice else spoken)
    say(1, 1)
    return composer.manuscript(kind_of_text(text))


def _cue(block: str) -> list[tuple[str, str]]:
    """Voice and words of each voice in a cue."""
    lines = block.strip("\n").split("\n")
    times = next((number for number, line in enumerate(lines) if "-->" in line), None)
    if times is None or block.lstrip("\n").startswith(_SILENT):
        return []
    said: list[tuple[str, str]] = []
    voice = ""
    for number, part in enumerate(_VOICE.split(" ".join(lines[times + 1 :]))):
        if number % 2:
            voice = unescape(part.strip())
        elif words := unescape(_MARK.sub("", part)).strip():
            said.append((voice, words))
    return said
