"""Speaks the platform's public interface, as any other program would."""
