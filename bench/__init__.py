"""`python -m bench [part …]`: the figures that say how good the portal is. See docs/benchmarks.md.

__main__         runs each part in a process of its own ▶ a table, and var/bench.json
figures          every figure: its name, what it means, its bound; and the parts that give them
settings, stage  the product's settings, a database and the portal's processes, for one run
<part>           one file each, with `measure()`, which gives figures by name and prints what else it saw
"""
