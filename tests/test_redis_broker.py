"""Redis as the broker, while it goes away."""

from typing import Any

import pytest
from django.conf import settings
from kombu import Connection

from sequence_portal import redis_broker
from tests.stack import empty_broker

pytestmark = pytest.mark.skipif(not settings.REDIS_URL, reason="Redis is the broker only where it is given.")


def test_it_outlives_a_connection_that_broke_with_a_message_in_hand() -> None:
    empty_broker()
    connection = Connection(settings.REDIS_URL)
    queue = connection.SimpleQueue("outlived")
    queue.put({"number": 1})
    message = queue.get(timeout=5)
    assert isinstance(message.channel, redis_broker.Channel), "the name leads to the broker that is mended"
    channel: Any = message.channel
    assert list(channel.qos._delivered) == [message.delivery_tag]
    # As kombu leaves it behind when the server is gone.
    transport, channel._pool = channel.connection, None
    transport.client = None
    with pytest.raises(connection.connection_errors):
        message.ack()
    channel.close()
    assert not channel.qos._delivered
    channel.connection = None
    with pytest.raises(connection.connection_errors):
        channel._connparams()
