"""The trading engine's door: proved keys go out sealed to the engine, and come back as taken over.

    check ▶ activate.accept ▶ handovers.offer: a second copy, sealed to the engine ▶ key is ready
    engine ▶ fetch ▶ open with its own private key ▶ ack ▶ activate.take_over: active, mail
                                                    ▶ reject ▶ revoked and wiped, mail
    revoke, take back ▶ handovers.withdraw: what the engine has seen is followed by a revocation

The portal can open no hand-over: it holds the public half of the engine's key only.
"""
