"""What can be wrong with a request to the filter.

Rejected
└── PolicyRefused
    ├── TermEmpty
    ├── TermTooLong
    ├── TooManyTerms
    └── WindowOutOfRange
"""

from runtime.errors import Rejected


class PolicyRefused(Rejected):
    """The policy cannot be kept as it is; the sentence says what to change."""


class TermEmpty(PolicyRefused):
    """A term has no visible character, so it would match everywhere or nowhere."""


class TermTooLong(PolicyRefused):
    """A term does not fit the window: it could be shown before it was recognised."""


class TooManyTerms(PolicyRefused):
    """The list is longer than what every stream can be judged by."""


class WindowOutOfRange(PolicyRefused):
    """The window is too small for a card number or so large that text would visibly wait."""
