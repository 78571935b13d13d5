"""Requests that make no sense on any network are refused before anybody plans for them."""

from __future__ import annotations

from quantum_fabric.control.meaning import check_meaning
from quantum_fabric.errors import InputError
from quantum_fabric.messages import LinkRequest
from quantum_fabric.units import Time


def check_request(request: LinkRequest, at: Time = 0) -> None:
    """Refuse a request that makes no sense on any network.

    Args:
        request: what is asked.
        at: when it is asked, ps.

    Raises:
        InputError: names the argument, what was found and what was expected.

    Examples:
        >>> check_request(LinkRequest("Alice", "Alice", 0.9))
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.InputError: destination: found 'Alice', expected a node other than the source
    """
    fidelity, rate = request.fidelity, request.rate
    rules = (
        (request.source != request.destination, "destination", request.destination, "a node other than the source"),
        (_is_number(fidelity) and 0.5 < fidelity < 1.0, "fidelity", fidelity, "a fidelity in (0.5, 1)"),
        (isinstance(request.pairs, int) and request.pairs >= 1, "pairs", request.pairs, "at least 1 pair"),
        (_is_number(rate) and 0.0 <= rate < float("inf"), "rate", rate, "a rate of 0 or more, in pairs per second"),
        (request.deadline is None or request.deadline > at, "deadline", request.deadline, "a time after the request"),
    )  # fmt: skip
    for good, where, found, expected in rules:
        if not good:
            raise InputError(found=repr(found), expected=expected, where=where)
    check_meaning(request)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
