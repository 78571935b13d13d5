"""Names of the paths of a request that runs on several: each is a session of its own, and its caller knows one name."""

from __future__ import annotations

import re

_PATH = re.compile(r"/[1-9][0-9]*'*")


def path_name(request: str, number: int) -> str:
    """Name of the session of one path.

    Args:
        request: as its caller calls it.
        number: of the path, from 1.

    Examples:
        >>> path_name("request-7", 2)
        'request-7/2'
    """
    return f"{request}/{number}"


def is_path_of(name: str, request: str) -> bool:
    """Whether a session serves a request as one of its paths.

    Args:
        name: of the session.
        request: as its caller calls it.

    Limits:
        By the name alone: a request that somebody calls ``a/1`` counts as a path of ``a``.

    Examples:
        >>> is_path_of("request-7/2", "request-7"), is_path_of("request-71", "request-7"), is_path_of("r", "r")
        (True, False, False)
    """
    return name.startswith(request) and _PATH.fullmatch(name, len(request)) is not None


def asked_as(name: str) -> str:
    """What a caller calls the request whose path this may be; the name itself where it is no path's.

    Examples:
        >>> asked_as("request-7/2"), asked_as("request-7")
        ('request-7', 'request-7')
    """
    head, slash, tail = name.rpartition("/")
    return head if slash and _PATH.fullmatch(slash + tail) else name
