"""Claims in another language than the passage they cite, and what the check says of them.

Made from XQuAD, whose paragraphs are parallel, and from sentences about the demo shop's pages in five languages
(`bench/grounding/foreign.json`: as plain as customers are answered, with few names to go by). True: a sentence of the
paragraph in the other language, whole or shortened. False: the same with one number changed, one name exchanged or one
negation put in (English sentences), or of another paragraph of the article (another section of the shop's page). Each
claim is an answer of its own: its language is told from that one sentence.
"""

import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
from grounding_claims import XQUAD, Case, altered, drawn, other_number, rows

import lumora.demo
from contracts.ingest import PassageHit
from inference_service.domain.claims import AnswerSentence
from inference_service.domain.extract import Embedder
from inference_service.domain.grounding import Checking
from inference_service.domain.spans import read_passage
from inference_service.domain.support import Verdict, judge, matches

SHOP = Path(__file__).parent / "grounding" / "foreign.json"
GROUPS: dict[str, Callable[[Case], bool]] = {
    "XQuAD, en de es among each other": lambda case: not {"zh", "ar", "shop"} & {*case.language.split(">")},
    "XQuAD, from or to zh": lambda case: "zh" in case.language and "ar" not in case.language,
    "XQuAD, from or to ar": lambda case: "ar" in case.language and "shop" not in case.language,
    "shop, es de fr zh ar to en": lambda case: case.language.endswith("shop"),
}


def foreign_cases(data: Path) -> list[Case]:
    """Drawn with a fixed seed; the language of a case is `es>en`: the claim's, and the passage's."""
    random.seed(11)
    texts = {
        code: {str(row["id"]): str(row["text"]) for row in rows(data / "xquad" / f"corpus_{code}.jsonl")}
        for code in XQUAD
    }
    found: list[Case] = []
    for said, written in permutations(XQUAD, 2):
        parallel = {text: texts[written][key] for key, text in texts[said].items()}
        for case in altered(texts[said], said):
            kind = "whole sentence" if case.kind == "quotation" else case.kind
            found.append(replace(case, kind=kind, language=f"{said}>{written}", passage=parallel[case.passage]))
    return [*drawn(found, each=30), *shop_cases()]


def shop_cases() -> Iterator[Case]:
    """Every sentence true, with its number changed, and against the other sections of its page."""
    sections: dict[tuple[str, str], str] = {}
    for path in sorted(Path(lumora.demo.__file__).parent.glob("*.md")):
        for part in re.split(r"^## ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            heading, _, body = part.partition("\n")
            sections[path.name, heading.strip()] = body.strip()
    for row in json.loads(SHOP.read_text(encoding="utf-8")):
        page, under = row.pop("document"), row.pop("under")
        own = sections[page, under]
        others = [text for (name, heading), text in sections.items() if name == page and heading != under]
        for language, claim in row.items():
            yield Case("whole sentence", f"{language}>shop", claim, own, is_true=True, fold=0, title=under)
            if changed := other_number(claim, own, "en"):
                yield Case("number changed", f"{language}>shop", changed, own, is_true=False, fold=0, title=under)
            yield Case("of another passage", f"{language}>shop", claim, random.choice(others), is_true=False, fold=0)


async def foreign_table(cases: Sequence[Case], embedder: Embedder, hit_of: Callable[[Case], PassageHit]) -> None:
    """Print what the check says, beside what it said when it took every passage for one in the answer's language."""
    verdicts: dict[str, dict[int, Verdict]] = {"as served": {}, "one language": {}}
    for case in cases:
        checked = await Checking([hit_of(case)], embedder).answer(f"{case.claim.rstrip('.。 ')} [1].")
        verdicts["as served"][id(case)] = checked.supports[0].verdict
        language = case.language.partition(">")[0]
        sentence = AnswerSentence(0, len(case.claim), case.claim, (1,), is_claim=True)
        found = matches(sentence, (read_passage(1, hit_of(case), language),), language)
        verdicts["one language"][id(case)] = judge(found, language).verdict
    print("\nclaims in another language than their passage: P and R are of `unsupported`")
    print(f"{'':36}{'method':14}{'true':>6}{'false':>6}{'P':>7}{'R':>7}{'true: unsup.':>14}{'unver.':>8}{'supp.':>7}")
    for title, belongs in GROUPS.items():
        chosen = [case for case in cases if belongs(case)]
        for name, said in verdicts.items():
            _line(title, name, chosen, said)
    print(f"\n{'as served, by kind':36}{'claims':>7}{'unsupported':>13}{'unverified':>12}{'supported':>11}")
    for title, belongs in GROUPS.items():
        for kind in sorted({case.kind for case in cases if belongs(case)}):
            mine = [case for case in cases if belongs(case) and case.kind == kind]
            shares = [_share(mine, verdicts["as served"], one) for one in ("unsupported", "unverified", "supported")]
            mark = "+" if mine[0].is_true else "-"
            print(f"{mark} {title[:14]:15}{kind:19}{len(mine):7}{shares[0]:13.3f}{shares[1]:12.3f}{shares[2]:11.3f}")


def _line(title: str, name: str, cases: Sequence[Case], said: dict[int, Verdict]) -> None:
    true = [case for case in cases if case.is_true]
    false = [case for case in cases if not case.is_true]
    caught, lost = (sum(said[id(case)] == "unsupported" for case in some) for some in (false, true))
    shares = [_share(true, said, one) for one in ("unsupported", "unverified", "supported")]
    precision = caught / max(caught + lost, 1)
    print(
        f"{title:36}{name:14}{len(true):6}{len(false):6}{precision:7.3f}{caught / len(false):7.3f}"
        f"{shares[0]:14.3f}{shares[1]:8.3f}{shares[2]:7.3f}"
    )


def _share(cases: Sequence[Case], said: dict[int, Verdict], verdict: Verdict) -> float:
    return float(np.mean([said[id(case)] == verdict for case in cases]))
