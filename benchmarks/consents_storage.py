"""A `consents.log.NodeStorage` over SQLAlchemy: two tables that only grow, keyed by position."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    create_engine,
    event,
    func,
    insert,
    select,
)

from consents.errors import LogError
from consents.nodes import node_count

metadata = MetaData()
leaves = Table(
    "leaves",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("leaf", LargeBinary, nullable=False),
)
tree_nodes = Table(
    "nodes",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary(32), nullable=False),
)


class SqlNodes:
    """Leaves and nodes inside the caller's transaction."""

    def __init__(self, connection: Connection) -> None:
        """Use this connection."""
        self._connection = connection

    def extend(self, batch: Sequence[bytes], hashes: Sequence[bytes]) -> int:
        """Insert leaves and nodes at the next free positions."""
        first = self.size()
        start = node_count(first)
        self._connection.execute(
            insert(leaves), [{"position": first + i, "leaf": leaf} for i, leaf in enumerate(batch)]
        )
        self._connection.execute(
            insert(tree_nodes),
            [{"position": start + i, "hash": node} for i, node in enumerate(hashes)],
        )
        return first

    def nodes(self, positions: Sequence[int]) -> list[bytes]:
        """Read the hashes at these positions."""
        query = select(tree_nodes.c.position, tree_nodes.c.hash).where(
            tree_nodes.c.position.in_(positions)
        )
        found: dict[int, bytes] = dict(self._connection.execute(query).tuples().all())
        try:
            return [found[position] for position in positions]
        except KeyError as error:
            raise LogError("expected every node of the tree in the storage") from error

    def leaf(self, index: int) -> bytes:
        """Read one leaf."""
        found: bytes | None = self._connection.scalar(
            select(leaves.c.leaf).where(leaves.c.position == index)
        )
        if found is None:
            raise LogError(f"expected a leaf at {index}")
        return found

    def leaves(self) -> Iterator[bytes]:
        """Read all leaves in order."""
        query = select(leaves.c.leaf).order_by(leaves.c.position)
        yield from self._connection.execution_options(yield_per=10_000).scalars(query)

    def size(self) -> int:
        """Return the number of leaves: the greatest position, at the end of the index."""
        last = self._connection.scalar(select(func.max(leaves.c.position)))
        return 0 if last is None else last + 1


def connect(path: Path) -> Connection:
    """Open the database with full durability: a commit is on disk when it returns."""
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def _(connection: object, _record: object) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")  # type: ignore[attr-defined]

    return engine.connect()
