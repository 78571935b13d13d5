"""The max-plus recurrence on an accelerator: the same draws as the native sampler, replicas side by side in arrays of JAX.

Every replica has the native sampler's generator (xoshiro256+ of Blackman and Vigna, started by the BLAKE2b hash of its name) in 64-bit
integers, and the same logarithm from + - * /. So draws are the same bits, times the same picoseconds, and sums the same to rounding,
on a processor as on an accelerator.

JAX is an extra, ``pip install 'quantum-fabric[gpu]'``; nothing else needs it, and it is imported when an accelerator is asked for.

Limits:
    Sums and histograms, no lists of pairs. A compiler may fuse a multiplication and an addition, which rounds once instead of twice: a
    number of failures may then differ, once in about 1e14 draws.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

import numpy as np

from quantum_fabric.errors import InputError, StateError
from quantum_fabric.kernel.streams import log_of_failure
from quantum_fabric.montecarlo.results import COMPLETED, DELIVERIES, STATES, Results, merged
from quantum_fabric.montecarlo.samplers import max_plus
from quantum_fabric.montecarlo.samplers.chain import Asked, results
from quantum_fabric.montecarlo.scenario import Scenario, integers, reals

DEVICES: Final = ("cpu", "gpu", "auto")

INSTALL: Final = (
    "JAX is not installed: pip install 'quantum-fabric[gpu]', with the wheel for the accelerator at hand"
)

CHUNK: Final = 1 << 18
"""Replicas at once: a few hundred bytes of memory for each station of each."""

BINS: Final = 512
LONGEST: Final = 2.0**51


def look() -> tuple[Any, str]:
    """JAX where it is installed, else None and how to get it.

    Examples:
        >>> jax, said = look()
        >>> (jax is None) == said.startswith("JAX is not installed")
        True
    """
    try:
        return importlib.import_module("jax"), ""
    except ImportError:
        return None, INSTALL


def accelerator() -> tuple[Any, str]:
    """The first accelerator that JAX sees, else None and why there is none.

    Examples:
        >>> device, said = accelerator()
        >>> (device is None) == bool(said)
        True
    """
    jax, said = look()
    if jax is None:
        return None, said
    found = [each for each in jax.devices() if each.platform != "cpu"]
    return (found[0], "") if found else (None, "JAX sees no accelerator here, only the processor")


def objections(scenario: Scenario, asked: Asked) -> tuple[str, ...]:
    """What keeps a scenario from an accelerator, in words."""
    lists = ("lists of pairs",) if asked.keep_pairs else ()
    return (*lists, *(f"max-plus: {each}" for each in max_plus.objections(scenario)))


def run(scenario: Scenario, asked: Asked, device: Any = None) -> Results:
    """Sample a scenario without `objections`.

    Args:
        scenario: which.
        asked: of it.
        device: one of JAX; its first where none is given, which may be the processor.

    Raises:
        StateError: JAX is not installed, or a run takes longer than times are exact for.
        InputError: lists of pairs are asked for.
    """
    jax, said = look()
    if jax is None:
        raise StateError(said)
    if asked.keep_pairs:
        raise InputError("keep_pairs=True", "sums and histograms only", "device")
    device = device or jax.devices()[0]
    tables = max_plus.tables(scenario, asked)
    parts = []
    with jax.enable_x64(True), jax.default_device(device):
        for start in range(0, asked.replicas, CHUNK):
            count = min(CHUNK, asked.replicas - start)
            parts.append(_part(scenario, asked, tables, start, count, device.platform))
    return merged(parts)


def _part(
    scenario: Scenario, asked: Asked, tables: dict[str, Any], start: int, count: int, platform: str
) -> Results:
    names = [f"{seed}/0" for seed in asked.seeds[start : start + count]] or [
        f"{asked.seed}/{asked.first + start + number}" for number in range(count)
    ]
    shape = (
        len(tables["links"]),
        tuple(tables["order"]),
        tuple(tuple(m for m, _ in each) for each in tables["news"]),
    )
    numbers = _numbers(tables)
    out = _program(*shape)(_generators(names), numbers)
    got = {name: np.asarray(value) for name, value in out.items()}
    if (got["last"] > LONGEST).any():
        raise StateError("a run takes longer than its sampler counts: limit the time, or take no sampler")
    ends = [np.where(got["status"] == COMPLETED, got["ended"], -1), got["first"]]
    first = asked.first + start
    sessions = np.stack(
        [first + np.arange(count), 0 * ends[1], got["status"], got["delivered"], got["withheld"], *ends],
        axis=1,
    ).astype(np.int64)
    sums = np.stack(
        [got[name] for name in ("fidelity", "squares", "believed", "gaps", "gaps_squared", "doubt")], axis=1
    )
    found = {
        "sessions": sessions, "sums": sums, "latencies": got["latencies"].astype(np.uint64),
        "intervals": got["intervals"].astype(np.uint64), "deliveries": integers([], len(DELIVERIES)), "states": reals([], len(STATES)),
    }  # fmt: skip
    mine = Asked(asked.seed, first, count, asked.threads, asked.until, beliefs=asked.beliefs)
    return results(scenario, mine, found, max_plus.TITLE, platform)


def _numbers(tables: dict[str, Any]) -> dict[str, Any]:
    """What a program is told at each run: nothing of it is built in, so that no compiler reckons with it beforehand."""
    links = np.array(tables["links"])
    per_log = [1.0 / log_of_failure(p) if p < 1.0 else 0.0 for p in links[:, 0].tolist()]
    session = ("at", "until", "floor")
    return {
        "links": np.column_stack([links[:, 1:], per_log]),
        "stations": np.array(tables["stations"]),
        "news": [np.array([delay for _, delay in each]) for each in tables["news"]],
        "home": np.array(tables["home"]),
        "factors": np.array(tables["factors"]),
        "believed": np.array(tables["believed"]),
        "pairs": np.int64(tables["pairs"]),
        "beliefs": np.bool_(tables["beliefs"]),
        **{name: np.float64(tables[name]) for name in session},
    }


def _generators(names: list[str]) -> Any:
    """The states of the native sampler's generators, shape (4, replicas)."""
    words = b"".join(
        blake2b(f"{name}/max-plus/{half}".encode(), digest_size=16).digest()
        for name in names
        for half in "01"
    )
    return np.frombuffer(words, dtype="<u8").reshape(-1, 4).T.copy()


