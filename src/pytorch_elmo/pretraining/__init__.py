"""Training a biLM from text: corpus, streams, objective, the loop, and its measure."""
