"""A business's moderation policy: what its customers must not be shown."""

from dataclasses import dataclass
from typing import Literal

from filter_service.domain.errors import TermEmpty, TermTooLong, TooManyTerms, WindowOutOfRange
from filter_service.domain.rules.cards import WIDEST_CHARS
from filter_service.domain.rules.terms import spell

TermsAction = Literal["redact", "block"]
Action = Literal["redact", "mask", "block"]

MAX_TERMS = 1_000
# The smallest window holds a card number with a separator between any two digits; at the largest a reader would see
# the text arrive in jumps.
MIN_WINDOW_CHARS = WIDEST_CHARS
MAX_WINDOW_CHARS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What to do with what is found.

    Attributes:
        version: grows by one with every change; 0 is the policy of a business that never set one.
        terms: words and phrases that must not be shown.
        terms_action: what happens to a term: `[redacted]` in its place, or the answer ends before it.
        cards_action: the same for payment card numbers, or a mask that leaves their end, or nothing.
        iban_action, email_action, phone_action: the same for account numbers, addresses and phone numbers; nothing
            unless asked for, as an answer often names the shop's own.
        secrets_action: the same for API keys, tokens and private keys, which no customer should ever read.
        window_chars: the most characters that may ever be held back.

    Raises:
        TermEmpty, TermTooLong, TooManyTerms, WindowOutOfRange: the policy cannot be kept.
    """

    version: int = 0
    terms: tuple[str, ...] = ()
    terms_action: TermsAction = "redact"
    cards_action: Action | Literal["off"] = "redact"
    iban_action: Action | Literal["off"] = "off"
    email_action: Action | Literal["off"] = "off"
    phone_action: Action | Literal["off"] = "off"
    secrets_action: Action | Literal["off"] = "redact"
    window_chars: int = 120

    def __post_init__(self) -> None:
        if not MIN_WINDOW_CHARS <= self.window_chars <= MAX_WINDOW_CHARS:
            raise WindowOutOfRange(
                f"window_chars is {self.window_chars}; it must be between {MIN_WINDOW_CHARS} and {MAX_WINDOW_CHARS}."
            )
        if len(self.terms) > MAX_TERMS:
            raise TooManyTerms(f"The policy has {len(self.terms)} terms; at most {MAX_TERMS} are possible.")
        for place, term in enumerate(self.terms, start=1):
            # The folded form is the longest spelling: accents stand apart there.
            if not spell(term):
                raise TermEmpty(f"Term {place} has no visible character; remove it.")
            if max(len(spell(term)), len(term)) > self.window_chars:
                raise TermTooLong(
                    f"Term {place} has {max(len(spell(term)), len(term))} characters, more than the window of "
                    f"{self.window_chars}; shorten it or widen the window."
                )
