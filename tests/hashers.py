"""Argon2 as the product uses it, with less work."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2(Argon2PasswordHasher):
    time_cost = 1
    memory_cost = 256  # KiB
    parallelism = 1
