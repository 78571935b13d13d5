"""Tables and the page: units in names, provenance read back whole, the same bytes each time."""

from __future__ import annotations

import csv
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest

import studybench
from quantum_fabric.errors import InputError
from quantum_fabric.studies import (
    Answer,
    Page,
    Papers,
    Run,
    indices,
    lines,
    load_study,
    parse_study,
    read_provenance,
    render,
    write,
)
from quantum_fabric.studies.certificate import Check
from quantum_fabric.studies.inverse import Step
from quantum_fabric.studies.loading import digest
from quantum_fabric.studies.plots import front


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("done")
    study = studybench.study()
    state = Run(study, folder).go()
    write(study, state, lines(study, state), folder)
    (folder / "report.html").write_text(render(Page(study, lines(study, state))))
    return folder


def rows(path: Path) -> list[dict[str, object]]:
    with duckdb.connect() as database:
        result = database.execute("SELECT * FROM read_parquet(?)", [str(path)])
        names = [column[0] for column in result.description]
        return [dict(zip(names, row)) for row in result.fetchall()]


def test_columns_have_units_and_csv_says_the_same(done: Path) -> None:
    table = rows(done / "table.parquet")
    assert list(table[0]) == [
        "point", "distance_m", "memories", "runs", "rate_per_s", "rate_per_s_low", "rate_per_s_high", "fidelity", "fidelity_low",
        "fidelity_high", "first_p50_s", "first_p50_s_low", "first_p50_s_high", "reached",
    ]  # fmt: skip
    assert [row["distance_m"] for row in table] == [20e3, 20e3, 40e3, 40e3, 60e3, 60e3]
    with (done / "table.csv").open() as file:
        text = list(csv.DictReader(file))
    for line, row in zip(text, table):
        for name, value in row.items():
            if value is None:
                assert line[name] == ""
            elif isinstance(value, float):
                assert float(line[name]) == value


def test_every_run_can_be_made_again_from_the_table_alone(done: Path) -> None:
    """The documents in the metadata, and the seed of a row, give that row."""
    told = read_provenance(done / "runs.parquet")
    study = studybench.study()
    assert told["digest"] == study.digest
    assert told["documents_sha256"] == {name: digest(data) for name, data in told["base"].items()}
    row = rows(done / "runs.parquet")[7]
    point, run = int(str(row["point"])), int(str(row["run"]))
    papers = Papers(told["base"], study.design.settings(point))
    from quantum_fabric.studies import engine

    again = engine(told["engine"]).rows(papers, (int(str(row["seed"])),), frozenset())[0]
    assert (again["rate"], again["fidelity"]) == (row["rate_per_s"], row["fidelity"])
    assert run == 7 - sum(other["point"] < point for other in rows(done / "runs.parquet")[:7])


def test_other_files_have_no_provenance(tmp_path: Path) -> None:
    with duckdb.connect() as database:
        database.execute(f"COPY (SELECT 1 AS a) TO '{tmp_path / 'x.parquet'}' (FORMAT parquet)")
    with pytest.raises(InputError, match="without provenance"):
        read_provenance(tmp_path / "x.parquet")
    with pytest.raises(InputError, match="a Parquet file of a study"):
        read_provenance(tmp_path / "none.parquet")


class Sound(HTMLParser):
    """Sees that tags close and that nothing is fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br", "path", "use", "rect", "circle", "image"):
            self.open.append(tag)
        self.faults += [
            f"{tag} {name}"
            for name, value in attrs
            if name in ("src", "href") and (value or "").startswith("http")
        ]

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()


def test_the_page_is_whole_and_alone(done: Path) -> None:
    text = (done / "report.html").read_text()
    checker = Sound()
    checker.feed(text)
    assert checker.faults == []
    assert checker.open == []
    for words in ("Rate, as a map", "Bands are 95 %", "<svg", studybench.study().digest):
        assert words in text
    study = studybench.study()
    state = Run(study, done).go()
    assert render(Page(study, lines(study, state))) == text


def test_the_page_of_a_sensitivity_analysis(tmp_path: Path) -> None:
    text = (
        "kind: study\nversion: 1\n" + studybench.LINE.replace("0.9", "0.8") + "vary:\n"
        "- {path: link.distance, name: length, sample: {from: 20 km, to: 60 km}}\n"
        "- {path: defaults.detector.efficiency, name: detector, sample: {from: 0.85, to: 0.95}}\n"
        "outputs: [rate, segments]\nsensitivity: {base: 8, bootstrap: 50}\n"
    )
    study = parse_study(text)
    table = lines(study, Run(study, tmp_path).go())
    found, remarks = indices(study, table)
    assert [index.path for index in found] == ["link.distance", "defaults.detector.efficiency"]
    assert found[0].total.value > found[1].total.value
    assert remarks == ["segments does not vary"]
    page = render(Page(study, table, found, remarks))
    assert "What rate depends on" in page
    assert "segments does not vary" in page


def test_the_page_of_an_answer() -> None:
    steps = (Step("T2", "nodes.*.memory.t2", 0.4, "from 1 s to 4 s", "4 s", 2.0),)
    answer = Answer(
        True,
        "For rate at least 10 /s: T2 from 1 s to 4 s.",
        steps,
        2.0,
        (Check("asked again", "11 /s", True),),
        40,
        {},
    )
    page = render(Page(load_study("reach"), answer=answer))
    assert "Certificate" in page
    assert "from 1 s to 4 s" in page


def test_fronts() -> None:
    points = [(1.0, 1.0), (2.0, 0.5), (1.5, 0.4), (float("nan"), 9.0), (0.5, 1.0)]
    assert front(points, ("high", "high")) == [0, 1]
    assert front(points, ("low", "low")) == [4, 2]
