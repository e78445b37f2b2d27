"""Free ports for what a test starts."""

import random
import socket


def free_ports(count: int) -> int:
    """The first of `count` neighbouring ports that are free now.

    Above the range that the kernel gives to outgoing connections nothing would be safe either, so the block is drawn at
    random below it: two runs on one machine hardly meet.
    """
    for _ in range(200):
        first = random.randrange(20_000, 31_000)
        if all(_is_free(first + offset) for offset in range(count)):
            return first
    raise RuntimeError("no free block of ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
