"""Django's PostgreSQL backend, with a pool that serves again as soon as the server does.

After a restart every idle connection is a dead one. psycopg's pool looks at one after the other and pauses in
between, for one second, then two, then four (`AttemptWithBackoff` in psycopg_pool 3.3): with five of them a
request would wait for longer than its ten seconds, and fail. Here the first dead one has all looked at.
"""

from typing import Any

from django.db.backends.postgresql import base
from psycopg_pool import ConnectionPool


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        found = super().get_new_connection(conn_params)
        while self.pool and not self._answers(found):
            self.pool.putconn(found)
            self.pool.check()
            found = super().get_new_connection(conn_params)
        return found

    def _answers(self, found: Any) -> bool:
        try:
            ConnectionPool.check_connection(found)
        except self.Database.Error:
            return False
        return True
