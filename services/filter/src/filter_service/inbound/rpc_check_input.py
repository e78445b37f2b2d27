"""May this text of a customer be answered?"""

from contracts.filter import CHECK_INPUT, CheckInput, InputVerdict
from filter_service.domain.benches import Benches
from filter_service.domain.judge import Bench, check_input
from filter_service.domain.ports import Observer
from filter_service.domain.verdict import Blocked
from runtime.bus import Bus
from runtime.tenancy import TenantScope


def register(bus: Bus, benches: Benches, observer: Observer) -> None:
    """Answer `rpc.filter.check_input`."""

    async def check(question: CheckInput, scope: TenantScope) -> InputVerdict:
        return judged(await benches.current(scope), question.text, observer)

    bus.answer(CHECK_INPUT, check)


def judged(bench: Bench, text: str, observer: Observer) -> InputVerdict:
    """The verdict on a customer's text, counted."""
    verdict = check_input(bench, text)
    categories = verdict.categories if isinstance(verdict, Blocked) else ()
    observer.input_checked(is_allowed=not categories)
    return InputVerdict(is_allowed=not categories, categories=categories)
