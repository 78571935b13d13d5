"""Scenarios, and the engines that run many of them fast: flat arrays in, tables out."""
