"""Lists that one message holds: what is beyond it would never arrive, nor would the rest."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Final, TypeVar

from contracts.base import Contract

MOST_BYTES: Final = 768 * 1024
"""Where the broker takes 1 MiB."""
ItemT = TypeVar("ItemT", bound=Contract)


def that_fit(items: Sequence[ItemT]) -> tuple[ItemT, ...]:
    """As many of the first as one message holds, one at least."""
    sizes = accumulate(len(item.dump()) for item in items)
    return tuple(items[: max(1, sum(size <= MOST_BYTES for size in sizes))])
