"""The city's service catalogue: finding services and answering from their records."""
