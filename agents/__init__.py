"""The desk's graph: supervisor, specialists, order desk, person, execution, reply.

```
START -> supervisor -> cipher, volume_profile, market_desk, order_desk (in parallel) -> supervisor -> respond
respond -> END | confirmation (one per sealed ticket) -> execution -> respond
START -> confirmation                                   a ticket that was decided while the talk went on
```
"""

import os

# Read by langgraph when it is first imported: a checkpoint may hold plain data and messages, never a callable.
os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")
