"""The check of an answer: which sentences the documents bear out, and with which words.

What the customer saw is checked as a whole, after the last token. Where sentences are held back, each one is checked
before it is let out, and the whole keeps those verdicts.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from contracts.inference import Source
from contracts.ingest import PassageHit
from contracts.trace import Action
from inference_service.domain.claims import AnswerSentence, answer_sentences
from inference_service.domain.errors import EmbedderFailed
from inference_service.domain.extract import Embedder
from inference_service.domain.ground import page_at
from inference_service.domain.spans import ReadPassage, read_passage
from inference_service.domain.support import Match, Support, judge, matches, reads, with_cosines
from inference_service.domain.words import language_of

_CHECKED: Final = 40
"""Claims of one answer that are checked; a longer answer's rest counts for nothing, neither way."""
_EMBEDDED: Final = 48
"""Texts that are embedded for one answer: some 100 ms on one core."""
_PATIENCE_S: Final = 1.5
"""The customer has read the answer and waits for its end: later embeddings are not waited for."""
_PATIENCE_OF_ONE_S: Final = 0.5
"""The customer waits for the next sentence: the same."""
_LONGEST_QUOTE: Final = 500
"""Characters up to which the quotes of two sentences that cite one source are told as one."""

UNSHOWN: Final = frozenset[Action]({"removed", "handed_over"})
"""What the customer did not read."""

_Key = tuple[str, tuple[int, ...]]
"""What a claim says and cites: the same is judged the same."""


@dataclass(frozen=True, slots=True)
class SentenceCheck:
    """One sentence of an answer; `support` is None when it claims nothing, or was not looked at."""

    sentence: AnswerSentence
    support: Support | None
    action: Action = "shown"


@dataclass(frozen=True, slots=True)
class Grounding:
    """All sentences of an answer in order, those that were left out too, and whether embeddings took part."""

    checks: tuple[SentenceCheck, ...] = ()
    is_lexical: bool = True

    @property
    def supports(self) -> tuple[Support, ...]:
        """What became of the claims."""
        return tuple(check.support for check in self.checks if check.support is not None)

    @property
    def share(self) -> float:
        """Share of the claims that are supported, 0 to 1; an answer that claims nothing is not wrong."""
        supports = self.supports
        return sum(one.is_supported for one in supports) / len(supports) if supports else 1.0


