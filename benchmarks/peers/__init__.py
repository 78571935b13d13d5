"""Peers: other simulators, each in an environment of its own, which the project works without.

A peer's driver runs in that environment, imports nothing of ours, reads a JSON question on standard input and prints
a JSON answer. It uses the peer's public interface only.
"""

from benchmarks.peers.environments import (
    ABSENT,
    PEERS,
    REQUSIM,
    SEQUENCE,
    Peer,
    PeerError,
    how_to_install,
    install,
    interpreter,
    said_of,
)

__all__ = [
    "ABSENT",
    "PEERS",
    "REQUSIM",
    "SEQUENCE",
    "Peer",
    "PeerError",
    "how_to_install",
    "install",
    "interpreter",
    "said_of",
]
