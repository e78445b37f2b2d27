"""Runs a service as `python -m MODULE` does, without the packages named after it.

In production each service's image holds that service's dependencies alone. Here all share one environment, and some
libraries import an optional package as soon as they find it: that costs each process time to start and memory.
"""

import runpy
import sys


def main(module: str, unused: list[str]) -> None:
    """Become the service; importing one of `unused` fails as if it were not installed."""
    for name in unused:
        sys.modules[name] = None  # type: ignore[assignment] # None is how the import system is told "not there"
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
