"""What every venue's dialect must do."""

from __future__ import annotations

from abc import ABC, abstractmethod

from .candles import Candles
from .crowd import Crowd
from .events import Event
from .exchanges import Call, Json, Reply
from .faults import Fault, Faults
from .groups import GroupEngine
from .sockets import Socket, Sockets
from .venue import Venue


class Dialect(ABC):
    """Speaks one venue's REST and WebSocket language on top of a venue and its engine."""

    id_fields: frozenset[str]
    client_id_fields: frozenset[str]
    status_fields: frozenset[str]

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.engine = GroupEngine(venue)
        self.crowd = Crowd(self.engine)
        self.candles = Candles(venue)
        self.faults = Faults()
        self.sockets = Sockets()
        venue.listeners.append(self.candles.heard)
        venue.listeners.append(self.heard)

    @abstractmethod
    def route(self, call: Call) -> str:
        """Name what a request is for: `create`, `lookup`, `cancel`, ...; the same names for every venue."""

    @abstractmethod
    def answer(self, call: Call) -> Reply:
        """Do what is asked and answer in the venue's words; a refusal is an answer, too."""

    @abstractmethod
    def failure(self, fault: Fault) -> Reply:
        """Answer as the venue does when the fault's kind befalls it."""

    @abstractmethod
    def heard(self, event: Event) -> None:
        """Tell the connections that subscribed to such an event."""

    @abstractmethod
    def opened(self, socket: Socket) -> None:
        """Greet a new connection."""

    @abstractmethod
    def received(self, socket: Socket, message: Json) -> None:
        """Answer a client's message on a connection."""
