"""The headless Python client of tickwire: play a room, or fill it with bots."""

from tickwire_client.client import Game as Game
from tickwire_client.client import connect as connect
from tickwire_client.client_session import ClientSession as ClientSession
from tickwire_client.conditioner import Link as Link
from tickwire_client.decoding import SharedDecoder as SharedDecoder
from tickwire_client.game_view import GameView as GameView
from tickwire_client.game_view import Me as Me
from tickwire_client.reconnect import Backoff as Backoff
from tickwire_client.replica import Replica as Replica
from tickwire_client.statistics import GameStats as GameStats
from tickwire_client.swarm import run_swarm as run_swarm
from tickwire_client.swarm_report import SwarmReport as SwarmReport
from tickwire_client.views import EntityView as EntityView
from tickwire_client.views import EventView as EventView
