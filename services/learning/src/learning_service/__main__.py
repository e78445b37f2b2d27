"""`python -m learning_service`."""

from learning_service.app import build
from runtime.service import main

if __name__ == "__main__":
    main("learning", build)
