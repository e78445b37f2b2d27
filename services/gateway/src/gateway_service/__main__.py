"""`python -m gateway_service`."""

from gateway_service.app import build
from runtime.service import main

if __name__ == "__main__":
    main("gateway", build)
