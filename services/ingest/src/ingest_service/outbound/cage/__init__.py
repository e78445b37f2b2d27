"""Where documents are read: a process without network, files or much memory, one for each document.

`nursery` is started by the service, holds what readers need in memory and forks a `child` for each document; what the
child says comes back as `lines`, which the service does not believe unchecked. docs/adr/0009 tells why.
"""
