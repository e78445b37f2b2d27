"""The judge of one stream: takes the model's pieces, gives back what may be shown.

What is found does not depend on how the text was cut: a match is any stretch that a rule recognises, of at most
`window_chars` characters, wherever it begins. Matches that overlap are redacted as one. The first match (by its first
character) that blocks ends the stream there.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from filter_service.domain.fold import fold, fold_char
from filter_service.domain.policy import Action, Policy
from filter_service.domain.rules.cards import CardNumbers
from filter_service.domain.rules.emails import Emails
from filter_service.domain.rules.ibans import Ibans
from filter_service.domain.rules.phones import Phones
from filter_service.domain.rules.rule import REDACTED, Match, Rule
from filter_service.domain.rules.secrets import Secrets
from filter_service.domain.rules.terms import Blocklist
from filter_service.domain.verdict import Allowed, Blocked, Verdict
from filter_service.domain.window import CONTEXT_CHARS, Window


@dataclass(frozen=True, slots=True)
class Bench:
    """A policy made ready for judging; shared by every stream of that policy version.

    Attributes:
        openings: matches wherever a rule may begin to match; a text without a match can be shown as it is.
    """

    version: int
    window_chars: int
    rules: tuple[tuple[Rule, Action], ...]
    openings: re.Pattern[str]


def prepare(policy: Policy) -> Bench:
    """Compile a policy: 15 ms for 1,000 terms, so once a version and not once a stream."""
    rules: list[tuple[Rule, Action]] = []
    personal: tuple[tuple[Callable[[], Rule], Action | Literal["off"]], ...] = (
        (CardNumbers, policy.cards_action),
        (Ibans, policy.iban_action),
        (Emails, policy.email_action),
        (Phones, policy.phone_action),
        (Secrets, policy.secrets_action),
    )
    rules.extend((make(), action) for make, action in personal if action != "off")
    if policy.terms:
        rules.append((Blocklist(policy.terms), policy.terms_action))
    # (?!) matches nowhere: with no rule everything is shown.
    openings = re.compile("|".join(rule.opening for rule, _ in rules) or r"(?!)", re.DOTALL)
    return Bench(version=policy.version, window_chars=policy.window_chars, rules=tuple(rules), openings=openings)


class Judge:
    """One answer under judgement.

    Attributes:
        blocked: the kinds of what ended the stream; empty while nothing did.
        found: how many matches of each kind were redacted or blocked.
    """

    __slots__ = ("_bench", "_context", "_covered", "_held", "_openings", "_runs_on", "blocked", "found")

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._openings = bench.openings
        self._context = ""
        self._held = ""
        # How many characters at the start of `_held` a redaction has taken already.
        self._covered = 0
        # What goes on with the match that ended the last piece.
        self._runs_on: frozenset[str] = frozenset()
        self.blocked: tuple[str, ...] = ()
        self.found: Counter[str] = Counter()

    @property
    def held_chars(self) -> int:
        """How many characters wait to be judged; never more than the policy's window."""
        return len(self._held) - self._covered

    def feed(self, piece: str) -> str:
        """Take the next piece; returns what may be shown now, "" when all of it waits or the stream is blocked."""
        if self._runs_on:
            piece = self._behind_run(piece)
        # The way of nearly every piece: nothing waits and nothing in it could begin a match.
        if not self._held and not self.blocked:
            folded = self._context + fold(piece)
            if self._openings.search(folded, len(self._context)) is None:
                self._context = folded[-CONTEXT_CHARS:]
                return piece
        return self._judge(piece, is_whole=False)

    def close(self) -> str:
        """The text is complete: judge what waits; returns the rest that may be shown."""
        return self._judge("", is_whole=True)

    def _judge(self, piece: str, *, is_whole: bool) -> str:
        if self.blocked:
            return ""
        window = Window(self._context, self._held + piece, limit=self._bench.window_chars, is_whole=is_whole)
        shown: list[str] = []
        # Everything before `done` is shown or redacted.
        done, at = self._covered, window.first
        while opening := self._openings.search(window.folded, at):
            at = opening.start()
            start = window.origin[at]
            matches = self._matches(window, at)
            if any(match.is_open for _, _, match in matches):
                shown.append(window.raw[done:start])
                self._hold(window, at, covered=max(done - start, 0))
                return "".join(shown)
            if matches:
                shown.append(window.raw[done:start])
                if self._block(matches):
                    return "".join(shown)
                if start >= done:
                    shown.append(self._instead(window, start, matches))
                done = max(done, *(match.end for _, _, match in matches))
                if runs_on := frozenset[str]().union(*(match.runs_on for _, _, match in matches)):
                    done = _run_end(window.raw, done, runs_on)
                    self._runs_on = runs_on if done == len(window.raw) else self._runs_on
                    at = bisect_left(window.origin, done) - 1
            at += 1
        shown.append(window.raw[done:])
        self._hold(window, len(window.folded), covered=0)
        return "".join(shown)

    def _matches(self, window: Window, at: int) -> list[tuple[Rule, Action, Match]]:
        """What the rules see at this place; when one is still open, nothing is counted yet."""
        if not window.starts_character(at):
            return []
        seen = [(rule, action, rule.at(window, at)) for rule, action in self._bench.rules]
        return [(rule, action, match) for rule, action, match in seen if match.is_open or match.end >= 0]

    def _instead(self, window: Window, start: int, matches: list[tuple[Rule, Action, Match]]) -> str:
        """What is shown in place of these matches: a mask only where all may be masked and it shows nothing else."""
        if any(action != "mask" for _, action, _ in matches):
            return REDACTED
        rule, _, match = max(matches, key=lambda seen: seen[2].end)
        masked = rule.mask(window.raw[start : match.end])
        alone = Window("", masked, limit=window.limit, is_whole=True)
        shows = any(match.end >= 0 for at in range(len(alone.folded)) for _, _, match in self._matches(alone, at))
        return REDACTED if shows else masked

    def _behind_run(self, piece: str) -> str:
        """The piece without what still belongs to the last match."""
        end = _run_end(piece, 0, self._runs_on)
        self._context = (self._context + fold(piece[:end]))[-CONTEXT_CHARS:]
        if end < len(piece):
            self._runs_on = frozenset()
        return piece[end:]

    def _block(self, matches: list[tuple[Rule, Action, Match]]) -> bool:
        """Count the matches of one place and say whether they end the stream."""
        self.found.update(rule.kind for rule, _, _ in matches)
        self.blocked = tuple(rule.kind for rule, action, _ in matches if action == "block")
        if self.blocked:
            self._held, self._covered = "", 0
        return bool(self.blocked)

    def _hold(self, window: Window, at: int, *, covered: int) -> None:
        """Keep the window from the folded index `at` on, and remember what stands before it."""
        self._held = window.raw[window.origin[at] :]
        self._covered = covered
        self._context = window.folded[max(at - CONTEXT_CHARS, 0) : at]


def _run_end(text: str, start: int, runs_on: frozenset[str]) -> int:
    """The index behind the characters from `start` on that fold to nothing but these."""
    return next((at for at in range(start, len(text)) if not runs_on.issuperset(fold_char(text[at]))), len(text))


def check_input(bench: Bench, text: str) -> Verdict:
    """Judge what a customer wrote, by the same rules: blocked when a rule that blocks finds something."""
    judge = Judge(bench)
    judge.feed(text)
    judge.close()
    return Blocked(judge.blocked) if judge.blocked else Allowed()
