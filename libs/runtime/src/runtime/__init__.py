"""How every Lumora service lives: lifecycle, bus, database, telemetry."""
