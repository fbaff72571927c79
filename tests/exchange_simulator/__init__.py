"""A small server that answers like the exchanges do. `make run` and the tests talk to it over HTTP.

`exchanges/` has a file for each: its addresses, how it checks a signature, its replies and errors, as it
documents them, and the demo's keys. `behaviours` is how any of them misbehaves; `server` has the control.
"""
