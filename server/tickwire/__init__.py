"""tickwire: a server-authoritative state-sync server for multiplayer games in the browser."""

from tickwire.lobby import Lobby as Lobby
from tickwire.past import Past as Past
from tickwire.player import LeaveReason as LeaveReason
from tickwire.player import Player as Player
from tickwire.room import Room as Room
from tickwire.server import serve as serve
from tickwire.timers import Timer as Timer
from tickwire_shared.declare import Entity as Entity
from tickwire_shared.declare import Event as Event
from tickwire_shared.declare import Input as Input
from tickwire_shared.declare import angle as angle
from tickwire_shared.declare import blob as blob
from tickwire_shared.declare import choice as choice
from tickwire_shared.declare import entity as entity
from tickwire_shared.declare import event as event
from tickwire_shared.declare import flag as flag
from tickwire_shared.declare import inputs as inputs
from tickwire_shared.declare import integer as integer
from tickwire_shared.declare import packed as packed
from tickwire_shared.declare import quantized as quantized
from tickwire_shared.declare import ref as ref
from tickwire_shared.declare import text as text
from tickwire_shared.declare import trigger as trigger
from tickwire_shared.errors import TickwireError as TickwireError
