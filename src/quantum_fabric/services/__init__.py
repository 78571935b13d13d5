"""What a user asks for: links, and what is done with their pairs. A running fabric is handed in through its port."""

from quantum_fabric.services.link import Link, Pair, Teleportation, open_link

__all__ = ["Link", "Pair", "Teleportation", "open_link"]
