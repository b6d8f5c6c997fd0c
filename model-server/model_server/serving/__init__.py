"""Loaded models, and the one thread that talks to them."""
