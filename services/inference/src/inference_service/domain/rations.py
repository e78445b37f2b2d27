"""What the calls to one kind of provider are held to, in each worker."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Rations:
    """How a provider is asked.

    Attributes:
        places: calls at a time, of each model.
        patience_s: how long a call waits for a place before the agent's next model is asked, in seconds.
        is_hedged: whether a second call beside a silent one can be any faster.
    """

    places: int
    patience_s: float
    is_hedged: bool


ONE_MACHINE: Final = Rations(places=16, patience_s=5.0, is_hedged=False)
"""A server that works on a few answers at a time and lets the rest wait: Ollama works on OLLAMA_NUM_PARALLEL, 1 to 4
unless somebody set it, and queues 512. Sixteen are four rounds of four: what waits longer would be taken for silent
after 10 s, and open the breaker of a server that is only busy. A second call would stand behind the first."""

HOSTED: Final = Rations(places=48, patience_s=1.0, is_hedged=True)
"""A fleet behind one address: its limits are counted in tokens and requests a minute, and told by 429 with the time to
wait. Three quarters of a worker's usual 64 answers: a provider that has become slow leaves the others a quarter."""
