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
from inference_service.domain.foreign import across, of_both
from inference_service.domain.ground import page_at
from inference_service.domain.other_language import other_language, shares_words
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

    @property
    def refused(self) -> float:
        """Share of the claims that are unsupported, 0 to 1."""
        supports = self.supports
        return sum(one.is_unsupported for one in supports) / len(supports) if supports else 0.0

    @property
    def credit(self) -> float:
        """What confidence is multiplied by: the share, of which a claim that is unverified counts a half."""
        return (self.share + 1 - self.refused) / 2


class Checking:
    """The check of one answer against its passages, numbered from 1: each is read once, for all sentences."""

    def __init__(self, hits: Sequence[PassageHit], embedder: Embedder) -> None:
        self._hits = tuple(hits)
        self._embedder = embedder
        self._read: dict[tuple[int, str], ReadPassage] = {}
        self._others: dict[tuple[int, str], str] = {}
        self._apart: dict[tuple[str, str], bool] = {}
        self._supports: dict[_Key, Support] = {}
        self._withheld: list[tuple[int, SentenceCheck]] = []
        self._room = _EMBEDDED
        self._is_embedder_away = False

    async def sentence(self, claim: AnswerSentence, said: str) -> Support:
        """Check one claim before it is let out; `said`, the end of the answer so far, tells its language."""
        await self._check((claim,), said, _PATIENCE_OF_ONE_S)
        return self._supports[_key(claim)]

    def withhold(self, check: SentenceCheck, *, after: int) -> None:
        """Note a sentence that was left out behind so many that were let out."""
        self._withheld.append((after, check))

    async def answer(self, content: str) -> Grounding:
        """Check each sentence of what was shown; those that were checked before keep their verdict."""
        sentences = answer_sentences(content)
        claims = [one for one in sentences if one.is_claim][:_CHECKED]
        await self._check(claims, content, _PATIENCE_S)
        shown = tuple(
            SentenceCheck(
                one,
                self._supports.get(_key(one)) if one.is_claim else None,
                "hedged" if one.is_hedged else "shown",
            )
            for one in sentences
        )
        return Grounding(
            self._with_withheld(shown), is_lexical=self._is_embedder_away or not reads(self._language(content))
        )

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

    async def _check(self, claims: Sequence[AnswerSentence], said: str, patience_s: float) -> None:
        language = self._language(said)
        new = {_key(claim): claim for claim in claims if _key(claim) not in self._supports}
        beside = {key: await self._beside(claim, said, language) for key, claim in new.items()}
        found = {key: matches(new[key], passages, language) for key, (passages, _) in beside.items()}
        if reads(language) and not self._is_embedder_away:
            self._is_embedder_away = not await self._compare(found, patience_s)
        for key, candidates in found.items():
            foreign = beside[key][1]
            own = judge(candidates, language)
            self._supports[key] = of_both(own, across(new[key], language, foreign)) if foreign else own

    async def _beside(
        self, claim: AnswerSentence, said: str, language: str
    ) -> tuple[tuple[ReadPassage, ...], tuple[ReadPassage, ...]]:
        """Return the passages that a claim is held against: those in its language, and those surely in others.

        Only passages that are needed are read. Others stream meanwhile: no step of it holds the loop for longer than a
        passage takes to read, some 5 ms.
        """
        own: list[ReadPassage] = []
        foreign: list[ReadPassage] = []
        for n, hit in enumerate(self._hits, 1):
            if claim.cited and n not in claim.cited:
                continue
            written = self._written(n, said, language)
            if written and not shares_words(claim.text, hit.text):
                foreign.append(await self._read_in(n, written))
            else:
                own.append(await self._read_in(n, language))
        return tuple(own), tuple(foreign)

    def _written(self, n: int, said: str, language: str) -> str:
        """Return the language of a passage when it surely is not the answer's; else nothing."""
        if (n, language) not in self._others:
            hit = self._hits[n - 1]
            self._others[n, language] = other_language(f"{hit.title}. {hit.heading}. {hit.text}", language)
        written = self._others[n, language]
        if not written:
            return ""
        if (said, written) not in self._apart:
            self._apart[said, written] = bool(other_language(said, written, certain=1))
        return written if self._apart[said, written] else ""

    async def _read_in(self, n: int, language: str) -> ReadPassage:
        if (n, language) not in self._read:
            self._read[n, language] = read_passage(n, self._hits[n - 1], language)
            await asyncio.sleep(0)
        return self._read[n, language]

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
