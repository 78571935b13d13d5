"""A hub as a loss system: how many requests find everything taken."""

from __future__ import annotations

from quantum_fabric.errors import QuantityError


def erlang_b(servers: int, load: float) -> float:
    """Share of Poisson arrivals that find all servers busy and are lost.

    Exact for any law of the holding time: only its mean matters. A calibration after every session counts as holding time.

    Equation: B(0) = 1, B(c) = a B(c-1) / (c + a B(c-1)) (Erlang 1917, in the stable recursion).

    Args:
        servers: memory slots, stations, ports, at least 0.
        load: offered, in erlangs (arrival rate times mean holding time), 0 or more.

    Raises:
        QuantityError: outside of these.

    Examples:
        >>> round(erlang_b(8, 6.0), 5)
        0.12188
    """
    if servers < 0 or not 0.0 <= load < float("inf"):
        raise QuantityError(found=f"{servers} servers, {load!r} erlangs", expected="0 or more of both")
    lost = 1.0
    for count in range(1, servers + 1):
        lost = load * lost / (count + load * lost)
    return lost


def servers_for(load: float, blocking: float) -> int:
    """How many servers keep the share that is lost at or below a bound.

    Raises:
        QuantityError: a bound outside (0, 1], or a load below 0.

    Examples:
        >>> servers_for(6.0, 0.01), erlang_b(12, 6.0) <= 0.0115
        (13, True)
    """
    if not 0.0 < blocking <= 1.0:
        raise QuantityError(found=repr(blocking), expected="a share in (0, 1]", where="blocking")
    servers = 0
    while erlang_b(servers, load) > blocking:
        servers += 1
    return servers
