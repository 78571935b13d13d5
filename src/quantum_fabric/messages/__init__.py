"""The seam: the records that cross between what is true (the plant) and what is believed (the control plane).

Every record is frozen, has named fields and no behaviour. Times are integer picoseconds since the start of the
run, durations too; every other number is SI. Bell states go by name. A message never carries a handle to an object:
things are named by node name, link name, slot number, and the identity of an elementary pair.

Identity of a pair:
    An *elementary pair* gets its name from its herald, which both ends hear: ``"NU~StarLight/0#17"`` is the 17th
    herald on lane 0 of that link. A longer pair is named by the elementary pairs at its two ends, a `PairId`. So
    identities compose at a swap without anybody allocating a number.

Eight families (one module each; the unions are below):
    requests and outcomes  caller <-> controller
    installation           controller <-> node agents
    coordination           node agent <-> node agent
    commands               node agent (or a service) -> plant
    events                 plant -> node agents
    keys                   a service that makes keys -> watchers
    letters                seat <-> seat, where the classical plane or the controller fails
    domains                controller <-> controller, where there are several
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from quantum_fabric.messages.asking import (
    Accept,
    Ask,
    DryRun,
    Explain,
    Explained,
    Guarantee,
    Judged,
    Kept,
    Offered,
    PassedOver,
    Renegotiate,
    Renegotiated,
    Supposed,
    WhatIf,
)
from quantum_fabric.messages.commands import (
    Arm,
    Calibrate,
    Consume,
    Correct,
    Discard,
    Fuse,
    Measure,
    Purify,
    Swap,
    Teleport,
    Turn,
    Wake,
)
from quantum_fabric.messages.coordination import Joined, Lost, PurifyAnswer, PurifyAsk
from quantum_fabric.messages.domains import (
    CurvePoint,
    Domains,
    Duty,
    LinkNews,
    LinkState,
    NodeNews,
    SegmentAccept,
    SegmentAsk,
    SegmentConfirmed,
    SegmentDown,
    SegmentOffered,
    SegmentRefused,
)
from quantum_fabric.messages.events import (
    Calibrated,
    Drifted,
    Fused,
    Heralded,
    LinkChanged,
    Measured,
    NodeFailed,
    NodeRecovered,
    Purified,
    Received,
    SharedTruth,
    Stale,
    Swapped,
    Teleported,
    Truth,
)
from quantum_fabric.messages.failures import LinkWorn, Protected, Rerouted, SlotsBroken, SlotsLost, Unkept
from quantum_fabric.messages.installation import (
    Calibration,
    Commit,
    Confirmed,
    CutoffRule,
    Declined,
    DeliverRule,
    Drain,
    GenerateRule,
    LinkReport,
    Prepare,
    Prepared,
    PurifyRule,
    Read,
    Reading,
    Release,
    Released,
    Renew,
    Rule,
    SwapRule,
)
from quantum_fabric.messages.keys import KeyAlarm, KeyBlock
from quantum_fabric.messages.letters import (
    ClockStep,
    ControllerFailed,
    ControllerRecovered,
    Deposed,
    Holding,
    Inquire,
    Letter,
    Partition,
    Receipt,
    Restarted,
    Undelivered,
    Verdict,
)
from quantum_fabric.messages.readings import Outcomes, Packet, Tested, Unread
from quantum_fabric.messages.requests import (
    ANYWHERE,
    Accepted,
    Cancel,
    Code,
    Delivered,
    DeliveryLaw,
    Forecast,
    Join,
    LinkPlan,
    LinkRequest,
    Outcome,
    Plan,
    Promise,
    Refused,
    Route,
    Service,
    Status,
    Substandard,
    Survival,
    Turning,
)
from quantum_fabric.messages.states import (
    Axes,
    Bell,
    Choice,
    Correlators,
    Distillation,
    Order,
    PairId,
    Rotation,
    Side,
    Stretch,
    Weights,
)
from quantum_fabric.messages.verification import Degraded, Doubt, Suspected, Verified

Coordination: TypeAlias = Joined | Lost | PurifyAsk | PurifyAnswer
Installation: TypeAlias = (
    Prepare | Prepared | Declined | Commit | Renew | Drain | Release | Released | Confirmed | LinkReport
    | Restarted | Inquire | Holding | SlotsLost | LinkWorn
)  # fmt: skip
Carriage: TypeAlias = (
    Letter | Receipt | Undelivered | Deposed | Partition | ClockStep | ControllerFailed | ControllerRecovered
)
Command: TypeAlias = (
    Arm | Swap | Purify | Discard | Consume | Measure | Teleport | Correct | Turn | Fuse | Calibrate
)
Event: TypeAlias = (
    Heralded
    | Swapped
    | Purified
    | Measured
    | Teleported
    | Received
    | Fused
    | LinkChanged
    | Calibrated
    | NodeFailed
    | NodeRecovered
    | SlotsBroken
)
Asking: TypeAlias = (
    Ask
    | Offered
    | Accept
    | DryRun
    | Judged
    | Explain
    | Explained
    | Renegotiate
    | Renegotiated
    | Kept
    | WhatIf
    | Supposed
)
Client: TypeAlias = (
    LinkRequest | Cancel | Accepted | Refused | Delivered | Substandard | Outcomes | Tested | Unread | Packet
    | Rerouted | Protected | Unkept | Verified | Degraded | Doubt | Suspected | Outcome
)  # fmt: skip
Keys: TypeAlias = KeyBlock | KeyAlarm
Message: TypeAlias = (
    Coordination
    | Installation
    | Carriage
    | Command
    | Event
    | Client
    | Asking
    | Domains
    | Keys
    | Wake
    | Truth
    | SharedTruth
    | Drifted
    | Stale
)


@dataclass(frozen=True, slots=True)
class Send:
    """Carry a message to a seat: a node's agent, the controller, or a client."""

    to: str
    message: Message


