"""Watchers and what they make: journal, metrics, request summaries, tables, the report. No room calls them."""