@lru_cache(maxsize=32)
def _program(links: int, order: tuple[int, ...], news: tuple[tuple[int, ...], ...]) -> Callable[..., Any]:
    """The recurrence of chains of one shape, compiled."""
    jax, _ = look()
    return jax.jit(_Shape(jax, links, order, news).whole)  # type: ignore[no-any-return]


class _Shape:
    """The recurrence of chains of one shape, in arrays over replicas."""

    def __init__(
        self, jax: Any, links: int, order: tuple[int, ...], news: tuple[tuple[int, ...], ...]
    ) -> None:
        self.jnp, self.lax = jax.numpy, jax.lax
        self.links, self.order, self.news = links, order, news

    def log_of(self, x: Any) -> Any:
        bits = self.lax.bitcast_convert_type(x, self.jnp.uint64)
        e = (bits >> 52).astype(self.jnp.float64) - 1023.0
        m = self.lax.bitcast_convert_type((bits & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000, self.jnp.float64)
        high = m > 1.4142135623730951
        m, e = self.jnp.where(high, m * 0.5, m), self.jnp.where(high, e + 1.0, e)
        s = (m - 1.0) / (m + 1.0)
        s2 = s * s
        series = 1.0 / 19.0 * s2 + 1.0 / 17.0
        for k in (15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0):
            series = series * s2 + 1.0 / k
        return e * 0.6931471803691238 + (2.0 * s + (2.0 * s * s2 * series + e * 1.9082149292705877e-10))

    def draw(self, state: Any) -> tuple[Any, Any]:
        a, b, c, d = state
        bits, shifted = a + d, b << 17
        c, d = c ^ a, d ^ b
        b, a = b ^ c, a ^ d
        c, d = c ^ shifted, (d << 45) | (d >> 19)
        u = self.lax.bitcast_convert_type((bits >> 12) | 0x3FF0000000000000, self.jnp.float64)
        return (a, b, c, d), u - (1.0 - 1.1102230246251565e-16)

    def herald(self, link: Any, left: Any, right: Any, last: Any, state: Any) -> tuple[Any, Any]:
        period, phase, born_left, born_right, _, _, per_log = link
        state, u = self.draw(state)
        failures = self.jnp.floor(self.log_of(u) * per_log)
        earliest = self.jnp.maximum(self.jnp.maximum(left - born_left, right - born_right), last + period)
        return state, phase + (self.jnp.ceil((earliest - phase) / period) + failures) * period

    def round_of(self, carry: Any, n: Any) -> Any:
        """The next pair of every replica."""
        state, armed, start = carry["draws"], list(carry["armed"]), list(carry["start"])
        table, stations = n["links"], n["stations"]
        for i in range(self.links):
            state, start[i] = self.herald(table[i], armed[i], armed[i + 1], start[i], state)
        zero = self.jnp.zeros_like(start[0])
        xy, z, total, squares, bxy, bz = zero, zero, zero, zero, zero, zero
        swapped: dict[int, Any] = {}

        def stored(k: int, until: Any, born: Any) -> Any:
            wait = until - born
            relaxed = stations[k, 1] * wait
            damped = self.jnp.minimum(relaxed, 1.0)
            return (xy + stations[k, 0] * wait, z + relaxed, total + damped, squares + damped * damped)

        for k in self.order:
            time = self.jnp.maximum(start[k - 1] + table[k - 1, 5], start[k] + table[k, 4])
            for place, m in enumerate(self.news[k]):
                time = self.jnp.maximum(time, swapped[m] + n["news"][k][place])
            armed[k] = swapped[k] = time = time + stations[k, 5]
            for born in (start[k - 1] + table[k - 1, 3], start[k] + table[k, 2]):
                xy, z, total, squares = stored(k, time, born)
                bxy, bz = bxy + stations[k, 2] * (time - born), bz + stations[k, 3] * (time - born)
        left, right = start[0] + table[0, 4], start[-1] + table[-1, 5]
        for place, m in enumerate(self.news[0]):
            left = self.jnp.maximum(left, swapped[m] + n["news"][0][place])
            right = self.jnp.maximum(right, swapped[m] + n["news"][-1][place])
        done = self.jnp.maximum(left, right)
        for k, until, born in (
            (0, left, start[0] + table[0, 2]),
            (self.links, right, start[-1] + table[-1, 3]),
        ):
            xy, z, total, squares = stored(k, until, born)
            bxy, bz = bxy + stations[k, 2] * (done - born), bz + stations[k, 3] * (done - born)
        armed[0], armed[self.links] = left, right
        told = self.jnp.maximum(left + n["home"][0], right + n["home"][1])
        f, believed = (
            (1.0 + (c[0] + c[1]) * self.jnp.exp(-a) + c[2] * self.jnp.exp(-b)) / 4.0
            for c, a, b in ((n["factors"], xy, z), (n["believed"], bxy, bz))
        )
        doubt = (total * total - squares) * 0.125
        moved = {"draws": state, "armed": tuple(armed), "start": tuple(start)}
        return moved, (done, told, f, self.jnp.where(n["beliefs"], believed, 0.25), doubt)

    def bin_of(self, time: Any) -> Any:
        bits = self.lax.bitcast_convert_type(self.jnp.maximum(time, 16.0), self.jnp.uint64)
        high = (bits >> 49).astype(self.jnp.int64) - (1027 << 3) + 16
        return self.jnp.where(
            time < 16.0,
            self.jnp.clip(time, 0.0, 15.0).astype(self.jnp.int64),
            self.jnp.minimum(high, BINS - 1),
        )

    def counted(self, histogram: Any, time: Any, which: Any) -> Any:
        return histogram.at[self.bin_of(time)].add(which.astype(self.jnp.int64))

    def step(self, arguments: Any) -> Any:
        carry, n = arguments
        moved, (done, told, f, believed, doubt) = self.round_of(carry, n)
        open_ = (carry["status"] == 0) & ~carry["late"]
        late = open_ & (told > n["until"])
        here = open_ & ~late
        good = here & ~(n["beliefs"] & (believed < n["floor"]))
        fresh = good & (carry["first"] < 0)
        gap = done - carry["before"]
        after = good & ~fresh
        seconds = self.jnp.where(after, gap * 1e-12, 0.0)
        share = self.jnp.where(good, f, 0.0)
        delivered = carry["delivered"] + good
        complete = good & (delivered >= n["pairs"])
        return {
            **moved,
            "late": carry["late"] | late | (here & (told > LONGEST)),
            "last": self.jnp.where(here, told, carry["last"]),
            "delivered": delivered,
            "withheld": carry["withheld"] + (here & ~good),
            "status": self.jnp.where(complete, COMPLETED, carry["status"]),
            "ended": self.jnp.where(complete, told.astype(self.jnp.int64), carry["ended"]),
            "first": self.jnp.where(fresh, done.astype(self.jnp.int64), carry["first"]),
            "before": self.jnp.where(good, done, carry["before"]),
            "fidelity": carry["fidelity"] + share,
            "squares": carry["squares"] + share * share,
            "believed": carry["believed"] + self.jnp.where(good, believed, 0.0),
            "gaps": carry["gaps"] + seconds,
            "gaps_squared": carry["gaps_squared"] + seconds * seconds,
            "doubt": self.jnp.maximum(carry["doubt"], self.jnp.where(here, doubt, 0.0)),
            "latencies": self.counted(carry["latencies"], done - n["at"], fresh),
            "intervals": self.counted(carry["intervals"], gap, after),
        }, n

    def goes_on(self, arguments: Any) -> Any:
        carry, _ = arguments
        return self.jnp.any((carry["status"] == 0) & ~carry["late"])

    def whole(self, draws: Any, n: Any) -> Any:
        replicas = draws.shape[1]
        real, whole = self.jnp.zeros(replicas), self.jnp.zeros(replicas, dtype=self.jnp.int64)
        bins = self.jnp.zeros(BINS, dtype=self.jnp.int64)
        names = ("fidelity", "squares", "believed", "gaps", "gaps_squared", "doubt", "before", "last")
        carry = {
            "draws": tuple(draws), "armed": tuple(real + n["stations"][k, 4] for k in range(self.links + 1)),
            "start": (real - 1e18,) * self.links, "status": whole, "delivered": whole, "withheld": whole, "ended": whole - 1,
            "first": whole - 1, "late": real > 1.0, "latencies": bins, "intervals": bins, **dict.fromkeys(names, real),
        }  # fmt: skip
        carry, _ = self.lax.while_loop(self.goes_on, self.step, (carry, n))
        return {name: each for name, each in carry.items() if name not in ("draws", "armed", "start")}
