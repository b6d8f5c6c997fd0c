"""Conversations: checking them, rendering them, masking them, reading tool calls back."""
