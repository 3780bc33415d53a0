"""The assault: bad inputs, faults and attacks by the hundred, drawn by a seed, judged by one rule.

A run may succeed or be refused. It is *clear* if it ends in time, with a documented exit code, with
one line that says why where that is not 0, without a traceback, and leaves nothing half written.
`scripts/assault` tries all of it, the suite a few of each family.
"""
