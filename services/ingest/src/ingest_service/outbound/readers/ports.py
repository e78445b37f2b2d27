"""What every reader is given."""

from dataclasses import dataclass
from typing import Final, Protocol


class Say(Protocol):
    """Called once or more often."""

    def __call__(self, done: int, of: int, pictures: int = 0, /) -> None:
        """So many pages, slides or sheets are read, of how many; the last ones are `pictures`, which OCR reads."""


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
