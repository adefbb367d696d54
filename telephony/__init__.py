"""The phone bridge."""
