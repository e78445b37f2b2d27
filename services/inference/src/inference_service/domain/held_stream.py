"""A stream that holds each sentence back until it is whole and checked; nothing is ever taken back."""

from typing import Final

from contracts.inference import FinishReason, Source, Unsupported
from inference_service.domain.edit import Caveats, Edit, HandOver, Removals
from inference_service.domain.grounding import Checking
from inference_service.domain.model import Pieces
from inference_service.domain.notes import Notes
from inference_service.domain.ports import Shown, Stream
from inference_service.domain.whole_sentences import WholeSentence, WholeSentences
from inference_service.domain.words import told_in

_REMEMBERED: Final = 1_000
"""Characters at the end of what was said that tell its language."""


def held_back(stream: Stream, notes: Notes, checking: Checking, question: str) -> Stream:
    """Return the stream itself, or one that holds back before it, as the policy of the notes says."""
    if notes.unsupported == "mark":
        return stream
    return HeldStream(stream, notes, checking, _edit(notes.unsupported, checking), question)


def _edit(policy: Unsupported, checking: Checking) -> Edit:
    if policy == "hedge":
        return Caveats()
    return Removals(checking) if policy == "remove" else HandOver(checking)


class HeldStream:
    """Implements `Stream` before another one, which numbers, shows and stores what this one lets out."""

    def __init__(self, stream: Stream, notes: Notes, checking: Checking, edit: Edit, question: str) -> None:
        self._stream = stream
        self._notes = notes
        self._checking = checking
        self._edit = edit
        self._question = question
        self._sentences = WholeSentences()
        self._said = ""

    @property
    def is_cut(self) -> bool:
        return self._stream.is_cut or self._edit.is_over

    async def start(self, model: str, sources: tuple[Source, ...]) -> None:
        await self._stream.start(model, sources)

    async def send(self, pieces: Pieces) -> None:
        for whole in self._sentences.feed("".join(pieces.texts)):
            await self._decide(whole)

    async def end(self, finish_reason: FinishReason) -> Shown:
        # Whoever stopped it wants no more, and what is held was not checked.
        if finish_reason != "stopped":
            for whole in self._sentences.rest():
                await self._decide(whole)
            await self._let_out(self._edit.last(self._language(self._question, self._said)))
        return await self._stream.end("handed_over" if self._edit.is_over else finish_reason)

    async def _decide(self, whole: WholeSentence) -> None:
        if self.is_cut:
            return
        self._said = (self._said + whole.gap + whole.text)[-_REMEMBERED:]
        support = None
        if whole.sentence.is_claim:
            support = await self._checking.sentence(whole.sentence, self._said)
        await self._let_out(self._edit.take(whole, support, self._language(self._said, self._question)))

    async def _let_out(self, text: str) -> None:
        if text and not self._stream.is_cut:
            self._notes.reached("first_shown")
            await self._stream.send(Pieces((text,)))

    @staticmethod
    def _language(first: str, second: str) -> str:
        language = told_in(first)
        return language if language != "und" else told_in(second)
