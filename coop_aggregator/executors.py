"""Where reports are checked: in this thread, on this machine's processes, or on a cluster.

Every executor is a `concurrent.futures.Executor`: whoever maps chunks over one gets the same
integers from all of them. A cluster is the operator's own (`dask.distributed`, the extra
`cluster`); its workers see one keeper's shares, and the address should be `tls://` unless it is
this machine. Not a scheduler of ours.
"""

from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

from coop_aggregator.errors import AggregatorError


class InlineExecutor(Executor):
    """An executor that works in the calling thread: small batches need no processes."""

    def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run now and return the finished future."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - a future carries whatever went wrong
            future.set_exception(error)
        return future


@contextmanager
def executor_for(workers: int, *, cluster: str | None = None) -> Iterator[Executor]:
    """Yield the executor of a cluster at `cluster`, or of `workers` processes, or none for 0.

    Raises AggregatorError when the cluster cannot be reached or its library is not installed.
    """
    if cluster is not None:
        with _cluster(cluster) as executor:
            yield executor
    elif workers:
        # A server has threads, and forking a process with threads can deadlock.
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as executor:
            yield executor
    else:
        yield InlineExecutor()


@contextmanager
def _cluster(address: str) -> Iterator[Executor]:
    try:
        from distributed import Client  # noqa: PLC0415 (an extra, and a second to import)
    except ImportError as error:
        raise AggregatorError(
            fr="Cette installation n'a pas de quoi joindre une grappe : installez l'extra "
            "« cluster » (mobilites-en-commun[cluster]).",
            en="This installation cannot reach a cluster: install the extra 'cluster' "
            "(mobilites-en-commun[cluster]).",
        ) from error
    try:
        client: Any = Client(address, timeout="20s", set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise AggregatorError(
            fr="La grappe ne répond pas. Vérifiez l'adresse donnée par --cluster "
            "(tcp://… ou tls://…) et qu'elle tourne.",
            en="The cluster does not answer. Check the address given by --cluster "
            "(tcp://… or tls://…) and that it runs.",
        ) from error
    with client, client.get_executor() as executor:
        yield executor
