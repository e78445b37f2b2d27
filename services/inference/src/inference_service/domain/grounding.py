"""The check of an answer that was shown: which sentences the documents bear out, and with which words.

It runs after the last token, on what the customer saw, and changes nothing of it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from contracts.inference import Source
from contracts.ingest import PassageHit
from inference_service.domain.claims import AnswerSentence, answer_sentences
from inference_service.domain.errors import EmbedderFailed
from inference_service.domain.extract import Embedder
from inference_service.domain.spans import ReadPassage, Span, read_passage
from inference_service.domain.support import Match, Support, judge, matches, reads, with_cosines
from inference_service.domain.words import language_of

_CHECKED: Final = 40
"""Claims of one answer that are checked; a longer answer's rest counts for nothing, neither way."""
_EMBEDDED: Final = 48
"""Texts that are embedded for one answer: some 100 ms on one core."""
_PATIENCE_S: Final = 1.5
"""The customer has read the answer and waits for its end: later embeddings are not waited for."""
_LONGEST_QUOTE: Final = 500
"""Characters up to which the quotes of two sentences that cite one source are told as one."""


@dataclass(frozen=True, slots=True)
class SentenceCheck:
    """One sentence of an answer; `support` is None when it claims nothing, or was not looked at."""

    sentence: AnswerSentence
    support: Support | None


@dataclass(frozen=True, slots=True)
class Grounding:
    """All sentences of an answer in order, and whether embeddings took part."""

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


async def check_answer(content: str, hits: Sequence[PassageHit], embedder: Embedder) -> Grounding:
    """Check each sentence of an answer against the passages that it was given, numbered from 1."""
    sentences = answer_sentences(content)
    claims = [one for one in sentences if one.is_claim][:_CHECKED]
    language = language_of(content)
    if language == "und" and hits:
        language = language_of(hits[0].text)
    found = await _find(claims, hits, language)
    is_lexical = not reads(language)
    if not is_lexical:
        is_lexical = not await _compare(claims, found, embedder)
    supports = {start: judge(candidates, language) for start, candidates in found.items()}
    checks = tuple(SentenceCheck(one, supports.get(one.start) if one.is_claim else None) for one in sentences)
    return Grounding(checks, is_lexical=is_lexical)


def quoted_sources(sources: Sequence[Source], grounding: Grounding) -> tuple[Source, ...]:
    """Add to each source the document's words that bear out best what cites it, and where they stand."""
    return tuple(_quoted(source, grounding) for source in sources)


async def _find(
    claims: Sequence[AnswerSentence], hits: Sequence[PassageHit], language: str
) -> dict[int, tuple[Match, ...]]:
    """Find the candidates of each claim, by where it begins; only passages that are needed are read.

    Others stream meanwhile: no step of it holds the loop for longer than a passage takes to read, some 5 ms.
    """
    needed = {n for claim in claims for n in claim.cited or range(1, len(hits) + 1)}
    passages: list[ReadPassage] = []
    for n, hit in enumerate(hits, 1):
        if n in needed:
            passages.append(read_passage(n, hit, language))
            await asyncio.sleep(0)
    return {claim.start: matches(claim, passages, language) for claim in claims}


async def _compare(claims: Sequence[AnswerSentence], found: dict[int, tuple[Match, ...]], embedder: Embedder) -> bool:
    """Add the cosines of what words alone leave open; False when they could not be had."""
    texts: list[str] = []
    open_claims: list[AnswerSentence] = []
    for claim in claims:
        candidates = found[claim.start]
        is_open = candidates and not candidates[0].is_quoted and len(texts) + 1 + len(candidates) <= _EMBEDDED
        if is_open:
            open_claims.append(claim)
            texts += [claim.text, *(_with_context(match) for match in candidates)]
    if not texts:
        return True
    try:
        async with asyncio.timeout(_PATIENCE_S):
            vectors = iter(await embedder.embed(texts))
    except (EmbedderFailed, TimeoutError):
        return False
    for claim in open_claims:
        own = next(vectors)
        found[claim.start] = with_cosines(found[claim.start], own, [next(vectors) for _ in found[claim.start]])
    return True


def _with_context(match: Match) -> str:
    read = match.passage_read
    above = read.hit.heading or read.hit.title
    return f"{above}: {read.quote(match.span)}" if above else read.quote(match.span)


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
        span = Span(start, end, span.terms, span.quantities, span.denied)
    place = passage.place(span)
    return source.model_copy(update={"start": place[0], "end": place[1], "quote": passage.quote(span)})
