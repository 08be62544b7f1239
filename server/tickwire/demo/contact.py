"""Where on its way a point first touches something round."""

from math import sqrt

Point = tuple[float, float]


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
