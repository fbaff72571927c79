"""Read by `celery -A sequence_portal flower --conf=./flowerconfig.py` when it starts."""

import django

django.setup()  # what judges people needs their tables

from sequence_portal import custody, flower_door  # noqa: E402

custody.of_the_web()
flower_door.install()

url_prefix = flower_door.PREFIX
auth = flower_door.NOBODY
read_only = True
max_tasks = 10_000
tasks_columns = "name,args,result,state,received,runtime,worker"
