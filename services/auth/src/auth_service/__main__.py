"""`python -m auth_service`."""

from auth_service.app import build
from runtime.service import main

if __name__ == "__main__":
    main("auth", build)
