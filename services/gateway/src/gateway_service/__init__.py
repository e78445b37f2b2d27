"""The edge: the only HTTP and WebSocket doors."""
