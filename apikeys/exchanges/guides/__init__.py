"""How a key is made at each exchange: one file each, in the words of its own pages."""
