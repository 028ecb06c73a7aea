"""Every cell of a slide, tile by tile: in this process, in several, or on a cluster."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ihcscore import planes, workers
from ihcscore.cells import finder_of
from ihcscore.errors import ReadError
from ihcscore.geometry.polygons import raster
from ihcscore.geometry.square import Square
from ihcscore.output.parts import KeptParts
from ihcscore.output.progress import Progress, Stopwatch
from ihcscore.profiles import MarkerProfile
from ihcscore.run.count import count_field
from ihcscore.schema import CellClass
from ihcscore.slide import Slide, open_slide
from ihcscore.stain import Stains

TILE_UM = 1024.0
"""Side of a tile: a whole number of blocks of the counter's grid, and of the network's frames. A cell is then
found on the same pixels whichever tile or field holds it."""

# Tiles under way at once for each worker, so that none waits for the next and few results are held.
_AHEAD = 2
_AHEAD_ON_CLUSTER = 64

_CLASSES = tuple(CellClass)
CELL = np.dtype(
    [
        (name, "<f8")
        for name in ("x_px", "y_px", "diameter_um", "chromogen_od", "hematoxylin_od", "confidence")
    ]
    + [("class", "u1")]
)
"""A cell as it is kept: its class by its place among :class:`~ihcscore.schema.CellClass`."""


@dataclass(frozen=True, kw_only=True)
class TileJob:
    """What all tiles of a slide share; it travels to other processes.

    Attributes
    ----------
    path : Path
        The slide.
    mpp_um : float or None
        As given by the user.
    icc : bool
    profile : MarkerProfile
    stains : Stains
    """

    path: Path
    mpp_um: float | None
    icc: bool
    profile: MarkerProfile
    stains: Stains = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A square of the slide.

    Attributes
    ----------
    row, column : int
        Its place on the slide's lattice of tiles.
    square : Square
        Level-0 pixels.
    """

    row: int
    column: int
    square: Square

    @property
    def name(self) -> str:
        """Its name among the parts that are kept."""
        return f"{self.row:05d}-{self.column:05d}"


@dataclass(frozen=True, kw_only=True)
class CountedTile:
    """Cells whose centre lies in a tile.

    Attributes
    ----------
    cells : ndarray of `CELL`
    error : str
        Why the tile could not be read; empty where it was.
    seconds : dict of str to float
        Where its time went.
    """

    cells: NDArray[np.void] = field(repr=False)
    error: str = ""
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CountedTiles:
    """Cells of all tiles.

    Attributes
    ----------
    cells : DataFrame
        x_px, y_px (level-0 pixels), class, diameter_um, chromogen_od, hematoxylin_od, confidence; by tile,
        in each by y_px, then x_px.
    failed : dict of Tile to str
        Tiles that could not be read, and why.
    """

    cells: pd.DataFrame = field(repr=False)
    failed: dict[Tile, str]


