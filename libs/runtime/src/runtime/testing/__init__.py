"""What tests and demonstrations need: simulated and real servers, fakes, patience."""
