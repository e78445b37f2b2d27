"""What judging costs a piece, beside handing the piece on unjudged: `uv run python bench/filter_judge.py`.

100 streams take turns, as in a busy process. A row is a kind of text under a policy; "of a core" is the share that
5,000 pieces a second would need. Held: pieces that released nothing, and the most characters that ever waited. CPU time
of this process only, the least of several rounds.
"""

import argparse
import random
import re
import time
from collections.abc import Callable

from filter_service.domain.judge import Judge, prepare
from filter_service.domain.policy import Policy

STREAMS = 100
PIECES_PER_S = 5_000
PROSE = (
    "You can return an item within 30 days of delivery, unused and in its packaging. We refund the price you paid "
    "to the same card within 5 to 10 working days after it arrives; express shipping is not refunded. For tents and "
    "stoves the warranty lasts 2 years. If 4 weeks have passed, write to the shop and we will find a way. Gift cards "
    "worth 25, 50 or 100 euros never expire, and orders above 75 euros ship free since 2024. "
)
FOREIGN = (
    "Puede devolver un artículo en un plazo de 30 días después de la entrega, sin usar y en su embalaje. "
    "您可以在收到商品后三十天内退货。Для палаток и горелок гарантия действует два года. "
)
PAID = "Order 5 was paid with 4111 1111 1111 1111 on 24 May; call 555 0123 4567 or quote 3056 9309. "


def words(text: str) -> list[str]:
    """Pieces as models give them: a word with the space before it, a few characters where there are none."""
    return re.findall(r"\s*[^\s\u4e00-\u9fff]{1,9}|[\u4e00-\u9fff]{1,2}|\s+", text)


def stamps(count: int) -> list[str]:
    chance = random.Random(5)
    return [f"t{seq}:{chance.randrange(10**13, 10**16)} " for seq in range(count)]


def texts() -> dict[str, list[str]]:
    return {
        "stamped tokens": stamps(200),
        "prose": words(PROSE),
        "three languages": words(FOREIGN),
        "prose with numbers": words(PAID),
    }


def policies() -> dict[str, Policy]:
    chance = random.Random(3)
    made = ["".join(chance.choices("abcdefghijklmnoprstuw", k=chance.randrange(4, 11))) for _ in range(1_000)]
    made = [f"{term} {made[at - 1]}" if at % 4 == 0 else term for at, term in enumerate(made)]
    return {
        "cards": Policy(secrets_action="off"),
        "default": Policy(),
        "+ IBANs": Policy(iban_action="mask"),
        "+ phones": Policy(phone_action="mask"),
        "+ e-mail": Policy(email_action="mask"),
        "all": Policy(iban_action="mask", phone_action="mask", email_action="mask"),
        "default + 20 terms": Policy(terms=tuple(made[:20])),
        "default + 1,000 terms": Policy(terms=tuple(made)),
    }


def cost(makers: list[Callable[[str], str]], pieces: list[str], rounds: int) -> float:
    """CPU microseconds a piece."""
    best = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        for piece in pieces:
            for feed in makers:
                feed(piece)
        best = min(best, time.process_time() - began)
    return best / (len(pieces) * len(makers)) * 1e6


def held(policy: Policy, pieces: list[str]) -> tuple[float, int]:
    judge, waiting, most = Judge(prepare(policy)), 0, 0
    for piece in pieces:
        waiting += not judge.feed(piece)
        most = max(most, judge.held_chars)
    return waiting / len(pieces), most


def unjudged(piece: str) -> str:
    return piece


def show(*cells: str) -> None:
    print("{:<20} {:<22} {:>9} {:>10} {:>12} {:>11}".format(*cells))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    show("text", "policy", "us/piece", "of a core", "held pieces", "held chars")
    for name, pieces in texts().items():
        plain = cost([unjudged] * STREAMS, pieces, rounds)
        show(name, "no filter", f"{plain:.2f}", f"{plain * PIECES_PER_S / 1e4:.2f} %", "-", "-")
        for policy_name, policy in policies().items():
            bench = prepare(policy)
            spent = cost([Judge(bench).feed for _ in range(STREAMS)], pieces, rounds)
            share, most = held(policy, pieces)
            figures = f"{spent:.2f}", f"{spent * PIECES_PER_S / 1e4:.2f} %", f"{share:.1%}", str(most)
            show("", policy_name, *figures)
    for name, policy in policies().items():
        # Python remembers compiled expressions; a replica meets a policy for the first time.
        re.purge()
        began = time.process_time()
        prepare(policy)
        print(f"prepare, {name}: {(time.process_time() - began) * 1e3:.1f} ms, once a policy version")


if __name__ == "__main__":
    main()
