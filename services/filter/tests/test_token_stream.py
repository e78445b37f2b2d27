import json
from pathlib import Path
from typing import Any

import pytest

from filter_service.domain.judge import Bench, prepare
from filter_service.domain.policy import Policy
from filter_service.domain.token_stream import Release, TokenStream

CASES: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "data" / "stream_vector.json").read_bytes())


def bench_of(case: dict[str, Any]) -> Bench:
    return prepare(Policy(**{**case["policy"], "terms": tuple(case["policy"]["terms"])}))


def replayed(case: dict[str, Any], *, seen_seq: int, group: int = 1) -> tuple[TokenStream, list[Release]]:
    """All pieces from 0, so many to a message, as a worker replays them."""
    stream, pieces = TokenStream(bench_of(case), seen_seq=seen_seq), case["pieces"]
    releases = [stream.take(first, pieces[first : first + group]) for first in range(0, len(pieces), group)]
    return stream, [release for release in [*releases, stream.end(len(pieces))] if release]


@pytest.mark.parametrize("name", CASES)
def test_the_recorded_pieces_still_give_the_recorded_tokens(name: str) -> None:
    case = CASES[name]
    stream = TokenStream(bench_of(case))
    outputs = []
    for index, piece in enumerate(case["pieces"]):
        if release := stream.take(index, [piece]):
            outputs.append({"after_piece": index, "seq": release.seq, "text": release.text})
    if release := stream.end(len(case["pieces"])):
        outputs.append({"after_piece": len(case["pieces"]), "seq": release.seq, "text": release.text})
    assert outputs == case["outputs"]
    assert (stream.last_seq, list(stream.blocked), stream.found) == (case["last_seq"], case["blocked"], case["found"])


@pytest.mark.parametrize("name", CASES)
def test_a_fresh_judge_goes_on_from_every_place(name: str) -> None:
    case = CASES[name]
    for seen_seq in range(-1, case["last_seq"] + 1):
        stream, releases = replayed(case, seen_seq=seen_seq)
        assert [release.seq for release in releases] == list(range(seen_seq + 1, case["last_seq"] + 1))
        assert [release.text for release in releases] == [out["text"] for out in case["outputs"][seen_seq + 1 :]]
        assert (stream.is_over, stream.last_seq, stream.found) == (True, case["last_seq"], case["found"])


@pytest.mark.parametrize("group", [2, 3, 7, 100])
@pytest.mark.parametrize("name", CASES)
def test_pieces_that_share_a_message_are_numbered_the_same(name: str, group: int) -> None:
    case = CASES[name]
    for seen_seq in (-1, 3):
        stream, releases = replayed(case, seen_seq=seen_seq, group=group)
        rest = [out["text"] for out in case["outputs"][seen_seq + 1 :]]
        assert "".join(release.text for release in releases) == "".join(rest)
        assert stream.last_seq == case["last_seq"]
        expected = seen_seq + 1
        for release in releases:
            assert release.from_seq == expected
            expected = release.seq + 1
        assert expected == max(case["last_seq"], seen_seq) + 1


def test_pieces_that_come_again_are_judged_once() -> None:
    stream = TokenStream(prepare(Policy()))
    assert stream.take(0, ["a", "b"]) == Release(0, 1, "ab")
    assert stream.take(0, ["a", "b"]) is None
    assert stream.take(1, ["b", "c"]) == Release(2, 2, "c")


def test_a_gap_is_left_to_whoever_replays() -> None:
    stream = TokenStream(prepare(Policy()))
    assert stream.take(1, ["b"]) is None
    assert stream.end(2) is None
    assert not stream.is_over
    assert stream.take(0, ["a", "b"]) == Release(0, 1, "ab")
    assert stream.end(2) is None
    assert stream.is_over


def test_after_a_block_nothing_comes() -> None:
    stream = TokenStream(prepare(Policy(terms=("acme",), terms_action="block")))
    assert stream.take(0, ["By ", "acme", "!", " more"]) == Release(0, 0, "By ")
    assert (stream.is_over, stream.blocked, stream.last_seq) == (True, ("blocklist",), 0)
    assert stream.take(4, ["more"]) is None
    assert stream.end(5) is None


def test_an_answer_without_pieces_ends_without_tokens() -> None:
    stream = TokenStream(prepare(Policy()))
    assert stream.end(0) is None
    assert (stream.is_over, stream.last_seq) == (True, -1)
