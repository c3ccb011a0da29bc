// Question answering with BiDAF (Seo et al. 2017), as AllenNLP's bidaf.jsonnet: what both configurations share.
local variables = import 'variables.libsonnet';
local words = (import 'words.libsonnet')('data/glove/glove.6B.100d.txt.gz', 100, false);

local width = variables.number('WIDTH', 100);
local layers = variables.number('LAYERS', 2);
local filters = 100;
local lstm(input_size, num_layers) = {
  type: 'lstm',
  bidirectional: true,
  input_size: input_size,
  hidden_size: width,
  num_layers: num_layers,
};

variables.data('data/squad', 'train-v1.1.json', 'dev-v1.1.json') {
  dataset_reader: {
    type: 'squad',
    tokenizer: { type: variables.text('TOKENIZER', 'spacy') },
    token_indexers: {
      tokens: { type: 'single_id', lowercase_tokens: true },
      token_characters: {
        type: 'characters',
        character_tokenizer: { byte_encoding: 'utf-8', start_tokens: [259], end_tokens: [260] },
        min_padding_length: 5,
      },
    },
  },
  model: {
    type: 'bidaf',
    text_field_embedder: {
      token_embedders: {
        tokens: words,
        token_characters: {
          type: 'character_encoding',
          embedding: { num_embeddings: 262, embedding_dim: 16 },  // bytes, no vocabulary
          encoder: { type: 'cnn', embedding_dim: 16, num_filters: filters, ngram_filter_sizes: [5] },
          dropout: 0.2,
        },
      },
    },
    num_highway_layers: 2,
    phrase_layer: lstm(words.dimension + filters, 1),
    matrix_attention: {
      type: 'linear',
      combination: 'x,y,x*y',
      tensor_1_dim: 2 * width,
      tensor_2_dim: 2 * width,
    },
    modeling_layer: lstm(4 * 2 * width, layers) {
      dropout: if layers > 1 then 0.2 else 0.0,  // it lies between layers
    },
    span_end_encoder: lstm((4 + 3) * 2 * width, 1),
    dropout: 0.2,
  },
  data_loader: { batch_sampler: { type: 'bucket', batch_size: variables.number('BATCH_SIZE', 40) } },
  trainer: {
    num_epochs: variables.number('EPOCHS', 20),
    patience: variables.number('PATIENCE', 10),
    grad_norm: 5.0,
    validation_metric: '+em',
    optimizer: { type: 'adam', betas: [0.9, 0.9] },
    learning_rate_scheduler: { type: 'reduce_on_plateau', factor: 0.5, mode: 'max', patience: 2 },
  },
}
