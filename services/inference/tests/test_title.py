import pytest

from inference_service.domain.title import LONGEST, title


@pytest.mark.parametrize(
    ("question", "called"),
    [
        ("How long may I return it?", "How long may I return it?"),
        ("  Hello,\n\nhow are\tyou?  ", "Hello, how are you?"),
        ("word " * 30, "word " * 15 + "word…"),
        ("x" * 200, "x" * (LONGEST - 1) + "…"),
        ("Hi " + "x" * 200, "Hi " + "x" * (LONGEST - 4) + "…"),
        ("退货" * 60, ("退货" * 60)[: LONGEST - 1] + "…"),
        (" \n ", None),
    ],
)
def test_a_conversation_is_called_by_the_beginning_of_its_question(question: str, called: str | None):
    assert title(question) == called
    assert len(called or "") <= LONGEST
