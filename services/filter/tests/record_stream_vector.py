"""Writes data/stream_vector.json anew: `python services/filter/tests/record_stream_vector.py`.

The file is the memory of what every replica must compute from the same pieces. A change of it means that a replica of
the old version and one of the new version would number an answer differently: deploy such a change without running
streams, and say so in the change log.
"""

import json
from pathlib import Path

from filter_service.domain.judge import prepare
from filter_service.domain.policy import Policy
from filter_service.domain.token_stream import TokenStream

VECTOR = Path(__file__).parent / "data" / "stream_vector.json"
PROSE = (
    "We",
    " can",
    " help",
    " with",
    " Ac",
    "me",
    " Corp",
    "oration",
    ", or",
    " acme",
    "\n",
    " corp",
    "!",
    " Your",
    " card",
    " 4",
    "111",
    " 1111",
    "-1111",
    " 1",
    "111",
    " ends",
    " in 30",
    " days",
    ".",
    "",
    " t1:4111111111111111 ",
    "他喜欢赌",
    "博",
    "吗",
    " Re\u0301sum",
    "e\u0301",
    "s, ",
    "ré",
    "sumé",
)
CASES = {
    "redacts": (Policy(version=3, terms=("Acme Corp", "赌博", "résumé")), PROSE),
    "blocks": (Policy(version=4, terms=("Acme Corp",), terms_action="block"), PROSE),
    "passes": (Policy(), ("t0:14567890123456 ", "t1:36227206271667 ", "fine")),
}


def record(policy: Policy, pieces: tuple[str, ...]) -> dict[str, object]:
    stream, outputs = TokenStream(prepare(policy)), []
    for index, piece in enumerate(pieces):
        if release := stream.take(index, [piece]):
            outputs.append({"after_piece": index, "seq": release.seq, "text": release.text})
    if release := stream.end(len(pieces)):
        outputs.append({"after_piece": len(pieces), "seq": release.seq, "text": release.text})
    return {
        "policy": {
            "version": policy.version,
            "terms": policy.terms,
            "terms_action": policy.terms_action,
            "cards_action": policy.cards_action,
            "window_chars": policy.window_chars,
        },
        "pieces": pieces,
        "outputs": outputs,
        "last_seq": stream.last_seq,
        "blocked": stream.blocked,
        "found": stream.found,
    }


if __name__ == "__main__":
    cases = {name: record(policy, pieces) for name, (policy, pieces) in CASES.items()}
    VECTOR.write_text(json.dumps(cases, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
