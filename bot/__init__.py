"""Conversations of citizens with the bot."""
