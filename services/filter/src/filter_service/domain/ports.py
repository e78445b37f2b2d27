"""What the filter needs from outside."""

from collections.abc import Sequence
from typing import Any, Protocol

from filter_service.domain.answer import Answer, Decision
from filter_service.domain.policy import Policy
from filter_service.domain.token_stream import Release
from runtime.tenancy import TenantScope


class Policies(Protocol):
    """The policies of businesses, every version kept."""

    async def current(self, scope: TenantScope) -> Policy:
        """The newest version; the default policy, version 0, where none was ever set."""
        ...

    async def at(self, scope: TenantScope, version: int) -> Policy:
        """One version.

        Raises:
            NotFound: it was never set.
        """
        ...

    async def replace(self, scope: TenantScope, policy: Policy) -> Policy:
        """Keep it as the next version, and say so; returns it with that version."""
        ...


class Decisions(Protocol):
    """Where decisions are kept."""

    def note(self, decision: Decision) -> None:
        """Keep it, later: returns at once, so that no token waits."""
        ...


class Screen(Protocol):
    """Where one answer is shown: everyone who reads it hears this and nothing else, once `Screens.show` is called."""

    def started(self, model: str, sources: Sequence[Any]) -> None:
        """The attempt begins."""
        ...

    def released(self, release: Release) -> None:
        """These tokens may be read."""
        ...

    def ended(self, last_seq: int, finish_reason: str, categories: Sequence[str]) -> None:
        """That was all."""
        ...


class Screens(Protocol):
    """Screens by answer."""

    def of(self, answer: Answer) -> Screen: ...

    async def show(self, receipt_to: str) -> None:
        """Publish what the screens were told since the last call, and owe `receipt_to`, if given, a receipt of it."""
        ...

    async def confirm(self) -> None:
        """Wait until receipts are due, and say what is owed.

        Due is a receipt when an answer in it has ended, and 0.25 s after the last. One that was heard proves that the
        broker has the frames: it is said after the broker answered for all before it, on one and the same connection.
        """
        ...


class Observer(Protocol):
    """Who counts what happens."""

    def ended(self, found: dict[str, int], *, is_blocked: bool) -> None:
        """An answer was judged to its end, or to where it was blocked."""
        ...

    def input_checked(self, *, is_allowed: bool) -> None:
        """A customer's text was judged."""
        ...

    def ignored(self, reason: str) -> None:
        """A raw message was left out."""
        ...

    def dropped(self, reason: str, streams: int) -> None:
        """Streams were given up; whoever feeds them opens others."""
        ...
