"""How good the answers are: retrieval, the whole service, and how far its probabilities can be trusted."""
