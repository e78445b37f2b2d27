"""Worker, filter and gateway in one process, in virtual time, on a broker that loses, delays and dies: seeded."""