class Checking:
    """The check of one answer against its passages, numbered from 1: each is read once, for all sentences."""

    def __init__(self, hits: Sequence[PassageHit], embedder: Embedder) -> None:
        self._hits = tuple(hits)
        self._embedder = embedder
        self._read: dict[tuple[int, str], ReadPassage] = {}
        self._supports: dict[_Key, Support] = {}
        self._withheld: list[tuple[int, SentenceCheck]] = []
        self._room = _EMBEDDED
        self._is_embedder_away = False

    async def sentence(self, claim: AnswerSentence, said: str) -> Support:
        """Check one claim before it is let out; `said`, the end of the answer so far, tells its language."""
        await self._check((claim,), self._language(said), _PATIENCE_OF_ONE_S)
        return self._supports[_key(claim)]

    def withhold(self, check: SentenceCheck, *, after: int) -> None:
        """Note a sentence that was left out behind so many that were let out."""
        self._withheld.append((after, check))

    async def answer(self, content: str) -> Grounding:
        """Check each sentence of what was shown; those that were checked before keep their verdict."""
        sentences = answer_sentences(content)
        claims = [one for one in sentences if one.is_claim][:_CHECKED]
        language = self._language(content)
        await self._check(claims, language, _PATIENCE_S)
        shown = tuple(
            SentenceCheck(
                one,
                self._supports.get(_key(one)) if one.is_claim else None,
                "hedged" if one.is_hedged else "shown",
            )
            for one in sentences
        )
        return Grounding(self._with_withheld(shown), is_lexical=self._is_embedder_away or not reads(language))

    def _with_withheld(self, shown: tuple[SentenceCheck, ...]) -> tuple[SentenceCheck, ...]:
        """Put the sentences that were left out where they would have stood; they have no length."""
        found: list[SentenceCheck] = []
        left = list(self._withheld)
        for count, check in enumerate((*shown, None)):
            place = shown[count - 1].sentence.end if count and shown else 0
            while left and (left[0][0] <= count or check is None):
                one = left.pop(0)[1]
                found.append(replace(one, sentence=replace(one.sentence, start=place, end=place)))
            if check is not None:
                found.append(check)
        return tuple(found)

    def _language(self, said: str) -> str:
        language = language_of(said)
        return language_of(self._hits[0].text) if language == "und" and self._hits else language

    async def _check(self, claims: Sequence[AnswerSentence], language: str, patience_s: float) -> None:
        new = {_key(claim): claim for claim in claims if _key(claim) not in self._supports}
        found = await self._find(tuple(new.values()), language)
        if reads(language) and not self._is_embedder_away:
            self._is_embedder_away = not await self._compare(found, patience_s)
        self._supports |= {key: judge(candidates, language) for key, candidates in found.items()}

    async def _find(self, claims: Sequence[AnswerSentence], language: str) -> dict[_Key, tuple[Match, ...]]:
        """Find the candidates of each claim; only passages that are needed are read.

        Others stream meanwhile: no step of it holds the loop for longer than a passage takes to read, some 5 ms.
        """
        needed = {n for claim in claims for n in claim.cited or range(1, len(self._hits) + 1)}
        passages: list[ReadPassage] = []
        for n, hit in enumerate(self._hits, 1):
            if n not in needed:
                continue
            if (n, language) not in self._read:
                self._read[n, language] = read_passage(n, hit, language)
                await asyncio.sleep(0)
            passages.append(self._read[n, language])
        return {_key(claim): matches(claim, passages, language) for claim in claims}

    async def _compare(self, found: dict[_Key, tuple[Match, ...]], patience_s: float) -> bool:
        """Add the cosines of what words alone leave open; False when they could not be had."""
        texts: list[str] = []
        open_: list[_Key] = []
        for key, candidates in found.items():
            if candidates and not candidates[0].is_quoted and len(texts) + 1 + len(candidates) <= self._room:
                open_.append(key)
                texts += [key[0], *(match.embedded_as for match in candidates)]
        if not texts:
            return True
        self._room -= len(texts)
        try:
            async with asyncio.timeout(patience_s):
                vectors = iter(await self._embedder.embed(texts))
        except (EmbedderFailed, TimeoutError):
            return False
        for key in open_:
            own = next(vectors)
            found[key] = with_cosines(found[key], own, [next(vectors) for _ in found[key]])
        return True


def quoted_sources(sources: Sequence[Source], grounding: Grounding) -> tuple[Source, ...]:
    """Add to each source the document's words that bear out best what cites it, and where they stand."""
    return tuple(_quoted(source, grounding) for source in sources)


def _key(claim: AnswerSentence) -> _Key:
    return claim.text, claim.cited


def _quoted(source: Source, grounding: Grounding) -> Source:
    found = [
        check.support
        for check in grounding.checks
        if check.support is not None
        and check.support.is_supported
        and check.support.match is not None
        and check.support.match.passage_read.n == source.n
    ]
    spans = [(one.match.passage_read, one.match.span) for one in found if one.match is not None]
    if not spans:
        return source
    best = max(range(len(found)), key=lambda i: found[i].score)
    passage, span = spans[best]
    start, end = min(one.start for _, one in spans), max(one.end for _, one in spans)
    if end - start <= _LONGEST_QUOTE:
        span = replace(span, start=start, end=end, parts=())
    place = passage.place(span)
    quoted = {"start": place[0], "end": place[1], "quote": passage.quote(span), "page": page_at(passage.hit, place[0])}
    return source.model_copy(update=quoted)
