"""The health check of a container that serves http: `python healthcheck.py PORT PATH`. Status 0: it answers.

Beside manage.py and without Django, whose import would cost more than the answer. Any of our host names does.
"""

import http.client
import os
import sys

if __name__ == "__main__":
    host = os.environ.get("ALLOWED_HOSTS", "").split(",")[0].strip().lstrip(".") or "localhost"
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=5)
    try:
        connection.request("GET", sys.argv[2], headers={"Host": host})
        alive = connection.getresponse().status == 200
    except OSError:
        alive = False
    sys.exit(0 if alive else 1)
