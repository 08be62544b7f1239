"""The benchmark: tickwire beside its peers, in one run, under one load generator.

``python -m tests.bench --help``, or ``make bench``. Needs Linux, two cores and a C compiler; Colyseus
needs Node and npm as well, and is installed into a scratch folder, never into the project.
"""
