"""`python -m inference_service`."""

from inference_service.app import build
from runtime.service import main

if __name__ == "__main__":
    main("inference", build)
