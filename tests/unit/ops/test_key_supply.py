"""What sessions made, in numbers, in the report and in the figure of rates."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from quantum_fabric.messages import KeyAlarm, KeyBlock
from quantum_fabric.ops.key_rate_plot import RateCurve, write_csv, write_figure, write_parquet
from quantum_fabric.ops.key_section import Assault, over_time, section
from quantum_fabric.ops.key_supply import KeySupply
from quantum_fabric.units import SECOND


def block(number: int, length: int, reason: str = "", session: str = "ab") -> KeyBlock:
    start = number * SECOND
    return KeyBlock(
        session, number, "A", "B", "bb84", start, start + SECOND // 2, 900, 600, 0.01 if length else 0.13, length, 70,
        1e-9 if length else 1.0, 2048, reason,
    )  # fmt: skip


def supply() -> KeySupply:
    made = KeySupply()
    made(SECOND, "B", block(0, 4096))
    made(
        2 * SECOND,
        "B",
        KeyAlarm("ab", 1, "error rate", 0.13, 0.0, 0.04, 500, 1e-30, "13 % of <bits> are wrong"),
    )
    made(2 * SECOND, "B", block(1, 0, "alarm: error rate"))
    made(3 * SECOND, "B", block(2, 2048))
    made(3 * SECOND, "B", block(0, 8, session="c & d"))
    return made


def test_sums() -> None:
    made = supply().sessions["ab"]
    assert (made.bits, made.delivered, len(made.blocks), len(made.alarms)) == (6144, 2, 3, 1)
    assert made.epsilon == pytest.approx(2e-9)
    assert made.error_rate == pytest.approx(0.05)
    assert supply().rate("ab", 4 * SECOND) == 1536.0
    assert supply().rate("ab", 0) == 0.0


def test_the_section_has_sessions_attacks_and_alarms() -> None:
    hit = Assault("intercept_resend", "fibre", SECOND, 2 * SECOND, ("error rate",), "")
    unseen = Assault("compromised_node", "B", 0, SECOND, (), "never seen: every key of the node is known")
    page = section(supply(), [hit, unseen], 4 * SECOND)
    for text in (
        "6,144",
        "1 × alarm: error rate",
        "c &amp; d",
        "13 % of &lt;bits&gt;",
        "nothing: never seen",
        "≤ 1e-30",
        "<svg",
    ):
        assert text in page
    assert page == section(supply(), [hit, unseen], 4 * SECOND)
    assert section(KeySupply(), [hit], SECOND) == ""
    assert over_time(KeySupply(), [], SECOND) == ""


CURVES = [
    RateCurve("bb84", "BB84", [0.0, 50.0, 100.0], [1e-3, 1e-4, 0.0]),
    RateCurve("bb84-finite", "finite", [0.0, 50.0, 100.0], [5e-4, 0.0, 0.0], finite=True),
    RateCurve("plob", "bound", [0.0, 50.0, 100.0], [float("inf"), 0.1, 0.01], bound=True),
    RateCurve("none", "nothing", [0.0], [0.0]),
]


@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
def test_figures(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"rates.{ending}"
    write_figure(str(path), CURVES, "title")
    assert path.stat().st_size > 5000
    if ending == "svg":
        first = path.read_bytes()
        write_figure(str(path), CURVES, "title")
        assert path.read_bytes() == first


def test_tables(tmp_path: Path) -> None:
    write_csv(tmp_path / "rates.csv", CURVES)
    write_parquet(tmp_path / "rates.parquet", CURVES)
    for name in ("rates.csv", "rates.parquet"):
        rows = duckdb.sql(f"SELECT * FROM '{tmp_path / name}'").fetchall()
        assert len(rows) == 10
        assert rows[1] == ("bb84", 50.0, 1e-4)
