"""Trains the bundled sentence-embedding model: `python -m nlu.training`. Needs torch and sentence-transformers."""
