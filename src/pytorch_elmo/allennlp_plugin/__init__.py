"""The guest: this project's ELMo inside AllenNLP 2.10.1, and AllenNLP 2.10.1 on today's packages."""
