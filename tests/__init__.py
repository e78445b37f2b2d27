"""What crosses services; a service's own unit tests live beside it."""
