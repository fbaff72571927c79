"""The way of a key.

    submit ▶ sealed row, checking ▶ (worker) check ▶ decide ▶ activate: ready ▶ active, the old one retired
                                                          ▶ refuse: refused, wiped
                                                          ▶ checked again later
    revoke: taken back by the customer, wiped

Each writes under the lock of the bot's row, changes a status by compare-and-set, and adds an audit event and
any mail in the same transaction.
"""
