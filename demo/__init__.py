"""`make run`: the whole portal on one machine, with a simulated exchange and a mailbox, on invented data."""
