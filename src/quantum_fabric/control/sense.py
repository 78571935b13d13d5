"""Requests that make no sense on any network are refused before anybody plans for them."""

from __future__ import annotations

from quantum_fabric.control.meaning import check_meaning, gathers
from quantum_fabric.errors import InputError
from quantum_fabric.messages import Bell, Code, LinkRequest, Promise, Refused, Route, Service, Survival
from quantum_fabric.units import Time, show_time

MOST_NAMES = 10_000
"""Names that a route may hold."""

MOST_PATHS = 8
"""Paths that one request may have."""

LONGEST_KEY = 200
"""Characters of an idempotency key."""

MOST_PAIRS = 10**15
"""Pairs that one request may ask for."""


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
    _check_kinds(request)
    fidelity, rate, pairs = request.fidelity, request.rate, request.pairs
    rules: tuple[tuple[bool, str, object, str], ...] = (
        (request.source != "", "source", request.source, "the name of a node"),
        (request.destination != "", "destination", request.destination, "the name of a node"),
        (request.source != request.destination, "destination", request.destination, "a node other than the source"),
        (_is_number(fidelity) and 0.5 < fidelity < 1.0, "fidelity", fidelity, "a fidelity in (0.5, 1)"),
        (_is_whole(pairs) and pairs >= 1, "pairs", pairs, "at least 1 pair"),
        (not _is_whole(pairs) or pairs <= MOST_PAIRS, "pairs", pairs, f"at most {MOST_PAIRS:.0e} pairs"),
        (_is_number(rate) and 0.0 <= rate < float("inf"), "rate", rate, "a rate of 0 or more, in pairs per second"),
        (request.deadline is None or (_is_whole(request.deadline) and request.deadline > at), "deadline", request.deadline,
         f"a time after the request (at {show_time(at, 6)}), in whole picoseconds such as 5 * units.SECOND"),
    )  # fmt: skip
    for good, where, found, expected in rules:
        if not good:
            unit = " ps" if where == "deadline" and _is_whole(found) else ""
            raise InputError(found=_shown(found) + unit, expected=expected, where=where)
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


def _check_kinds(request: LinkRequest) -> None:
    """What is of the wrong type would be taken for something else, or not be seen at all (``service="measure"``)."""
    kinds: tuple[tuple[str, object, type, str], ...] = (
        ("source", request.source, str, "the name of a node"),
        ("destination", request.destination, str, "the name of a node"),
        ("hold", request.hold, bool, "True or False"),
        ("name", request.name, str, "a text"),
        ("tenant", request.tenant, str, "a text"),
        ("key", request.key, str, "a text"),
        ("service", request.service, Service, "a Service, such as Service.MEASURE"),
        ("promise", request.promise, Promise, "a Promise, such as Promise.END"),
        ("survives", request.survives, Survival, "a Survival, such as Survival.LINK"),
        ("bell", request.bell or Bell.PHI_PLUS, Bell, "a Bell state, such as Bell.PSI_MINUS, or None"),
        ("preemptible", request.preemptible, bool, "True or False"),
        ("route", request.route, Route, "a Route"),
    )
    for where, found, kind, expected in kinds:
        if not isinstance(found, kind):
            raise InputError(found=repr(found), expected=expected, where=where)
    route = request.route
    for where, names in (
        ("avoid", route.avoid),
        ("trusted", route.trusted or ()),
        ("disjoint", route.disjoint),
    ):
        if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
            raise InputError(
                found=repr(names), expected="a tuple of names, such as ('A', 'B')", where=f"route.{where}"
            )


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


def _shown(value: object) -> str:
    """What was found; a number of very many digits by its size (writing it out may not even be allowed)."""
    if isinstance(value, int) and value.bit_length() > 128:
        return f"{'-' if value < 0 else ''}2**{value.bit_length() - 1} or more"
    return repr(value)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
