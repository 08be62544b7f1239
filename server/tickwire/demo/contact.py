"""Where on its way a point first touches something round."""

from collections.abc import Iterable
from math import sqrt
from typing import TypeVar

Point = tuple[float, float]
T = TypeVar("T")


def first_met(start: Point, end: Point, discs: Iterable[tuple[T, Point, Point, float]]) -> tuple[float, T] | None:
    """Find what a point meets first on a straight way, and after which share of it; None when nothing.

    Args:
        start: Where the point comes from.
        end: Where it goes.
        discs: What is in the way: the thing, where its centre is at the start, where at the end, and its radius.
            What moves, seen from what moves straight, moves straight too.
    """
    met: tuple[float, T] | None = None
    for thing, was, now, radius in discs:
        relative = (end[0] - now[0] + was[0], end[1] - now[1] + was[1])
        share = first_contact(start, relative, was, radius)
        if share is not None and (met is None or share < met[0]):
            met = share, thing
    return met


def first_contact(start: Point, end: Point, centre: Point, radius: float) -> float | None:
    """Find the share of the way from ``start`` to ``end`` at which a disc is reached; None when it is missed.

    It is 0.0 when the way starts inside. Testing the whole way, not just its end, is what keeps a bullet
    that moves further in a tick than a ship is wide from passing through it.
    """
    way_x, way_y = end[0] - start[0], end[1] - start[1]
    gap_x, gap_y = start[0] - centre[0], start[1] - centre[1]
    # |gap + t * way| = radius, a quadratic in t.
    c = gap_x * gap_x + gap_y * gap_y - radius * radius
    if c <= 0:
        return 0.0
    b = gap_x * way_x + gap_y * way_y
    if b >= 0:
        return None  # moving away, or not at all
    a = way_x * way_x + way_y * way_y
    square = b * b - a * c
    if square < 0:
        return None
    share = (-b - sqrt(square)) / a
    return share if share <= 1 else None
