"""An answer that arrives in pieces, as whole sentences: the same ones however it was cut into pieces."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from inference_service.domain import marks
from inference_service.domain.caveat import CAVEATS
from inference_service.domain.claims import AnswerSentence, line_sentences, one_sentence, weighed

LONGEST: Final = 2_000
"""Characters after which what has no end is taken for a sentence: it must not be held for ever."""

_MAY_END: Final = re.compile(marks.STOP.pattern + "|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]|[\u0e00-\u0eff]\\s")
"""Without one of these nothing has ended."""
_OPEN_CITATION: Final = re.compile(r"\[[\d\s,;]*")
_AFTER_ORDINAL: Final = 11
"""Characters of the longest word that makes `3.` an ordinal."""


@dataclass(frozen=True, slots=True)
class WholeSentence:
    """A sentence of the answer, in full.

    Attributes:
        gap: what stands before it: white space, breaks, the mark of a list.
        text: the sentence as it was written, with its citations.
        sentence: what it says; its places are those of `text`.
    """

    gap: str
    text: str
    sentence: AnswerSentence


class WholeSentences:
    """Takes pieces, gives sentences. A sentence is given once no text that may follow can change it."""

    def __init__(self) -> None:
        self._text = ""
        self._gap = ""
        self._is_begun = False
        """The line whose rest is held had sentences already."""

    def feed(self, text: str) -> Iterator[WholeSentence]:
        """Take a piece and give what has become whole."""
        while text:
            # Never more than the longest at a time: where it is cut may not depend on the pieces.
            room = LONGEST - len(self._text)
            self._text, text = self._text + text[:room], text[room:]
            yield from self._whole()
            if len(self._text) >= LONGEST:
                line, self._text = self._text, ""
                yield from self._give(line, (one_sentence(line),))

    def rest(self) -> Iterator[WholeSentence]:
        """Give what is left when the answer is over."""
        line, self._text = self._text, ""
        yield from self._give(line, line_sentences(line, is_begun=self._is_begun))

    def _whole(self) -> Iterator[WholeSentence]:
        if not _MAY_END.search(self._text):
            return
        lines = self._text.splitlines(keepends=True)
        self._text = "" if lines[-1].splitlines()[0] != lines[-1] else lines.pop()
        for line in lines:
            yield from self._give(line, line_sentences(line, is_begun=self._is_begun))
            self._is_begun = False
        settled = _settled(self._text, line_sentences(self._text, is_begun=self._is_begun))
        if settled:
            end = settled[-1].end
            line, self._text = self._text[:end], self._text[end:]
            yield from self._give(line, settled)

    def _give(self, line: str, sentences: Sequence[AnswerSentence]) -> Iterator[WholeSentence]:
        at = 0
        for one in sentences:
            piece = line[one.start : one.end]
            if text := piece.strip():
                start = one.start + piece.index(text)
                gap, self._gap = self._gap + line[at:start], ""
                at = start + len(text)
                yield WholeSentence(gap, text, weighed(replace(one, start=0, end=len(text))))
        self._gap += line[at:]
        self._is_begun = self._is_begun or bool(sentences)


def _settled(line: str, sentences: Sequence[AnswerSentence]) -> Sequence[AnswerSentence]:
    """Return those that stay as they are whatever follows; the last one may always go on."""
    for count, one in enumerate(sentences[:-1]):
        if not _is_decided(line[: one.end], line[one.end :].lstrip()):
            return sentences[:count]
    return sentences[:-1]


def _is_decided(before: str, after: str) -> bool:
    """Whether enough is known of what follows a sentence to know that it has ended there."""
    if not after or _OPEN_CITATION.fullmatch(after) or any(caveat.startswith(after) for caveat in CAVEATS):
        return False
    is_word_whole = len(after) >= _AFTER_ORDINAL or any(map(str.isspace, after))
    return is_word_whole or not marks.ORDINAL.search(before)
