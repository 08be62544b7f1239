"""The demo game: a small asteroid field, up to 16 ships, three minutes a round.

Players steer and shoot; whoever shot down the most ships when the time is up wins the round. Rocks are
in everybody's way, repair crates give hull back, and a ship that has just (re)appeared is shielded.
How ships move is in `flight.py`.
"""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from math import dist, hypot

from tickwire import (
    Entity,
    Event,
    Input,
    LeaveReason,
    Past,
    Player,
    Room,
    angle,
    entity,
    event,
    flag,
    inputs,
    integer,
    quantized,
    ref,
    text,
)
from tickwire.demo.contact import Point, first_met
from tickwire.demo.flight import HEIGHT, SHIP_RADIUS, WIDTH, Motion, direction, step
from tickwire_shared.ticks import tick_distance

TICK_RATE = 30
ROUND_TICKS = 180 * TICK_RATE
RESPAWN_TICKS = 2 * TICK_RATE
SHIELD_TICKS = 2 * TICK_RATE
RELOAD_TICKS = 7
BULLET_SPEED = 54.0
BULLET_TICKS = 36
DAMAGE = 20
FULL_HP = 100
REPAIR_HP = 40
REPAIR_RADIUS = 1.2
REPAIR_TICKS = 8 * TICK_RATE
REPAIRS = 4
ROCKS = 9
CHAT_TICKS = 15
"""A player may say something this often; what comes sooner is not passed on."""
NAME_BYTES = 24
CHAT_BYTES = 120
LAST_TICK = 2**32 - 1
LEAP = 1.25
"""No ship flies this far in a tick: it was put there."""


@inputs
class Steer(Input):
    """What a player's hands do."""

    turn: float = quantized(-1, 1, step=1 / 8, default=0.0)
    thrust: bool = flag(default=False)
    fire: bool = flag(default=False)


@entity(predicted=True)
class Ship(Entity):
    """A player's ship. It stays the same entity through deaths, and leaves with its player."""

    x: float = quantized(0, WIDTH, step=1 / 64)
    y: float = quantized(0, HEIGHT, step=1 / 64)
    heading: float = angle(bits=10, default=0.0)
    thrust: bool = flag(default=False)
    hp: int = integer(0, FULL_HP, default=FULL_HP)
    alive: bool = flag(default=True)
    shield: bool = flag(default=True)
    score: int = integer(0, 65535, default=0)
    name: str = text(max_bytes=NAME_BYTES, default="")
    hue: int = integer(0, 359, default=0)
    vx: float = quantized(-64, 64, step=1 / 256, default=0.0, to="owner")
    vy: float = quantized(-64, 64, step=1 / 256, default=0.0, to="owner")
    reload: int = integer(0, 60, default=0, to="owner")
    wait: int = SHIELD_TICKS  # until the shield drops or, when shot down, until it flies again
    silence: int = 0  # until it may chat again
    pilot: Player[Steer] | None = None
    compensated: bool = True  # whether its shots make up for the pilot's delay
    was: Point = (0.0, 0.0)  # where it was before this tick; where it is, if it was put there


@entity
class Bullet(Entity):
    """A shot. It flies straight, so it is sent once: everyone works out where it is by now.

    It was fired at what its pilot saw, which was some ticks ago: so much it is ``ahead`` of where it would be had it
    only left the ship's nose in the tick of its launch. See ``Arena.catch_up``.
    """

    x: float = quantized(0, WIDTH, step=1 / 64)
    y: float = quantized(0, HEIGHT, step=1 / 64)
    heading: float = angle(bits=12)
    born: int = integer(0, LAST_TICK)
    by: "Ship | None" = ref("Ship")
    ahead: float = quantized(0, 64, step=1 / 16, default=0.0)  # ticks flown at its launch
    spent: float = quantized(0, 64, step=1 / 16, default=0.0)  # the ticks it got, if it met something before its launch

    def after(self, seconds: float) -> Point:
        """Where it is after so long a flight."""
        dx, dy = direction(self.heading)
        return self.x + dx * BULLET_SPEED * seconds, self.y + dy * BULLET_SPEED * seconds

    def flown(self, tick: int) -> float:
        """How many ticks it has flown at a tick, its launch or later."""
        return tick_distance(tick, self.born) + self.ahead


@entity
class Rock(Entity):
    """A rock: ships bounce off, bullets end."""

    x: float = quantized(0, WIDTH, step=1 / 64)
    y: float = quantized(0, HEIGHT, step=1 / 64)
    radius: float = quantized(1, 8, step=1 / 16)