CONTROLLER = "controller"
"""Name of the controller's seat; it sits at a node and its messages take that node's classical delays."""

CLIENT = "client"
"""Name of the seat where requests come from and replies go to; it sits beside the controller."""

__all__ = [
    "ANYWHERE",
    "CLIENT",
    "CONTROLLER",
    "Accept",
    "Accepted",
    "Arm",
    "Ask",
    "Asking",
    "Axes",
    "Bell",
    "Calibrate",
    "Calibrated",
    "Calibration",
    "Cancel",
    "Carriage",
    "Choice",
    "Client",
    "ClockStep",
    "Code",
    "Command",
    "Commit",
    "Confirmed",
    "Consume",
    "ControllerFailed",
    "ControllerRecovered",
    "Coordination",
    "Correct",
    "Correlators",
    "CurvePoint",
    "CutoffRule",
    "Declined",
    "Degraded",
    "DeliverRule",
    "Delivered",
    "DeliveryLaw",
    "Deposed",
    "Discard",
    "Distillation",
    "Domains",
    "Doubt",
    "Drain",
    "Drifted",
    "DryRun",
    "Duty",
    "Event",
    "Explain",
    "Explained",
    "Forecast",
    "Fuse",
    "Fused",
    "GenerateRule",
    "Guarantee",
    "Heralded",
    "Holding",
    "Inquire",
    "Installation",
    "Join",
    "Joined",
    "Judged",
    "Kept",
    "KeyAlarm",
    "KeyBlock",
    "Keys",
    "Letter",
    "LinkChanged",
    "LinkNews",
    "LinkPlan",
    "LinkReport",
    "LinkRequest",
    "LinkState",
    "LinkWorn",
    "Lost",
    "Measure",
    "Measured",
    "Message",
    "NodeFailed",
    "NodeNews",
    "NodeRecovered",
    "Offered",
    "Order",
    "Outcome",
    "Outcomes",
    "Packet",
    "PairId",
    "Partition",
    "PassedOver",
    "Plan",
    "Prepare",
    "Prepared",
    "Promise",
    "Protected",
    "Purified",
    "Purify",
    "PurifyAnswer",
    "PurifyAsk",
    "PurifyRule",
    "Read",
    "Reading",
    "Receipt",
    "Received",
    "Refused",
    "Release",
    "Released",
    "Renegotiate",
    "Renegotiated",
    "Renew",
    "Rerouted",
    "Restarted",
    "Rotation",
    "Route",
    "Rule",
    "SegmentAccept",
    "SegmentAsk",
    "SegmentConfirmed",
    "SegmentDown",
    "SegmentOffered",
    "SegmentRefused",
    "Send",
    "Service",
    "SharedTruth",
    "Side",
    "SlotsBroken",
    "SlotsLost",
    "Stale",
    "Status",
    "Stretch",
    "Substandard",
    "Supposed",
    "Survival",
    "Suspected",
    "Swap",
    "SwapRule",
    "Swapped",
    "Teleport",
    "Teleported",
    "Tested",
    "Truth",
    "Turn",
    "Turning",
    "Undelivered",
    "Unkept",
    "Unread",
    "Verdict",
    "Verified",
    "Wake",
    "Weights",
    "WhatIf",
]
