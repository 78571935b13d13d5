"""One file for each experiment, or for a family of them; each has a tuple ``EXPERIMENTS``."""