@entity
class Health(Entity):
    """A repair crate: gives hull to the first damaged ship that flies through it."""

    x: float = quantized(0, WIDTH, step=1 / 64)
    y: float = quantized(0, HEIGHT, step=1 / 64)


@entity(singleton=True)
class Match(Entity):
    """The arena and the round being played."""

    width: int = integer(0, 1000, default=int(WIDTH))
    height: int = integer(0, 1000, default=int(HEIGHT))
    ends: int = integer(0, LAST_TICK)
    round: int = integer(1, 65535, default=1)


@event
class Hit(Event):
    """A bullet reached a ship."""

    victim: "Ship | None" = ref("Ship")
    by: "Ship | None" = ref("Ship")
    x: float = quantized(0, WIDTH, step=1 / 64)
    y: float = quantized(0, HEIGHT, step=1 / 64)
    damage: int = integer(0, FULL_HP)


@event
class Kill(Event):
    """A ship was shot down."""

    killer: "Ship | None" = ref("Ship")
    victim: "Ship | None" = ref("Ship")
    killer_name: str = text(max_bytes=NAME_BYTES)
    victim_name: str = text(max_bytes=NAME_BYTES)


@event(client=True)
class Chat(Event):
    """Someone says something; the server fills in who."""

    from_name: str = text(max_bytes=NAME_BYTES, default="")
    text: str = text(max_bytes=CHAT_BYTES)


@event(client=True)
class Practice(Event):
    """A player switches something of its own off or on, to feel what it does."""

    lag_compensation: bool = flag(default=True)


@event
class Round(Event):
    """A round is over. ``winner`` is empty when nobody scored or the best are level."""

    winner: str = text(max_bytes=NAME_BYTES)


Moved = tuple[Ship, Point, Point]
"""A ship, where it was and where it is."""


