"""What a conversation is called in a list."""

from typing import Final

LONGEST: Final = 80


def title(question: str) -> str | None:
    """The beginning of its first question, on one line, cut between words where there are any; None without text."""
    line = " ".join(question.split())
    if len(line) <= LONGEST:
        return line or None
    room = line[:LONGEST]
    # without spaces, as in Chinese, or behind a long word there is nothing better than the middle of it
    at_word = room.rfind(" ", LONGEST // 2)
    return f"{room[:at_word] if at_word > 0 else room[:-1]}…"
