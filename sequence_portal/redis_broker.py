"""Redis as the broker: kombu's, which lets a worker survive that Redis goes away while it has tasks in hand.

When its connection breaks, kombu 5.7 puts back and acknowledges what is in hand over a connection whose
address it has forgotten, and the worker ends with an AttributeError, which is no error of a connection. Here
it is one. Nothing has to be put back: a message that was not acknowledged comes again by itself, and the
schedule finds its row before.
"""

from typing import Any

from kombu.transport import redis
from redis.exceptions import ConnectionError as RedisConnectionError


class QoS(redis.QoS):
    def restore_unacked(self, client: Any = None) -> None:
        try:
            super().restore_unacked(client)
        except (RedisConnectionError, OSError):
            if self._delivered:
                self._delivered.clear()


class Channel(redis.Channel):
    QoS = QoS

    def _connparams(self, asynchronous: bool = False) -> Any:
        if self.connection is None or self.connection.client is None:
            raise RedisConnectionError("The connection is gone.")
        return super()._connparams(asynchronous)  # type: ignore[misc]  # newer than its stubs


class Transport(redis.Transport):
    Channel = Channel
