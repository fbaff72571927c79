"""Looks into RabbitMQ, where BROKER_URL names one: what the other helpers do with Redis and with files."""

from collections.abc import Iterator
from typing import Any

import amqp
import celery
from django.conf import settings
from kombu import Connection

QUEUES = ("checks", "mail", "sweeps", "chores")
IS_USED = settings.BROKER_URL.startswith("amqp")


def _connection() -> Connection:
    return celery.current_app.connection_for_write()


def _channel(connection: Connection) -> Any:
    """With the methods of AMQP, which kombu's type does not tell of."""
    return connection.default_channel


def empty() -> None:
    with _connection() as connection:
        for queue in QUEUES:
            try:
                _channel(connection).queue_purge(queue)
            except amqp.NotFound:  # which closes the channel
                connection.close()


def waiting(queue: str) -> int:
    with _connection() as connection:
        try:
            return int(_channel(connection).queue_declare(queue, passive=True).message_count)
        except amqp.NotFound:
            return 0


def bodies() -> Iterator[tuple[str, bytes]]:
    """Queue and content of each message that waits; all of them go back as the connection closes."""
    with _connection() as connection:
        for queue in QUEUES:
            while waiting(queue) and (message := _channel(connection).basic_get(queue)):
                yield queue, f"{message.properties} {message.body}".encode()
