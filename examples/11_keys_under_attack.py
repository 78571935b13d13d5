"""Key bits from weak pulses over 25 km of fibre, while somebody attacks in five ways, one after the other."""

from quantum_fabric import documents
from quantum_fabric.cli.keying import begin
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import KeyAlarm, KeyBlock

NETWORK = {
    "kind": "network",
    "version": 1,
    "controller": "Office",
    "defaults": {"profile": "future"},
    "nodes": [{"name": "Office"}, {"name": "Depot"}],
    "links": [
        {
            "name": "dark fibre",
            "between": ["Office", "Depot"],
            "length": "25 km",
            "architecture": "direct_transmission",
            "source": {
                "sheet": "weak_pulse/gigahertz",
                "overrides": {"signal_share": "60 %", "decoy_share": "28 %", "decoy": 0.15},
            },
            "station": {"detector": "snspd-fast"},
        }
    ],
}
ATTACKS = ("intercept_resend", "photon_number_splitting", "blinding", "time_shift", "trojan_horse")


def workload() -> documents.Workload:
    """A block of photons each 100 ms, and an attack on every second one."""
    session = {
        "name": "keys",
        "from": "Office",
        "to": "Depot",
        "link": "dark fibre",
        "block": "8 ms",
        "every": "100 ms",
    }
    attacks = [
        {"kind": kind, "link": "dark fibre", "at": f"{200 * n + 100} ms", "until": f"{200 * n + 200} ms"}
        for n, kind in enumerate(ATTACKS)
    ]
    return documents.workload_from(
        {"kind": "workload", "version": 1, "duration": "1100 ms", "qkd": [session], "attacks": attacks}
    )


def told(time: int, _: str, message: object) -> None:
    """Print what the two ends say of each block."""
    if isinstance(message, KeyAlarm):
        print(f"          ! {message.alarm}: {message.evidence}")
    elif isinstance(message, KeyBlock):
        got = f"{message.length:,} bits of key" if message.length else message.reason
        print(f"{time / 1e9:6.0f} ms   error rate {message.error_rate:6.2%}   {got}")


plan = workload()
fabric = Fabric(documents.inventory(documents.network_from(NETWORK)), seed=1)
documents.check_workload(plan, fabric.inventory)
fabric.watch(told, KeyAlarm, KeyBlock)
keys = []
session = begin(fabric, plan.qkd[0], plan, plan.duration, hand=keys.append)
session.begin()
fabric.run(plan.duration)

print()
print(f"{session.total.bits:,} bits at each end; equal: {all(a == b for a, b in (key.keys for key in keys))}")
print(f"failure probability of all of them together: {session.total.ledger.total:.1e}")
