"""`python -m filter_service`."""

from filter_service.app import build
from runtime.service import main

if __name__ == "__main__":
    main("filter", build)