class Arena(Room[Steer]):
    """The room: sets the field up, flies the ships, counts the hits."""

    name = "arena"
    hz = TICK_RATE
    max_players = 16
    entities = (Ship, Bullet, Rock, Health, Match)
    events = (Hit, Kill, Chat, Round, Practice)

    def on_create(self, options: Mapping[str, object]) -> None:
        """Set up the field."""
        self.match = self.spawn(Match(ends=self.tick + ROUND_TICKS))
        for _ in range(ROCKS):
            radius = self.random.randrange(32, 81) / 16
            x, y = self.free_spot(radius + 3 * SHIP_RADIUS)
            self.spawn(Rock(x=x, y=y, radius=radius))
        for _ in range(REPAIRS):
            self.place_repair()

    def on_join(self, player: Player[Steer]) -> None:
        """Give a new player a ship."""
        x, y = self.free_spot(2 * SHIP_RADIUS)
        name = self.free_name(tidy(player.options.get("name"), NAME_BYTES) or f"Pilot {player.id}")
        # The golden angle: neighbours in the list get colours far apart, however many there are.
        hue = round(player.id * 137.508) % 360
        heading = self.random.random() * 6.28
        self.spawn(Ship(x=x, y=y, heading=heading, name=name, hue=hue, pilot=player), owner=player)

    def on_event(self, player: Player[Steer], event: Event) -> None:
        """Pass on what a player says, and note what it switches."""
        ship = self.ship_of(player)
        if isinstance(event, Practice) and ship is not None:
            ship.compensated = event.lag_compensation
        if isinstance(event, Chat) and ship is not None and ship.silence == 0:
            ship.silence = CHAT_TICKS
            if words := tidy(event.text, CHAT_BYTES):
                self.broadcast(Chat(from_name=ship.name, text=words))

    def on_leave(self, player: Player[Steer], reason: LeaveReason) -> None:
        """Take the player's bullets out; the ship goes by itself."""
        ship = self.ship_of(player)
        for bullet in self.all(Bullet):
            if bullet.by is ship:
                self.despawn(bullet)

    def on_tick(self) -> None:
        """Everything that happens in one tick."""
        for player in self.players:
            ship = self.ship_of(player)
            if ship is not None:
                self.fly(ship, player.input)
        for bullet in self.all(Bullet):
            self.advance(bullet)
        for crate in self.all(Health):
            self.repair(crate)
        if self.tick >= self.match.ends:
            self.finish_round()

    def ship_of(self, player: Player[Steer]) -> Ship | None:
        """The ship of a player."""
        return next((entity for entity in player.owned if isinstance(entity, Ship)), None)

    def free_name(self, wished: str) -> str:
        """The name wished for, with a number when somebody here has it already."""
        taken = {ship.name for ship in self.all(Ship)}
        names = (f"{tidy(wished, NAME_BYTES - 4)} {number}" for number in range(2, len(taken) + 3))
        return wished if wished not in taken else next(name for name in names if name not in taken)

    def fly(self, ship: Ship, steer: Steer) -> None:
        """One tick of one ship: move, shoot, count down."""
        ship.silence = max(0, ship.silence - 1)
        ship.reload = max(0, ship.reload - 1)
        ship.wait = max(0, ship.wait - 1)
        if not ship.alive:
            if ship.wait == 0:
                self.respawn(ship)
            return
        ship.shield = ship.wait > 0
        ship.thrust = steer.thrust
        ship.was = (ship.x, ship.y)
        now = Motion(ship.x, ship.y, ship.vx, ship.vy, ship.heading)
        ship.x, ship.y, ship.vx, ship.vy, ship.heading = step(now, steer.turn, steer.thrust, self.all(Rock), self.dt)
        if steer.fire and ship.reload == 0:
            self.shoot(ship)

    def shoot(self, ship: Ship) -> None:
        """Launch a bullet from the ship's nose. Who shoots gives up the shield."""
        dx, dy = direction(ship.heading)
        nose_x, nose_y = ship.x + dx * SHIP_RADIUS, ship.y + dy * SHIP_RADIUS
        self.spawn(Bullet(x=nose_x, y=nose_y, heading=ship.heading, born=self.tick, by=ship))
        ship.reload = RELOAD_TICKS
        ship.wait = 0
        ship.shield = False

    def advance(self, bullet: Bullet) -> None:
        """Move a bullet on by a tick, and end it when it met something or is too old."""
        flown = bullet.flown(self.tick)
        if self.tick == bullet.born:
            self.catch_up(bullet)
        elif (
            bullet.spent
            or flown > BULLET_TICKS
            or self.sweep(bullet, flown - 1, flown, [(ship, ship.was, (ship.x, ship.y)) for ship in self.all(Ship)])
            is not None
        ):
            self.despawn(bullet)

    def catch_up(self, bullet: Bullet) -> None:
        """Fly a new bullet from the moment that its pilot saw into the present, past everyone as they were then.

        A shot that takes its time is no ray: to test it against the past alone would be wrong, for most of its flight
        is yet to come. So it leaves the nose in the past, overtakes the ticks in between at once, meeting
        everybody where they were in each, and flies on in the present, where it can be seen and dodged. On its pilot's
        screen, which shows the past, that is one smooth flight from the nose into what was aimed at. The others see it
        begin that far ahead of the nose: the price of the pilot's delay, paid by those it shoots at from near.
        Who was hit in the past but is shot down by now is not hit again.
        """
        by = bullet.by
        if by is None or by.pilot is None or not by.compensated:
            return
        past = self.seen_by(by.pilot)
        bullet.ahead = past.ticks_before(self.tick)
        reach = bullet.ahead * (BULLET_SPEED * self.dt + LEAP) + SHIP_RADIUS
        near = [ship for ship in self.all(Ship) if dist((ship.x, ship.y), (bullet.x, bullet.y)) < reach]
        moments = [(then.ticks_before(self.tick), places(near, then)) for then in (past, *past.until_now())]
        moments.append((0.0, {ship.id: (ship.x, ship.y) for ship in near}))
        for (since, before), (until, after) in pairwise(moments):
            flown, reached = bullet.ahead - since, bullet.ahead - until
            share = self.sweep(bullet, flown, reached, moved(near, before, after))
            if share is not None:
                bullet.spent = max(flown + (reached - flown) * share, 1 / 16)
                return  # it is there for this tick, so that all can draw it

    def sweep(self, bullet: Bullet, since: float, until: float, ships: Iterable[Moved]) -> float | None:
        """Fly a bullet for a part of its way, in ticks of flight; the first thing that it meets counts.

        Returns:
            The share of this part after which it met something or left the arena; None when it flies on.
        """
        start, end = bullet.after(since * self.dt), bullet.after(until * self.dt)
        rocks = [(None, (rock.x, rock.y), (rock.x, rock.y), rock.radius) for rock in self.all(Rock)]
        targets = [(ship, was, at, SHIP_RADIUS) for ship, was, at in ships if ship.alive and ship is not bullet.by]
        met = first_met(start, end, [*rocks, *targets])
        if met is None:
            return None if 0 <= end[0] <= WIDTH and 0 <= end[1] <= HEIGHT else 1.0
        share, victim = met
        if victim is not None:
            self.hit(victim, bullet, start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)
        return share

    def hit(self, victim: Ship, bullet: Bullet, x: float, y: float) -> None:
        """Take a bullet's damage from a ship; a shield takes it all."""
        damage = 0 if victim.shield else min(DAMAGE, victim.hp)
        victim.hp -= damage
        self.broadcast(Hit(victim=victim, by=bullet.by, x=x, y=y, damage=damage))
        if victim.hp == 0:
            self.shoot_down(victim, bullet.by)

    def shoot_down(self, victim: Ship, killer: Ship | None) -> None:
        """Take a ship out of play for a while, and give the point to who did it."""
        victim.alive = False
        victim.thrust = False
        victim.vx = victim.vy = 0.0
        victim.wait = RESPAWN_TICKS
        if killer is not None:
            killer.score = min(65535, killer.score + 1)
        killer_name = killer.name if killer is not None else ""
        self.broadcast(Kill(killer=killer, victim=victim, killer_name=killer_name, victim_name=victim.name))

    def respawn(self, ship: Ship) -> None:
        """Put a ship back into play, whole and shielded, away from the others."""
        ship.x, ship.y = ship.was = self.free_spot(2 * SHIP_RADIUS)
        ship.vx = ship.vy = 0.0
        ship.hp = FULL_HP
        ship.alive = ship.shield = True
        ship.reload = 0
        ship.wait = SHIELD_TICKS

    def place_repair(self) -> None:
        """Put a repair crate somewhere free."""
        x, y = self.free_spot(2 * REPAIR_RADIUS)
        self.spawn(Health(x=x, y=y))

    def repair(self, crate: Health) -> None:
        """Give a crate to a damaged ship that touches it; another appears a little later."""
        for ship in self.all(Ship):
            near = hypot(ship.x - crate.x, ship.y - crate.y) < SHIP_RADIUS + REPAIR_RADIUS
            if near and ship.alive and ship.hp < FULL_HP:
                ship.hp = min(FULL_HP, ship.hp + REPAIR_HP)
                self.despawn(crate)
                self.after(REPAIR_TICKS, self.place_repair)
                return

    def finish_round(self) -> None:
        """Name the winner and start the next round with everyone at zero."""
        ranks = sorted(self.all(Ship), key=lambda ship: -ship.score)
        clear = len(ranks) > 0 and ranks[0].score > 0 and (len(ranks) == 1 or ranks[0].score > ranks[1].score)
        self.broadcast(Round(winner=ranks[0].name if clear else ""))
        self.match.ends = self.tick + ROUND_TICKS
        self.match.round += 1
        for bullet in self.all(Bullet):
            self.despawn(bullet)
        for ship in ranks:
            ship.score = 0
            self.respawn(ship)

    def free_spot(self, room: float) -> Point:
        """A point with so much room around it; of several, the one farthest from any ship in play."""
        spots = [(self.random.randrange(6, 115), self.random.randrange(6, 75)) for _ in range(24)]
        return max(spots, key=lambda spot: self.openness(spot[0], spot[1], room))

    def openness(self, x: float, y: float, room: float) -> float:
        """How good a spot is: its distance to the nearest ship, far below zero when it is taken."""
        rocks = min((hypot(x - rock.x, y - rock.y) - rock.radius for rock in self.all(Rock)), default=WIDTH)
        crates = min((hypot(x - crate.x, y - crate.y) for crate in self.all(Health)), default=WIDTH)
        ships = min((hypot(x - ship.x, y - ship.y) for ship in self.all(Ship) if ship.alive), default=WIDTH)
        walls = min(x, y, WIDTH - x, HEIGHT - y)
        taken = min(rocks, crates, walls) < room
        return ships - 10 * WIDTH if taken else ships


def places(ships: Iterable[Ship], past: Past) -> dict[int, Point]:
    """Where those of the ships that were in play were at a moment of the past, by id."""
    found = (past.get(ship) for ship in ships)
    return {then.id: (then.x, then.y) for then in found if then is not None and then.alive}


def moved(ships: Iterable[Ship], before: Mapping[int, Point], after: Mapping[int, Point]) -> list[Moved]:
    """The ships of the later places, and where they came from: from there itself, if they were put there."""
    ways = [(ship, before.get(ship.id, after[ship.id]), after[ship.id]) for ship in ships if ship.id in after]
    return [(ship, was if dist(was, at) < LEAP else at, at) for ship, was, at in ways]


def tidy(words: object, max_bytes: int) -> str:
    """Text from a player as others may see it: one line, no control characters, cut at a whole character."""
    if not isinstance(words, str):
        return ""
    line = " ".join("".join(char if char.isprintable() else " " for char in words).split())
    return line.encode()[:max_bytes].decode(errors="ignore").strip()
