"""The stretch of an answer that is being judged: what is held back, the new piece, and what stood just before."""

from bisect import bisect_left
from collections.abc import Callable, Sequence

from filter_service.domain.fold import fold, fold_char

# How many folded characters before the window a rule may look at: a label like `t123456:` is the longest asked for.
CONTEXT_CHARS = 8


class Window:
    """A raw text beside its folded form.

    Attributes:
        raw: the text as the model wrote it, from the first character that is held back.
        folded: up to `CONTEXT_CHARS` folded characters of what stood before, then the folded `raw`.
        origin: for each index of `folded` the index in `raw` of the character it came from (negative in the context),
            and one more entry at the end: the length of `raw`.
        first: the index in `folded` where `raw` begins.
        limit: the most characters of `raw` that a match may span.
        is_whole: whether the text ends here, so that its end is a boundary.
    """

    __slots__ = ("first", "folded", "is_whole", "limit", "origin", "raw")

    def __init__(self, context: str, raw: str, *, limit: int, is_whole: bool) -> None:
        self.raw = raw
        self.folded = context + fold(raw)
        self.first = len(context)
        self.limit = limit
        self.is_whole = is_whole
        self.origin: Sequence[int] = (
            range(-self.first, len(raw) + 1) if raw.isascii() else _origins(raw, context=self.first)
        )

    def starts_character(self, at: int) -> bool:
        """Whether a raw character begins at this folded index (a ligature folds to several)."""
        return at == 0 or self.origin[at] != self.origin[at - 1]

    def raw_end(self, end: int) -> int:
        """The raw index just behind a match that ends before the folded index `end`."""
        return self.origin[end - 1] + 1

    def may_end(self, start: int, end: int) -> bool:
        """Whether folded `start:end` covers whole raw characters and no more of them than a match may span."""
        return self.starts_character(end) and self.raw_end(end) - self.origin[start] <= self.limit

    def may_grow(self, start: int) -> bool:
        """Whether a match that began at `start` and has used up the text may still end within the limit."""
        return not self.is_whole and len(self.raw) - self.origin[start] < self.limit

    def stretch(self, start: int) -> tuple[str, bool]:
        """The folded text from `start` on, as far as a match may span, and whether more of it may come."""
        size = len(self.folded)
        stop = min(bisect_left(self.origin, self.origin[start] + self.limit, start), size)
        return self.folded[start:stop], stop == size and self.may_grow(start)

    def stands_alone(self, start: int, end: int, *, joins: Callable[[str], bool]) -> bool | None:
        """Whether nothing is glued to the end of `start:end`; None while the next character is still to come.

        A next character that is further from the start than the limit is not waited for: it cannot matter any more.

        Args:
            start: the folded index of the first character.
            end: the folded index behind the last one.
            joins: whether a folded character sticks to the one beside it when that one does too.
        """
        if not joins(self.folded[end - 1]) or self.origin[end] > self.origin[start] + self.limit:
            return True
        if end < len(self.folded):
            return not joins(self.folded[end])
        return True if self.is_whole else None


def _origins(raw: str, *, context: int) -> list[int]:
    origin = list(range(-context, 0))
    for index, char in enumerate(raw):
        origin.extend([index] * len(fold_char(char)))
    origin.append(len(raw))
    return origin
