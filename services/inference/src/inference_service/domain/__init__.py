"""What is right: agents, turns, prompts, answers."""
