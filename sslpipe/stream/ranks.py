"""Which share of each step this process computes."""

from __future__ import annotations

import os

from sslpipe.core.errors import RecipeError


def find_rank(rank: int | None, world: int | None) -> tuple[int, int]:
    """Rank and world of data parallelism: as given, else the process group's, else the launcher's `RANK` and `WORLD_SIZE`."""
    if (rank is None) != (world is None):
        raise RecipeError(f"got rank={rank} and world={world}, wanted both or neither")
    if rank is None or world is None:
        rank, world = _from_group() or _from_launcher() or (0, 1)
    for name, number in (("rank", rank), ("world", world)):
        if not isinstance(number, int) or isinstance(number, bool):
            raise RecipeError(f"{name}: got {number!r}, wanted an integer")
    if not 0 <= rank < world:
        raise RecipeError(f"got rank {rank} in a world of {world}, wanted 0 <= rank < world")
    return rank, world


def _from_group() -> tuple[int, int] | None:
    from torch import distributed

    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return None


def _from_launcher() -> tuple[int, int] | None:
    rank, world = os.environ.get("RANK"), os.environ.get("WORLD_SIZE")
    if rank is None or world is None:
        return None
    try:
        return int(rank), int(world)
    except ValueError:
        raise RecipeError(f"the environment has RANK={rank!r} and WORLD_SIZE={world!r}, wanted integers") from None


def global_size(batch_size: int | None, global_batch_size: int | None, world: int) -> int:
    """Rows a step over all ranks, from one of the two sizes."""
    if (batch_size is None) == (global_batch_size is None):
        got = "neither" if batch_size is None else f"batch_size={batch_size} and global_batch_size={global_batch_size}"
        raise RecipeError(f"got {got}, wanted one of batch_size (rows a rank) and global_batch_size (rows over all ranks)")
    for name, size in (("batch_size", batch_size), ("global_batch_size", global_batch_size)):
        if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 1):
            raise RecipeError(f"{name}: got {size!r}, wanted a positive integer")
    if batch_size is not None:
        return batch_size * world
    assert global_batch_size is not None
    if global_batch_size % world:
        raise RecipeError(
            f"global_batch_size {global_batch_size} can't be divided among a world of {world} ranks;"
            f" choose a multiple of {world}, or give batch_size"
        )
    return global_batch_size
