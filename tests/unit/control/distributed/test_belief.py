"""A topology from hearsay gives the plans that the data sheets give."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import chain, link, node
from quantum_fabric.control.distributed.belief import believed, link_news, node_news
from quantum_fabric.documents import inventory, load_network, topology
from quantum_fabric.errors import InputError, QuantityError
from quantum_fabric.messages import CurvePoint, LinkRequest, LinkState, Plan
from quantum_fabric.network.methods import Method
from quantum_fabric.network.planning import plan
from quantum_fabric.network.told import CurveLink, curve_point
from quantum_fabric.network.topology import Topology
from quantum_fabric.units import US


def told(network: Topology, dark: frozenset[str] = frozenset()) -> list[LinkState]:
    """What each node would flood."""
    return [
        LinkState(
            name, 1, 1, 10**12, (node_news(each, each.slots),),
            tuple(link_news(beside, beside.name not in dark) for beside in network.links_at(name)),
        )
        for name, each in network.nodes.items()
    ]  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.01, 1.0), st.floats(0.9, 1.0)), min_size=1, max_size=4),
    st.floats(0.55, 0.97),
)
def test_plans_on_hearsay_are_those_of_the_data_sheets(hops: list[tuple[float, float]], floor: float) -> None:
    models = [link(success, 10 * US, fidelity) for success, fidelity in hops]
    network = topology(chain(len(hops) + 1, models, node(slots=4, t2=0.5), hop_delay=10 * US))
    ends = list(network.nodes)
    request = LinkRequest(ends[0], ends[-1], floor)
    heard = believed(told(network), network.delays, ends[0])
    one, two = (plan(each, request, method=Method.SWIFT) for each in (network, heard))
    assert type(one) is type(two)
    if isinstance(one, Plan) and isinstance(two, Plan):
        assert one.path == two.path
        assert two.forecast.rate == pytest.approx(one.forecast.rate, rel=1e-6)
        assert two.forecast.fidelity == pytest.approx(one.forecast.fidelity, abs=1e-9)


def test_a_link_that_either_end_calls_dark_is_left_out() -> None:
    network = topology(chain(3, link()))
    states = told(network)
    half = [states[0], *told(network, frozenset({"A~B"}))[1:]]
    assert set(believed(half, network.delays, "A").links) == {"B~C"}
    assert set(believed(states[:2], network.delays, "A").links) == {"A~B"}, "nobody has told of C"


def test_links_with_a_knob_are_told_as_curves() -> None:
    network = topology(inventory(load_network("chicago")))
    for name, view in network.links.items():
        news = link_news(view, up=True)
        knob = view.model.knob
        if knob is None:
            assert len(news.curve) == 1, name
            continue
        heard = CurveLink(news.curve, news.good_end)
        assert heard.knob is not None
        assert (heard.knob.low, heard.knob.high, heard.knob.good_end) == (knob.low, knob.high, knob.good_end)
        setting = (knob.low * knob.high) ** 0.5
        assert heard.heralding(setting).success == pytest.approx(
            view.model.heralding(setting).success, rel=0.1
        )
        assert heard.heralding(setting).fidelity == pytest.approx(
            view.model.heralding(setting).fidelity, abs=0.02
        )


def point(setting: float | None, fidelity: float = 0.9) -> CurvePoint:
    rest = (1.0 - fidelity) / 3.0
    return CurvePoint(setting, 0.1, 100, 0, (0, 0), (100, 100), (fidelity, rest, rest, rest))


def test_curves_that_make_no_sense_are_refused() -> None:
    for curve in ((), (point(0.9), point(0.8)), (point(None), point(0.8)), (point(0.8), point(0.8))):
        with pytest.raises(InputError):
            CurveLink(curve)
    curve = CurveLink((point(0.8), point(0.9, 0.95)))
    with pytest.raises(QuantityError):
        curve.heralding(0.95)
    with pytest.raises(QuantityError):
        curve.heralding(0.8, lanes=0)
    assert curve_point(curve.heralding(0.9), 0.9) == point(0.9, 0.95)
    assert CurveLink((point(None),)).knob is None
