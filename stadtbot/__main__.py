"""`python -m stadtbot` is `stadtbot`."""

from stadtbot.cli import app

app()
