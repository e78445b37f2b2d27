"""How well the filter's rules find personal data: `uv run python bench/filter_pii.py --data dev.jsonl`.

The file has a JSON object a line: `text`, and `spans` with `type`, `start`, `end`. Text is judged whole. A span counts
as found when a match of its kind overlaps it, and a match as right when a span of its kind does. IBANs begin behind the
country, so exact bounds are not asked for.
"""

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

from filter_service.domain.judge import prepare
from filter_service.domain.policy import Policy
from filter_service.domain.window import Window

POLICY = Policy(iban_action="redact", email_action="redact", phone_action="redact")
KINDS = {
    "CREDIT_CARD": "card_number",
    "IBAN_CODE": "iban",
    "EMAIL_ADDRESS": "email_address",
    "PHONE_NUMBER": "phone_number",
    "SECRET": "secret",
}


def matches(text: str) -> dict[str, list[tuple[int, int]]]:
    """Raw stretches by kind; those inside an earlier one of the same kind left out."""
    bench, window = prepare(POLICY), Window("", text, limit=POLICY.window_chars, is_whole=True)
    found: dict[str, list[tuple[int, int]]] = {rule.kind: [] for rule, _ in bench.rules}
    for at in range(len(window.folded)):
        for rule, _ in bench.rules if window.starts_character(at) else ():
            end, last = rule.at(window, at).end, found[rule.kind][-1:]
            if end >= 0 and not (last and end <= last[0][1]):
                found[rule.kind].append((window.origin[at], end))
    return found


def overlap(one: tuple[int, int], others: list[tuple[int, int]]) -> bool:
    return any(one[0] < other[1] and other[0] < one[1] for other in others)


def count(case: dict[str, Any], counts: Counter[tuple[str, str]], *, is_told: bool) -> None:
    """Add what was found in one text; tell what was missed or wrong if asked to."""
    found = matches(case["text"])
    for label, kind in KINDS.items():
        spans = [(span["start"], span["end"]) for span in case["spans"] if span["type"] == label]
        missed = [span for span in spans if not overlap(span, found[kind])]
        wrong = [match for match in found[kind] if not overlap(match, spans)]
        for word, places in (("spans", spans), ("found", found[kind]), ("missed", missed), ("wrong", wrong)):
            counts[kind, word] += len(places)
        if is_told:
            for start, end in missed + wrong:
                print(f"missed or wrong, {kind}: {case['text'][start:end]!r}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the JSON lines")
    parser.add_argument("--misses", action="store_true", help="print what was missed or wrongly found")
    options = parser.parse_args()
    counts: Counter[tuple[str, str]] = Counter()
    for line in options.data.read_text(encoding="utf-8").splitlines():
        count(json.loads(line), counts, is_told=options.misses)
    print(f"{'kind':<15} {'spans':>6} {'found':>6} {'missed':>7} {'wrong':>6} {'precision':>10} {'recall':>7}")
    for kind in KINDS.values():
        spans, total, missed, wrong = (counts[kind, word] for word in ("spans", "found", "missed", "wrong"))
        precision = f"{1 - wrong / total:.2f}" if total else "-"
        recall = f"{1 - missed / spans:.2f}" if spans else "-"
        print(f"{kind:<15} {spans:>6} {total:>6} {missed:>7} {wrong:>6} {precision:>10} {recall:>7}")


if __name__ == "__main__":
    main()
