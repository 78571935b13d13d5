"""Whose hands do the work: chosen from what was typed."""

from __future__ import annotations

from quantum_fabric.errors import InputError
from quantum_fabric.studies.dask_cluster import DaskCluster
from quantum_fabric.studies.executors import Alone, Executor, Pool


def executor(workers: int, cluster: str | None = None) -> Executor:
    """Who is to do the work.

    Args:
        workers: processes on this machine; 1 for none beside this one.
        cluster: address of a cluster instead.

    Raises:
        InputError: an address of no known kind, an engine that is not installed, or a cluster that is away.

    Examples:
        >>> type(executor(1)).__name__
        'Alone'
        >>> executor(1, "carrier-pigeon://roof")
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.InputError: --cluster: found 'carrier-pigeon://roof', expected tcp://HOST:PORT or tls://HOST:PORT of a \
Dask scheduler
    """
    if cluster is None:
        return Alone() if workers == 1 else Pool(workers)
    scheme = cluster.partition("://")[0]
    if "://" not in cluster or scheme not in ("tcp", "tls"):
        raise InputError(repr(cluster), "tcp://HOST:PORT or tls://HOST:PORT of a Dask scheduler", "--cluster")
    return DaskCluster(cluster)
