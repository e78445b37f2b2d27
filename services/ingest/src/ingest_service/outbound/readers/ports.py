"""What every reader is given."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

Say = Callable[[int, int], None]
"""Called with how many pages, slides or sheets are done, and of how many; once or more often."""


@dataclass(frozen=True, slots=True)
class Ocr:
    """How pictures are read: in tesseract's languages (`deu`), and how many seconds all of a document's may take."""

    languages: tuple[str, ...] = ()
    cpu_s: float = 0.0
    wall_s: float = 0.0

    @property
    def is_there(self) -> bool:
        return bool(self.languages) and self.cpu_s > 0


NO_OCR: Final = Ocr()
