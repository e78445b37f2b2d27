"""What every reader is given."""

from collections.abc import Callable

Say = Callable[[int, int], None]
"""Called with how many pages, slides or sheets are done, and of how many; once or more often."""
