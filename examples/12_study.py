"""A study from Python: how many memory slots does each repeater need, and what do they cost in waiting?

A line of 60 km with one repeater. First the forecast, for five numbers of memory slots; then the twin simulates two of them, until
the mean rate is known to 10 %; in the end the table is read back from its file, with the study that made it.
"""

import tempfile
from pathlib import Path

from quantum_fabric.studies import Run, bill, lines, parse_study, read_provenance, write

BASE = """
kind: study
version: 1
title: Memory slots of a repeater
base:
  link: {distance: 60 km, segments: 2}
  request: {fidelity: 0.9, pairs: 30}
outputs: [rate, fidelity, first_p90]
"""

forecast = parse_study(BASE + "vary: [{path: link.memories, name: slots, grid: [2, 4, 8, 16, 32]}]\n")
print(bill(forecast, measure=False).text(), "of the engine", forecast.engine.name)

with tempfile.TemporaryDirectory() as folder:
    state = Run(forecast, Path(folder)).go()
    for line in lines(forecast, state):
        found = {name: estimate.value for name, estimate in line.estimates.items()}
        print(
            f"{line.coordinates[0]:>4.0f} slots: {found['rate']:>6.0f} pairs/s of fidelity {found['fidelity']:.3f}, "
            f"nine in ten have a pair after {1e3 * found['first_p90']:.1f} ms"
        )

simulated = parse_study(
    BASE
    + """
vary: [{path: link.memories, name: slots, grid: [2, 8]}]
engine: twin
repeat: {interval: {of: rate, relative: 10 %}, least: 8, most: 60}
"""
)
print()
print(bill(simulated, measure=False).text(), "of the engine", simulated.engine.name)

with tempfile.TemporaryDirectory() as name:
    folder_ = Path(name)
    state = Run(simulated, folder_).go()
    table = lines(simulated, state)
    for line in table:
        rate = line.estimates["rate"]
        print(
            f"{line.coordinates[0]:>4.0f} slots: {rate.value:.0f} ± {rate.half:.0f} pairs/s after {line.runs} runs"
        )
        assert line.reached
    write(simulated, state, table, folder_)
    told = read_provenance(folder_ / "table.parquet")
    print(
        "the table knows its study:",
        told["title"],
        "-",
        told["base"]["link"]["distance"],
        "- seed",
        told["seed"],
    )
