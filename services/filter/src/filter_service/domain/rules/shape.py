"""Matching by two regular expressions: one for what is complete, one for what has only begun."""

import re

from filter_service.domain.fold import UNSPACED
from filter_service.domain.rules.rule import NOTHING, Match
from filter_service.domain.window import Window

# Letters, their marks and digits of scripts with spaces: where they touch a match it is part of something else.
WORD = "(?:[^\\W_" + "".join(f"{chr(first)}-{chr(last)}" for first, last in UNSPACED) + "]|[\u0300-\u036f])"


class Shape:
    """Finds the stretch that a regular expression describes.

    Args:
        opening: where a match may begin; looks back at most `CONTEXT_CHARS`.
        whole: the complete match, with the look-ahead that bounds it.
        begun: matches every text that more characters could turn into a match, or into a longer one; a complete match
            whose next character is unknown too.
    """

    def __init__(self, *, opening: str, whole: str, begun: str) -> None:
        self.opening = opening
        self._opens = re.compile(opening)
        self._whole = re.compile(whole)
        self._begun = re.compile(begun)

    def at(self, window: Window, start: int) -> Match:
        """The match from `start` on; open while the text so far only begins one."""
        if self._opens.match(window.folded, start) is None:
            return NOTHING
        stretch, may_grow = window.stretch(start)
        if may_grow and self._begun.fullmatch(stretch):
            return Match(-1, is_open=True)
        found = self._whole.match(stretch)
        if found is None or not window.may_end(start, start + found.end()):
            return NOTHING
        return Match(window.raw_end(start + found.end()), is_open=False)
