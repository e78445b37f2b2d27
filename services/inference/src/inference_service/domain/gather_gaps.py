"""Questions that found nothing good, put to those that mean the same."""

from collections.abc import Sequence
from itertools import accumulate

from contracts.ids import GapId, MessageId, uuid7
from inference_service.domain.clusters import Asked, Group, Sorted, group_of, joined, nearest
from inference_service.domain.extract import Embedder
from inference_service.domain.ports import Redaction, VainQuestions
from runtime.tenancy import TenantScope

AT_ONCE = 50
"""Questions of one tenant that are redacted and embedded in one call."""
MOST_BYTES = 128 * 1024
"""Of those together in UTF-8: a message of the broker holds eight times as much, and JSON may write six for one."""


def sort_questions(asked: Sequence[Asked], groups: Sequence[Group]) -> Sorted:
    """Put each question, in its turn, to the group it belongs to, or begin one with it."""
    known = {group.id: group for group in groups}
    gap_ids: dict[MessageId, GapId] = {}
    for one in asked:
        found = nearest(one, tuple(known.values()))
        group = joined(found, one) if found is not None else group_of(one, GapId(uuid7()))
        known[group.id] = group
        gap_ids[one.id] = group.id
    touched = dict.fromkeys(gap_ids.values())
    return Sorted(tuple(known[gap_id] for gap_id in touched), gap_ids)


async def gather_gaps(scope: TenantScope, questions: VainQuestions, *, redaction: Redaction, embedder: Embedder) -> int:
    """Gather what waits; returns how many questions were sorted. Safe to run twice, and by two at once.

    Gaps are shown to more people than conversations: no personal data gets into one.

    Raises:
        EmbedderFailed: there are no vectors now; the questions wait.
        Unavailable: the database is away, or the filter, and the questions wait.
    """
    waiting = _in_one_call(await questions.unsorted(scope, AT_ONCE))
    if not waiting:
        return 0
    texts = await redaction.redacted(scope, [question for _, question in waiting])
    vectors = await embedder.embed(texts)
    ids = (one for one, _ in waiting)
    asked = [Asked(one, text, vector) for one, text, vector in zip(ids, texts, vectors, strict=True)]
    return await questions.sort(scope, asked, sort_questions)


def _in_one_call(waiting: Sequence[tuple[MessageId, str]]) -> Sequence[tuple[MessageId, str]]:
    """The first of them as far as they fit, and one at least."""
    sizes = accumulate(len(question.encode()) for _, question in waiting)
    return waiting[: max(1, sum(size <= MOST_BYTES for size in sizes))]
