"""A workload on the Chicago network, with watchers: the same parts that `qfabric run` is made of.

A watcher is any callable that takes (time, place, message). It sees messages as they happen, before their receiver does.
"""

from quantum_fabric import Delivered, Fabric, documents
from quantum_fabric.ops.metrics import Metrics
from quantum_fabric.ops.requests import Histories
from quantum_fabric.ops.summary import summarise
from quantum_fabric.units import SECOND, show_time

network = documents.load_network("chicago")
workload = documents.load_workload("chicago")
fabric = Fabric(documents.inventory(network), seed=1)

# a watcher of our own: how old are pairs when they are delivered?
ages = []


def note_age(_time, _place, message):
    ages.append(message.delivered_at - message.created_at)


histories, metrics = Histories(), Metrics()
fabric.watch(note_age, Delivered)
fabric.watch(histories, *histories.SEES)
fabric.watch(metrics, *metrics.SEES)

arrivals = workload.arrivals(lambda name: fabric.streams.stream(f"workload/{name}").uniform)
for arrival in arrivals:
    if arrival.at < SECOND:
        fabric.submit(arrival.request, arrival.at)
fabric.run(2 * SECOND)
fabric.finish()

print(f"{'request':<22} {'asked':>6} {'pairs':>6} {'fidelity':>9} {'rate /s':>9}  outcome")
for history in histories:
    row = summarise(history, fabric.now)
    fidelity = f"{row.fidelity.value:.4f}" if row.fidelity else "-"
    print(
        f"{row.name:<22} {row.asked_fidelity:>6g} {row.delivered:>6} {fidelity:>9} {row.rate:>9.4g}  {row.status}"
    )

print()
ages.sort()
print(f"{len(ages)} pairs, the median one is {show_time(ages[len(ages) // 2], 3)} old when it is delivered")
print(
    f"{metrics.total('heralds')} elementary pairs, {metrics.total('swaps')} swaps, {metrics.total('messages')} messages"
)
assert not fabric.open_requests  # finish() has withdrawn what was still open
