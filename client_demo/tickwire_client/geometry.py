"""The plane geometry that a pilot needs: bearings, leads and near misses."""

from __future__ import annotations

from math import hypot, isclose, pi, sqrt, tau

_HERE = 1e-18  # the square of a distance that counts as none: below, rounding decides


def turn_between(heading: float, bearing: float) -> float:
    """The turn that leads from one direction to another the short way round, in [-pi, pi)."""
    return (bearing - heading + pi) % tau - pi


def intercept_time(x: float, y: float, vx: float, vy: float, speed: float) -> float | None:
    """When something fired now from the origin at ``speed`` meets a target at (x, y) moving at (vx, vy).

    The smallest non-negative t with ``|p + v t| = speed * t``; None if it can't be caught.
    """
    a = vx * vx + vy * vy - speed * speed
    b = 2 * (x * vx + y * vy)
    c = x * x + y * y
    if c < _HERE:
        return 0.0
    if isclose(a, 0.0, abs_tol=1e-9):
        return -c / b if b < 0 else None
    root = b * b - 4 * a * c
    if root < 0:
        return None
    near, far = sorted(((-b - sqrt(root)) / (2 * a), (-b + sqrt(root)) / (2 * a)))
    if near >= 0:
        return near
    return far if far >= 0 else None


def closest_approach(x: float, y: float, vx: float, vy: float) -> tuple[float, float]:
    """When and how near something at (x, y), moving at (vx, vy), passes the origin.

    Returns the time (0 if it is moving away) and the distance then.
    """
    speed_squared = vx * vx + vy * vy
    if speed_squared == 0:
        return 0.0, hypot(x, y)
    when = max(0.0, -(x * vx + y * vy) / speed_squared)
    return when, hypot(x + vx * when, y + vy * when)
