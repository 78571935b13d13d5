"""Requests that make no sense on any network are refused before anybody plans for them."""

from __future__ import annotations

from quantum_fabric.control.meaning import check_meaning, gathers
from quantum_fabric.errors import InputError
from quantum_fabric.messages import Code, LinkRequest, Refused, Survival
from quantum_fabric.units import Time

MOST_NAMES = 10_000
"""Names that a route may hold."""

MOST_PATHS = 8
"""Paths that one request may have."""

LONGEST_KEY = 200
"""Characters of an idempotency key."""


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
    _check_terms(request)
    check_meaning(request)


def contradiction(request: LinkRequest, at: Time) -> Refused | None:
    """The same as a refusal, for a controller whose caller did not look; None where the request makes sense.

    Examples:
        >>> contradiction(LinkRequest("A", "B", 0.9, deadline=5), 7).code.name
        'NOTIME'
    """
    try:
        check_request(request, at)
    except InputError as error:
        code = Code.NOTIME if error.where == "deadline" else Code.OTHER
        return Refused(request.name, code, error.where or "request", str(error))
    return None


def _check_terms(request: LinkRequest) -> None:
    """How surely, how evenly, and where."""
    route, ends = request.route, (request.source, request.destination)
    names = (*route.avoid, *(route.trusted or ()), *route.disjoint)
    both = sorted(set(route.avoid) & set(route.trusted or ()))
    alone = not gathers(request) and request.jitter is None and request.survives is Survival.NOTHING
    rules = (
        (_is_number(request.confidence) and 0.0 < request.confidence < 1.0, "confidence", request.confidence,
         "a probability in (0, 1)"),
        (request.jitter is None or (type(request.jitter) is int and request.jitter >= 0), "jitter", request.jitter,
         "a time of 0 or more"),
        (type(request.priority) is int, "priority", request.priority, "a whole number"),
        (len(names) <= MOST_NAMES, "route", len(names), f"at most {MOST_NAMES} names"),
        (not set(ends) & set(route.avoid), "route.avoid", route.avoid, "nodes other than the ends of the request"),
        (type(route.paths) is int and 1 <= route.paths <= MOST_PATHS, "route.paths", route.paths,
         f"a whole number from 1 to {MOST_PATHS}"),
        (route.paths == 1 or alone, "route.paths", route.paths,
         "1 where pairs must be alive together or come evenly, or where a failure is to be survived"),
        (not both, "route.avoid", tuple(both), "nodes that are not in trusted as well"),
        (not request.name or request.name not in route.disjoint, "route.disjoint", request.name, "other requests"),
        (len(request.key) <= LONGEST_KEY, "key", f"{len(request.key)} characters", f"at most {LONGEST_KEY} characters"),
    )  # fmt: skip
    for good, where, found, expected in rules:
        if not good:
            raise InputError(found=repr(found), expected=expected, where=where)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
