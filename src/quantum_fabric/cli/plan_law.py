"""The law of a forecast on the screen: how it was found, when pairs are there, how good they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from quantum_fabric.messages import Forecast
    from quantum_fabric.units import Time

SHARES = (0.01, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 0.999999)
"""Of the first deliveries, in the table."""


def show_law(out: Console, forecast: Forecast, pairs: int, deadline: Time | None) -> None:
    """The table of a law, its method and error, bounds, and the chance to meet a deadline."""
    from quantum_fabric.cli.screen import table
    from quantum_fabric.network.finish import chance_by, finished_by, quantile
    from quantum_fabric.ops.summary import show_number, show_wait
    from quantum_fabric.units import SECOND, show_time

    law = forecast.law
    if law is None:
        out.print("no law: nothing was delivered in the rehearsal")
        return
    several = (f"{pairs} pairs by",) if pairs > 1 else ()
    rows = table(
        "Probability", "First pair by", "Fidelity then", *several,
        right=("Probability", "First pair by", "Fidelity then", *several),
    )  # fmt: skip
    place = dict(zip(law.times, law.fidelities, strict=True))
    for share in SHARES:
        at = quantile(law, share)
        if at is None:
            continue
        more = (show_wait(finished_by(forecast, pairs, share)),) if pairs > 1 else ()
        rows.add_row(f"{100.0 * share:g} %", show_wait(at), f"{place[at]:.4f}", *more)
    out.print()
    out.print(rows)
    grain = f", times to {show_time(law.grain, 2)}" if law.grain else ""
    out.print(f"method: {law.method}; probabilities to {law.error:.1g}{grain}")
    said = "no exact method" if law.method == "rehearsal" else "left out"
    for reason in law.reasons:
        out.print(f"[dim]  {said}: {reason}[/]")
    low = law.low_fidelities
    out.print(f"fidelity that 99 %, 95 %, 50 % of the pairs reach: {low[0]:.4f}, {low[1]:.4f}, {low[2]:.4f}")
    floor = f", nested bound {show_number(law.floor)} pairs/s at least" if law.floor else ""
    out.print(f"bounds: these links cannot exceed {show_number(law.ceiling)} pairs/s{floor}")
    if deadline is not None:
        chance = chance_by(forecast, pairs, deadline)
        what = "a pair" if pairs == 1 else f"{pairs} pairs"
        out.print(f"{what} within {deadline / SECOND:.6g} s: probability {chance:.4g}")