def tiles_of(mask: NDArray[np.bool_], *, downsample: float, mpp_um: float) -> list[Tile]:
    """The tiles that hold tissue, row by row.

    Parameters
    ----------
    mask : ndarray of bool, shape (height, width)
        Tissue at low resolution.
    downsample : float
        Level-0 pixels per pixel of the mask.
    mpp_um : float
        µm per level-0 pixel.
    """
    side_px = TILE_UM / mpp_um
    rows, columns = np.nonzero(mask)
    # A pixel of the mask may lie on up to four tiles, by its corners.
    corners = (0.0, 1.0 - 1e-9)
    ends = [
        np.unique(np.column_stack([rows + down, columns + right]) * downsample // side_px, axis=0)
        for down in corners
        for right in corners
    ]
    places = np.unique(np.concatenate(ends), axis=0).astype(int).tolist()
    return [
        Tile(
            row=row,
            column=column,
            square=Square(x_px=column * side_px, y_px=row * side_px, side_px=side_px),
        )
        for row, column in places
    ]


def tile_mask(tiles: Sequence[Tile], shape_yx: tuple[int, ...], *, downsample: float) -> NDArray[np.bool_]:
    """The tiles on the grid of the tissue's mask."""
    mask = np.zeros(shape_yx[:2], np.bool_)
    for tile in tiles:
        mask |= raster(tile.square.polygon, shape_yx, downsample=downsample)
    return mask


def count_tile(job: TileJob, square: Square) -> CountedTile:
    """Count a tile in a process of its own; the slide stays open there for the next one."""
    cv2.setNumThreads(1)  # workers share the cores
    return _counted(_opened(job.path, job.mpp_um, job.icc), job, square)


@lru_cache(maxsize=1)
def _opened(path: Path, mpp_um: float | None, icc: bool) -> Slide:
    return open_slide(path, mpp_um=mpp_um, icc=icc)


def _counted(slide: Slide, job: TileJob, square: Square) -> CountedTile:
    watch = Stopwatch()
    try:
        counted = count_field(slide, square, finder=finder_of(job.profile), stains=job.stains, watch=watch)
    except ReadError as error:
        return CountedTile(cells=np.empty(0, CELL), error=str(error), seconds=watch.seconds)
    cells = np.empty(len(counted.cells), CELL)
    for name in CELL.names or ():
        column = counted.cells[name]
        cells[name] = (
            column.map({one.value: at for at, one in enumerate(_CLASSES)}) if name == "class" else column
        )
    return CountedTile(cells=cells, seconds=watch.seconds)


@dataclass(frozen=True, kw_only=True)
class Counting:
    """How tiles are counted.

    Attributes
    ----------
    job : TileJob
    slide : Slide
        Open in this process.
    parts : KeptParts or None
        Where finished tiles are kept.
    n_workers : int
    executor : Executor or None
        A cluster's, in place of processes of this machine.
    watch : Stopwatch
        Gets the time of the parts of the work, summed over the processes.
    progress : Progress
    """

    job: TileJob
    slide: Slide
    parts: KeptParts | None
    n_workers: int
    executor: Executor | None
    watch: Stopwatch
    progress: Progress

    def count(self, tiles: Sequence[Tile]) -> CountedTiles:
        """Count tiles; what is kept of an earlier run is not counted again."""
        kept = self.parts.found if self.parts is not None else frozenset()
        left = [tile for tile in tiles if tile.name not in kept]
        found: dict[str, NDArray[np.void]] = {}
        failed: dict[Tile, str] = {}
        done = len(tiles) - len(left)
        for tile, counted in self._each(left):
            done += 1
            self.progress(f"tile {done} of {len(tiles)}", 0.25 + 0.6 * done / max(len(tiles), 1))
            for part, seconds in counted.seconds.items():
                self.watch.seconds[part] = self.watch.seconds.get(part, 0.0) + seconds
            if counted.error:
                failed[tile] = counted.error
                continue
            found[tile.name] = counted.cells
            if self.parts is not None:
                self.parts.keep(tile.name, _packed(counted.cells))
        for tile in tiles:
            if tile.name in kept and self.parts is not None:
                found[tile.name] = _unpacked(self.parts.read(tile.name))
        in_order = [found[tile.name] for tile in tiles if tile.name in found]
        return CountedTiles(
            cells=_table(in_order), failed={tile: failed[tile] for tile in tiles if tile in failed}
        )

    def _each(self, tiles: Sequence[Tile]) -> Iterator[tuple[Tile, CountedTile]]:
        """Tiles as they are counted, in their order."""
        if self.executor is None and (self.n_workers == 1 or len(tiles) < 2):
            with planes.one_thread():  # as in a worker
                for tile in tiles:
                    yield tile, _counted(self.slide, self.job, tile.square)
            return
        opened: AbstractContextManager[Executor] = (
            nullcontext(self.executor) if self.executor is not None else workers.processes(self.n_workers)
        )
        ahead = _AHEAD * self.n_workers if self.executor is None else _AHEAD_ON_CLUSTER
        with opened as executor:
            waiting: deque[tuple[Tile, Future[CountedTile]]] = deque()
            for tile in tiles:
                waiting.append((tile, executor.submit(count_tile, self.job, tile.square)))
                if len(waiting) >= ahead:
                    first, future = waiting.popleft()
                    yield first, future.result()
            for tile, future in waiting:
                yield tile, future.result()


def _packed(cells: NDArray[np.void]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, cells, allow_pickle=False)
    return stream.getvalue()


def _unpacked(content: bytes) -> NDArray[np.void]:
    cells: NDArray[np.void] = np.load(io.BytesIO(content), allow_pickle=False)
    return cells


def _table(tiles: Sequence[NDArray[np.void]]) -> pd.DataFrame:
    """The cells of tiles as a table."""
    cells = np.concatenate([np.empty(0, CELL), *tiles])
    names = np.array([one.value for one in _CLASSES])
    table = pd.DataFrame({name: cells[name].astype(float) for name in CELL.names or () if name != "class"})
    table.insert(2, "class", pd.Series(pd.Categorical(names[cells["class"]], categories=names)))
    return table
