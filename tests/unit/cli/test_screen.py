"""Tables and lines, with and without everything in them."""

from __future__ import annotations

from dataclasses import replace

from rich.console import Console

from quantum_fabric.cli.screen import request_table, show_forecast, show_refusal
from quantum_fabric.messages import Code, Forecast, LinkRequest, Order, Plan, Refused
from quantum_fabric.messages import Distillation as D
from quantum_fabric.ops.summary import Mean, Summary

ROW = Summary(
    name="video", source="A", destination="B", asked_pairs=3, asked_fidelity=0.9, asked_rate=2.0, deadline=None, delivered=2,
    fidelity=Mean(0.91, 0.9, 0.92, 2), estimate=0.9, rate=1234.5, expected_rate=None, expected_fidelity=None,
    latency_p50=10**9, latency_p99=2 * 10**9, status="expired", reason="too [bold]late[/]", offer="fidelity 0.8",
)  # fmt: skip


def shown(thing: object) -> str:
    console = Console(width=140, color_system=None)
    with console.capture() as capture:
        console.print(thing)
    return capture.get()


def test_a_full_row() -> None:
    text = shown(request_table([ROW]))
    for part in (
        "video",
        "A → B",
        "of 3",
        "0.9100 ± 0.0100",
        "≥ 0.9",
        "1,234",
        "1 ms",
        "2 ms",
        "expired",
        "fidelity 0.8",
    ):
        assert part in text
    assert "too [bold]late[/]" in text  # text from outside is text


def test_an_empty_row_and_a_narrow_interval() -> None:
    empty = replace(
        ROW,
        fidelity=None,
        latency_p50=None,
        latency_p99=None,
        status="open",
        reason="",
        offer="",
        asked_rate=0.0,
    )
    assert shown(request_table([empty])).count("–") >= 3
    assert "± <0.0001" in shown(request_table([replace(ROW, fidelity=Mean(0.91, 0.91, 0.91, 9))]))
    assert "0.9100\n" not in shown(request_table([replace(ROW, fidelity=Mean(0.91, 0.91, 0.91, 1))]))


def test_only_so_many_rows() -> None:
    text = shown(request_table([replace(ROW, name=f"r{i}") for i in range(9)], most=4))
    assert "r3" in text
    assert "r4" not in text


def test_a_refusal_with_and_without_an_offer() -> None:
    console = Console(width=140, color_system=None)
    offer = LinkRequest("A", "B", 0.8, pairs=1, rate=2.5, deadline=4 * 10**12)
    with console.capture() as capture:
        show_refusal(console, Refused("r", Code.NOTIME, "path A - B", "too slow", offer), "qfabric plan ...")
        show_refusal(console, Refused("r", Code.NOROUTE, "", "no way"))
    text = capture.get()
    assert "refused (NOTIME): too slow" in text
    assert "what binds: path A - B" in text
    assert "would be accepted: fidelity 0.8, 1 pair, rate 2.5 /s, deadline 4 s" in text
    assert "  qfabric plan ..." in text
    assert "no offer: nothing like it can be had here now" in text


def test_a_forecast_says_its_error() -> None:
    plan = Plan(
        ("A", "B"), (), Order.ASAP, (), 0, D.DEJMPS, None, Forecast(2997.0, 104.0, 0.98, 0.97, 4_280_000_000)
    )
    console = Console(width=140, color_system=None)
    with console.capture() as capture:
        show_forecast(console, plan)
        show_forecast(console, replace(plan, forecast=replace(plan.forecast, rate_error=0.0)))
    first, second = capture.get().splitlines()
    assert (
        first == "expected: 2,997 ± 100 pairs/s, fidelity 0.9800 (at least 0.9700), first pair after 4.28 ms"
    )
    assert "±" not in second
