"""The graph's topology, and nothing else.

The reply is written before the graph waits: `respond` comes first and sends each sealed ticket on to
`confirmation`. Were the wait first, nobody would see an answer, or the ticket itself, until they had
decided. A ticket that was decided while the talk went on enters at `confirmation` by its id.
"""

from __future__ import annotations

from typing import Any, Final

from langgraph.graph import START, StateGraph
from langgraph.types import Send

from agents.nodes.confirmation import make_confirmation
from agents.nodes.execution import make_execution
from agents.nodes.order_desk import make_order_desk
from agents.nodes.respond import make_respond
from agents.nodes.specialists import specialist
from agents.nodes.supervisor import make_supervisor
from agents.nodes.toolbox import Toolbox
from agents.services import Services
from agents.state import DeskInput, DeskState, TicketTask

SPECIALISTS: Final = ("cipher", "volume_profile", "market_desk")


def entrance(state: DeskState) -> str | Send:
    """A decided ticket goes to `confirmation`, anything else to the supervisor."""
    ticket = state.get("decided_ticket")
    if ticket:
        return Send("confirmation", TicketTask(ticket_id=ticket, owner=state.get("owner", "local")))
    return "supervisor"


def build_graph(services: Services) -> StateGraph[DeskState, None, DeskInput, DeskState]:
    """Supervisor -> specialists and order desk -> supervisor -> respond -> person -> execution -> respond."""
    toolbox = Toolbox(services)
    graph: StateGraph[DeskState, None, DeskInput, DeskState] = StateGraph(DeskState, input_schema=DeskInput)
    supervisor: Any = make_supervisor(services, toolbox.tools, toolbox.node_of)
    graph.add_node("supervisor", supervisor)
    for name in SPECIALISTS:
        node: Any = specialist(name, services, toolbox.of(name))
        graph.add_node(name, node)
        graph.add_edge(name, "supervisor")
    nodes: dict[str, Any] = {
        "order_desk": make_order_desk(services),
        "respond": make_respond(services),
        "confirmation": make_confirmation(services),
        "execution": make_execution(services),
    }
    for name, node in nodes.items():
        graph.add_node(name, node)
    graph.add_conditional_edges(START, entrance, ["supervisor", "confirmation"])
    graph.add_edge("order_desk", "supervisor")
    graph.add_edge("execution", "respond")
    return graph
