"""Texts of like length together: a run is as long as its longest text, and what is padded is paid for."""

from collections.abc import Iterator, Sequence


def batches(sizes: Sequence[int], most: int, most_texts: int | None = None) -> Iterator[list[int]]:
    """Places of texts, the longest first, so that the longest of a batch times its number is at most `most`.

    A text that is larger alone is a batch of its own. Args: `sizes` in tokens; `most` padded tokens of a batch.
    """
    batch: list[int] = []
    for place in sorted(range(len(sizes)), key=lambda place: sizes[place], reverse=True):
        is_full = batch and (sizes[batch[0]] * (len(batch) + 1) > most or len(batch) == most_texts)
        if is_full:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch
