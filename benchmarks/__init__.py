"""Benchmarks: each with a goal, an event count and, where a peer is installed, the peer beside it in the same run.

    make bench                              all of them
    python -m benchmarks chain --quick      one of them, coarse
    python -m benchmarks --install-peers    put the peers into environments of their own

What is where:
    workload    the chain workload's numbers, the same ones for us and for the peer
    chain       our side of it
    peers       other simulators: how they are found and installed, and a driver for each
    event_path  the kernel alone, random draws alone, and a profile of the event path by room
    startup     what an import and ``--help`` cost
    suites      which measurements a benchmark makes, in which order, and the goals
    records     a measurement, its goal, its verdict
    processes   every measurement runs in a process of its own, which reports the CPU time it used
    report      the table and the JSON file

Clocks differ between machines, so a missed time goal is only reported. Event counts do not, so a missed count fails
the run, and `tests/unit/test_benchmarks.py` checks counts without a clock.
"""
