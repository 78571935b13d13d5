"""What a KME allows: who lives where, who may talk to whom, how much, from which sources. Nothing is allowed by default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from quantum_fabric.errors import InputError
from quantum_fabric.keys.answers import Refusal
from quantum_fabric.keys.records import Instant, Origin, Pool, entity


class Mode(StrEnum):
    """Whether anybody relies on the keys."""

    PRODUCTION = "production"
    """Only bits that can be secret are taken in: the default."""

    TRIAL = "trial"
    """Bits of the twin and of the test source are taken in too, and every answer says that they are not secret."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one request and of one pool; sizes in bits.

    Attributes:
        default_size, smallest, largest: of a key; multiples of 8.
        per_request: keys.
        slaves: additional SAEs for one key (0: no multicast).
        stock: keys of the default size that a pool holds at most.
        lifetime: from reservation to expiry, in ms.
    """

    default_size: int = 256
    smallest: int = 64
    largest: int = 8192
    per_request: int = 128
    slaves: int = 8
    stock: int = 1_000_000
    lifetime: Instant = 3_600_000

    def __post_init__(self) -> None:
        sizes = (self.smallest, self.default_size, self.largest)
        if any(size % 8 or size < 8 for size in sizes) or list(sizes) != sorted(sizes):
            raise InputError(str(sizes), "rising multiples of 8 bits", "limits: smallest, default, largest")
        if min(self.per_request, self.stock, self.lifetime) < 1 or self.slaves < 0:
            raise InputError("a bound below 1", "bounds of 1 or more", "limits")


@dataclass(frozen=True, slots=True)
class Quota:
    """What a pair of SAEs may have.

    Attributes:
        waiting: keys that were issued and not yet collected by every slave here, at most.
        burst: keys at once after a rest.
        rate: keys per second in the long run.
    """

    waiting: int = 10_000
    burst: int = 10_000
    rate: float = 5_000.0

    def __post_init__(self) -> None:
        if self.waiting < 1 or self.burst < 1 or not 0.0 < self.rate < float("inf"):
            raise InputError(str(self), "bounds above 0", "quota")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a pair has used of its rate: a token bucket.

    Attributes:
        tokens: keys it could have at `at`.
        at: when that was reckoned.
    """

    tokens: float
    at: Instant


def draw(quota: Quota, usage: Usage | None, keys: int, now: Instant) -> Usage | None:
    """Take keys out of the bucket.

    A clock that went back refills nothing.

    Returns:
        The new usage; None where the bucket does not hold that many.

    Examples:
        >>> quota = Quota(burst=10, rate=2.0)
        >>> draw(quota, None, 10, now=0)
        Usage(tokens=0.0, at=0)
        >>> draw(quota, Usage(0.0, 0), 3, now=1000) is None
        True
        >>> draw(quota, Usage(0.0, 0), 2, now=1000)
        Usage(tokens=0.0, at=1000)
    """
    usage = usage or Usage(float(quota.burst), now)
    rest = max(0, now - usage.at) / 1000.0
    tokens = min(float(quota.burst), usage.tokens + rest * quota.rate)
    return Usage(tokens - keys, max(now, usage.at)) if keys <= tokens else None


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one KME.

    Attributes:
        kme: its own name.
        homes: SAE -> the KME where it lives; an SAE that is not here does not exist.
        pairs: (master, slave) -> quota; a pair that is not here is not served.
        limits: bounds.
        mode: see `Mode`.
        neighbours: KMEs inside the same protected site. Keys are handed to them by value (ETSI GS QKD 020); to all others
            they go as places in the stock that both ends hold, and never by value.
        hybrid: far KME -> the ML-KEM that every key with it is combined with (``ML-KEM-768``, ``ML-KEM-1024``).

    Raises:
        InputError: a name that is none, or a pair of SAEs without homes.

    Examples:
        >>> policy = Policy("kme-a", {"alice": "kme-a", "bob": "kme-b"}, {("alice", "bob"): Quota()})
        >>> policy.allows("alice", "bob"), policy.allows("bob", "alice"), policy.allows("eve", "bob")
        (True, False, False)
        >>> policy.accepts(Origin.TEST)
        False
    """

    kme: str
    homes: Mapping[str, str]
    pairs: Mapping[tuple[str, str], Quota]
    limits: Limits = field(default_factory=Limits)
    mode: Mode = Mode.PRODUCTION
    neighbours: frozenset[str] = frozenset()
    hybrid: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        entity(self.kme, "kme")
        for sae, home in self.homes.items():
            entity(sae, "SAE")
            entity(home, f"home of {sae}")
        near = sorted(set(self.hybrid) & (self.neighbours | {self.kme}))
        if near:
            raise InputError(
                f"ML-KEM with the neighbour {near[0]}",
                "a far KME: keys go to neighbours as they are",
                "hybrid",
            )
        for master, slave in self.pairs:
            if master == slave or master not in self.homes or slave not in self.homes:
                raise InputError(f"{master} → {slave}", "two different SAEs whose homes are known", "pairs")

    def lives_here(self, sae: str) -> bool:
        """Whether an SAE is served by this KME."""
        return self.homes.get(sae) == self.kme

    def allows(self, master: str, slave: str) -> bool:
        """Whether a master may ask here for keys that it shares with a slave."""
        return self.lives_here(master) and (master, slave) in self.pairs

    def accepts(self, origin: Origin) -> bool:
        """Whether bits of this origin may be stored and handed out."""
        return origin.secret or self.mode is Mode.TRIAL

    def abroad(self, slaves: tuple[str, ...]) -> tuple[str, ...]:
        """The other KMEs where these slaves live, each once, in the order named."""
        homes = (self.homes[slave] for slave in slaves)
        return tuple(dict.fromkeys(home for home in homes if home != self.kme))

    def pool(self, slaves: tuple[str, ...]) -> Pool:
        """The stock that a key for these slaves is cut from: the one shared with the first far KME, else our own."""
        far = [kme for kme in self.abroad(slaves) if kme not in self.neighbours]
        return Pool(self.kme, far[0] if far else self.kme)

    def combinable(self, slaves: tuple[str, ...], bits: int) -> Refusal | None:
        """Why keys for these slaves cannot be combined with ML-KEM where that is the rule; None where they can, or need not be.

        Examples:
            >>> homes = {"alice": "kme-a", "bob": "kme-b", "carol": "kme-c"}
            >>> policy = Policy("kme-a", homes, {}, hybrid={"kme-b": "ML-KEM-768"})
            >>> policy.combinable(("bob", "carol"), 256).message
            'a key that is combined with ML-KEM goes to one other KME only'
        """
        abroad = self.abroad(slaves)
        if not any(kme in self.hybrid for kme in abroad):
            return None
        if len(abroad) > 1:
            return Refusal(400, "a key that is combined with ML-KEM goes to one other KME only")
        return None if bits >= 128 else Refusal(400, "size is out of range", ({"min_key_size": 128},))

    def without(self, sae: str) -> Policy:
        """The same rules after an SAE was shut out."""
        pairs = {pair: quota for pair, quota in self.pairs.items() if sae not in pair}
        return replace(self, homes={k: v for k, v in self.homes.items() if k != sae}, pairs=pairs)
