"""Runs the two machines of a session against each other over a line, in the order in which messages arrive."""

from __future__ import annotations

from quantum_fabric.errors import ProtocolError
from quantum_fabric.keys.postprocessing.line import Line
from quantum_fabric.keys.postprocessing.session import Receiver, Sender
from quantum_fabric.keys.postprocessing.terms import Outcome
from quantum_fabric.units import Time


def run(sender: Sender, receiver: Receiver, line: Line) -> tuple[Outcome, Outcome, Time]:
    """One block, from the first word to the last.

    Args:
        sender: end 0 of the line.
        receiver: end 1, which speaks first.
        line: what lies between.

    Returns:
        (the sender's outcome, the receiver's, when the last message arrived in ps; computing takes no time).

    Raises:
        ProtocolError: a message is missing, too many, or wrong; `ForgeryError` where a seal does not fit. No key is delivered
            at the end that noticed.

    Limits:
        The last message is a seal of the receiver: where an enemy stops it, the receiver holds a key that the sender does
        not have. Whoever uses keys must be told by both ends that there is one.

    Examples:
        See `session.Sender`.
    """
    ends = (sender, receiver)
    for who in (0, 1):
        for written in ends[who].start():
            line.send(who, written, 0)
    now = 0
    while True:
        first = None
        for who in (0, 1):
            arrival = line.next_arrival(who)
            if arrival is not None and (first is None or arrival < first[0]):
                first = (arrival, who)
        if first is None:
            break
        now, who = first
        heard = line.receive(who)
        assert heard is not None
        for written in ends[who].handle(heard[1]):
            line.send(who, written, now)
    if sender.outcome is None or receiver.outcome is None:
        raise ProtocolError("the line fell silent before the session was over")
    return sender.outcome, receiver.outcome, now
