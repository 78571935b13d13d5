"""What happens to a link of a QKD session, and sessions over a station that nobody trusts: MDI-QKD and twin-field QKD."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantum_fabric.devices import WeakPulse
from quantum_fabric.documents import FaultKind, Inventory, Workload
from quantum_fabric.documents.qkd_checks import arms_of, meeting_of, twin_setting
from quantum_fabric.documents.qkd_entries import AttackSpec, QkdSpec
from quantum_fabric.links.direct_transmission import DirectTransmission
from quantum_fabric.physics.qkd.finite_rate import Setting
from quantum_fabric.physics.qkd.mdi import BellStation
from quantum_fabric.physics.qkd.twin_clicks import PhaseLock, TwinStation
from quantum_fabric.units import SECOND

if TYPE_CHECKING:
    import numpy as np

    from quantum_fabric.services.qkd.signatures import Stance
    from quantum_fabric.services.qkd.sources import Happening
    from quantum_fabric.services.qkd.station_sources import StationSource
    from quantum_fabric.services.qkd.twin_sources import TwinSource


def station_source(
    spec: QkdSpec, inventory: Inventory, rng: np.random.Generator, workload: Workload | None = None
) -> StationSource | TwinSource:
    """The announcements of a session's station.

    Args:
        spec: the session, with a station.
        inventory: the plant as it is.
        rng: source of draws.
        workload: attacks and faults on the way and at the station; None for none.
    """
    from quantum_fabric.services.qkd.sources import Happening
    from quantum_fabric.services.qkd.station_sources import StationSource
    from quantum_fabric.services.qkd.twin_sources import TwinSource

    (first,), (second,) = arms_of(spec, inventory)
    found = meeting_of(spec, inventory)
    what: tuple[Happening, ...] = ()
    if workload is not None:
        ways = (each for arm, name in enumerate((first, second)) for each in happenings(name, workload, arm))
        lies = (
            Happening(each.at, each.until, each.attack)
            for each in workload.attacks
            if (each.target, each.on) == ("node", spec.station) and each.kind != "compromised_node"
        )
        what = (*ways, *lies)
    if spec.protocol == "mdi":
        setting = Setting(spec.key_basis, found.intensities, found.probabilities)
        bell = BellStation(found.dark, found.misalignment)
        return StationSource(bell, found.transmissions, setting, found.period, rng, happenings=what)
    model = inventory.links[first].model
    assert isinstance(model, DirectTransmission)
    assert isinstance(model.source, WeakPulse)
    station = TwinStation(found.transmissions, found.dark, found.misalignment)
    lock = PhaseLock(spec.phase_error, spec.phase_drift, spec.lock / SECOND)
    chosen = twin_setting(spec, model.source)
    return TwinSource(station, chosen, lock, found.period, rng, happenings=what)


def station_stance(attack: AttackSpec, workload: Workload, inventory: Inventory) -> Stance | None:
    """How an attack stands to a session with a station; None where it has nothing to do with one.

    Args:
        attack: of the workload.
        workload: with the sessions.
        inventory: of the network.
    """
    from quantum_fabric.physics.qkd.clicks import UNWATCHED
    from quantum_fabric.services.qkd.signatures import Stance, stance

    spec = next((each for each in workload.qkd if each.station == attack.on), None)
    if attack.target != "node" or spec is None:
        return None
    if attack.kind == "compromised_node":
        if any(attack.on in (each.source, each.destination) for each in workload.qkd):
            return None
        return Stance(attack.kind, False, (), "nothing to read: a station never has a key")
    import numpy as np

    honest = station_source(spec, inventory, np.random.default_rng(0)).honest
    return stance(attack.attack, watch=UNWATCHED, decoys=True, honest=honest)


def happenings(link: str, workload: Workload, arm: int | None = None) -> tuple[Happening, ...]:
    """What a workload does to a link: cuts first, then attacks; ``arm`` says which way to a station it is."""
    from quantum_fabric.services.qkd.sources import Happening

    cuts, since = [], None
    for fault in workload.faults:
        if fault.target == link and fault.kind is FaultKind.CUT:
            since = fault.at
        elif fault.target == link and fault.kind is FaultKind.RESTORE and since is not None:
            cuts.append(Happening(since, fault.at, arm=arm))
            since = None
    if since is not None:
        cuts.append(Happening(since, workload.duration, arm=arm))
    on_it = (each for each in workload.attacks if each.target == "link" and each.on == link)
    return (*cuts, *(Happening(each.at, each.until, each.attack, arm) for each in on_it))
