// Vectors of words from a small convolution over their characters.
{
  indexer(filter_size):: { type: 'characters', min_padding_length: filter_size },

  embedder(filters, filter_size):: {
    type: 'character_encoding',
    // The namespace is said: AllenNLP 2.x would size the table by the vocabulary of words.
    embedding: { embedding_dim: 16, vocab_namespace: 'token_characters' },
    encoder: { type: 'cnn', embedding_dim: 16, num_filters: filters, ngram_filter_sizes: [filter_size] },
  },
}
