"""Codes of products, parts and faults (`IB-340`, `KY100`, `E4`), and texts that are about another of the same kind.

Neither words nor meaning tell two models apart whose manuals say the same with other numbers: to an embedding `IB-340`
is nearly `IB-420`. Their codes do.
"""

import re
from typing import Final

Code = tuple[str, str]
"""Its letters and the rest of it, without what stands between them."""

_CODE: Final = re.compile(
    r"(?<![^\W_])(?:([A-Za-z]{1,8})[-_.]?|([A-Z]{1,8}) )(\d{1,8}[A-Za-z]{0,3})(?![^\W_])", re.ASCII
)
"""Apart by a space only behind capitals: `May 14` is none."""


def codes_in(text: str) -> frozenset[Code]:
    """Return the codes that a text names, however each is written."""
    return frozenset(((one[1] or one[2]).casefold(), one[3].casefold()) for one in _CODE.finditer(text))


def is_about_another(text: str, asked: frozenset[Code]) -> bool:
    """Whether a text names codes that begin as an asked one does, and none of those that are asked for."""
    if not asked:
        return False
    named = codes_in(text)
    kinds = {letters for letters, _ in asked}
    return not named & asked and any(letters in kinds for letters, _ in named)
