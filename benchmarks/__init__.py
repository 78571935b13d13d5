"""Benchmarks: each with a goal, an event count and, where a peer is installed, the peer beside it in the same run.

    make bench                       all of them
    qfabric bench chain --quick      one of them, coarse (the same as ``python -m benchmarks chain --quick``)
    qfabric bench --install-peers    put the peers into environments of their own
    qfabric bench --keep             all of them; the page of the docs is written from the results

What is where:
    workload    the chain workload's numbers, the same ones for us and for the peer
    chain       our side of it, on the twin
    networks    networks and plans that the engines are timed on
    engines     the native kernel and live runs on them
    goals       the workloads that the engines are judged by, with their goals
    prototype   jobs of a C++ program of ours that can do nothing else
    turns       ours and the peers take turns
    run         what every measurement is told, and tells
    peers       other simulators: how they are found and installed, and a driver for each
    event_path  the kernel alone, random draws alone, and a profile of the event path by room
    startup     what an import and ``--help`` cost
    suites      which measurements a benchmark makes, in which order, and the goals
    records     a measurement, its goal, its verdict
    processes   every measurement runs in a process of its own, which reports the CPU time it used
    report      the table and the JSON file
    page        docs/explanation/performance.md, from the results that were kept in measured.json

Clocks differ between machines, so a missed time goal is only reported. Event counts do not, so a missed count fails
the run, and `tests/unit/test_benchmarks.py` checks counts without a clock.
"""
