# ruff: noqa: RUF001 - Chinese marks are meant
"""What is let out of an answer that is checked sentence by sentence: with caveats, or not what is unsupported."""

from dataclasses import replace
from typing import Final, Protocol

from inference_service.domain import marks
from inference_service.domain.caveat import caveat
from inference_service.domain.claims import admits
from inference_service.domain.grounding import Checking, SentenceCheck
from inference_service.domain.note import NOTES, note
from inference_service.domain.notice import NOTICES, notice
from inference_service.domain.refusal import refusal
from inference_service.domain.support import Support
from inference_service.domain.whole_sentences import WholeSentence

_CLOSED: Final = tuple("。！？」』）”")
"""After these no space is written."""


class Edit(Protocol):
    """Decides in the order of the sentences; `is_over` once it has ended the answer."""

    is_over: bool

    def take(self, whole: WholeSentence, support: Support | None, language: str, /) -> str:
        """Return what is let out now, which may be nothing; `support` is None when the sentence claims nothing."""
        ...

    def last(self, language: str, /) -> str:
        """Return what is let out when the answer is over; `language` is the customer's."""
        ...


class Caveats:
    """Every sentence is let out, an unsupported one with a caveat.

    When some are unverified, a note at the end says so once: a caveat behind every sentence would say less.
    """

    is_over = False

    def __init__(self) -> None:
        self._has_unverified = self._is_noted = False

    def take(self, whole: WholeSentence, support: Support | None, language: str, /) -> str:
        text = whole.gap + whole.text
        self._is_noted = self._is_noted or whole.sentence.text in NOTES
        self._has_unverified = self._has_unverified or (support is not None and support.verdict == "unverified")
        if support is None or not support.is_unsupported or whole.sentence.is_hedged:
            return text
        return text + _space(text) + caveat(language)

    def last(self, language: str, /) -> str:
        return f"\n\n{note(language)}" if self._has_unverified and not self._is_noted else ""


class Removals:
    """Unsupported sentences are left out, and what makes no sense without them: list marks, a line that introduces all.

    When nothing is left that answers, it is said that the documents do not hold the answer.
    """

    is_over = False

    def __init__(self, checking: Checking) -> None:
        self._checking = checking
        self._told = 0
        self._end = ""
        self._carried: str | None = None
        """The gap before what was left out, until something else follows."""
        self._lead: WholeSentence | None = None
        """A line that ends with a colon, until it is known whether something of what it introduces stands."""
        self._has_left_out = self._has_answered = False

    def take(self, whole: WholeSentence, support: Support | None, _language: str, /) -> str:
        said = whole.sentence.text
        is_remnant = self._carried is not None and not any(map(str.isalnum, said))
        if is_remnant or (support is not None and support.is_unsupported):
            return self._leave_out(whole, support)
        before = self._lead_before(whole)
        whole = replace(whole, gap=self._gap(whole.gap))
        if not whole.sentence.is_claim and said.endswith(marks.LEAD_ENDS):
            self._lead = whole
            return before
        self._has_answered = self._has_answered or whole.sentence.is_claim or admits(said)
        return before + self._let_out(whole)

    def last(self, language: str, /) -> str:
        told = ""
        if self._lead is not None and self._carried is None:
            told = self._let_out(self._lead)  # the answer was cut there: nothing of it was left out
        elif self._lead is not None:
            self._leave_out(self._lead, None)
        if self._has_left_out and not self._has_answered:
            told += _space(self._end) + refusal(language)
        return told

    def _leave_out(self, whole: WholeSentence, support: Support | None) -> str:
        self._has_left_out = True
        self._carried = whole.gap if self._carried is None else _joined(self._carried, whole.gap)
        self._checking.withhold(SentenceCheck(whole.sentence, support, "removed"), after=self._told)
        return ""

    def _let_out(self, whole: WholeSentence) -> str:
        self._told += 1
        self._end = whole.text
        return whole.gap + whole.text

    def _lead_before(self, whole: WholeSentence) -> str:
        lead, self._lead = self._lead, None
        if lead is None:
            return ""
        line = whole.gap.rpartition("\n")[2] + whole.text
        if self._carried is None or marks.LIST_ITEM.match(line):
            return self._let_out(lead)
        self._leave_out(lead, None)
        return ""

    def _gap(self, gap: str) -> str:
        """Return what stands before a sentence, given what stood before those that were left out."""
        if self._carried is not None:
            gap = _joined(self._carried, gap)
            self._carried = None
            if not self._told:
                gap = gap.lstrip()
        return gap


class HandOver:
    """The answer ends before its first unsupported sentence, and a person is to answer.

    A model that repeats the notice from an earlier answer means what it says.
    """

    def __init__(self, checking: Checking) -> None:
        self._checking = checking
        self._told = 0
        self.is_over = False

    def take(self, whole: WholeSentence, support: Support | None, language: str, /) -> str:
        is_unsupported = support is not None and support.is_unsupported
        if not is_unsupported and whole.text not in NOTICES:
            self._told += 1
            return whole.gap + whole.text
        self.is_over = True
        if is_unsupported:
            self._checking.withhold(SentenceCheck(whole.sentence, support, "handed_over"), after=self._told)
        return ("\n\n" if self._told else "") + notice(language)

    def last(self, _language: str, /) -> str:
        return ""


def _joined(first: str, second: str) -> str:
    """Put two gaps together that have nothing between them any more: the wider break, the last list mark."""
    breaks, _, mark = first.rpartition("\n")
    if "\n" not in second:
        return first if breaks or mark.strip() or "\n" in first else second
    wider = max(first.count("\n"), second.count("\n"))
    return "\n" * wider + second.rpartition("\n")[2]


def _space(before: str) -> str:
    return "" if not before or before.endswith(_CLOSED) else " "
