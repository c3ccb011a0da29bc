// Coreference after Lee et al. 2017, as AllenNLP's coref.jsonnet: what both configurations share.
local characters = import 'characters.libsonnet';
local variables = import 'variables.libsonnet';
local words = (import 'words.libsonnet')('data/glove/glove.6B.300d.txt.gz', 300, false);

local width = variables.number('WIDTH', 200);
local filters = 100;
local span_width = 10;
local feature_size = 20;
local feedforward(input_size) = {
  input_dim: input_size,
  num_layers: 2,
  hidden_dims: 150,
  activations: 'relu',
  dropout: 0.2,
};

variables.data('data/coref', 'train.gold_conll', 'dev.gold_conll') {
  // A span is the two ends of the context layer, its attended words, and its width.
  local embedding_size = words.dimension + filters + self.extra_dimension,
  local span_size = 2 * 2 * width + embedding_size + feature_size,
  extra_dimension:: 0,

  dataset_reader: {
    type: 'coref',
    max_span_width: span_width,
    token_indexers: {
      tokens: { type: 'single_id', lowercase_tokens: true },
      token_characters: characters.indexer(5),
    },
  },
  model: {
    type: 'coref',
    text_field_embedder: {
      token_embedders: { tokens: words, token_characters: characters.embedder(filters, 5) },
    },
    context_layer: {
      type: 'lstm',
      bidirectional: true,
      input_size: embedding_size,
      hidden_size: width,
      num_layers: variables.number('LAYERS', 1),
    },
    mention_feedforward: feedforward(span_size),
    antecedent_feedforward: feedforward(3 * span_size + feature_size),
    initializer: {
      regexes: [
        ['.*linear_layers.*weight', { type: 'xavier_normal' }],
        ['.*scorer._module.weight', { type: 'xavier_normal' }],
        ['_distance_embedding.weight', { type: 'xavier_normal' }],
        ['_span_width_embedding.weight', { type: 'xavier_normal' }],
        ['_context_layer._module.weight_ih.*', { type: 'xavier_normal' }],
        ['_context_layer._module.weight_hh.*', { type: 'orthogonal' }],
      ],
    },
    lexical_dropout: 0.5,
    feature_size: feature_size,
    max_span_width: span_width,
    spans_per_word: 0.4,
    max_antecedents: 100,
  },
  data_loader: { batch_sampler: { type: 'bucket', padding_noise: 0.0, batch_size: variables.number('BATCH_SIZE', 1) } },
  trainer: {
    num_epochs: variables.number('EPOCHS', 150),
    patience: variables.number('PATIENCE', 10),
    grad_norm: 5.0,
    validation_metric: '+coref_f1',
    optimizer: { type: 'adam' },
    learning_rate_scheduler: { type: 'reduce_on_plateau', factor: 0.5, mode: 'max', patience: 2 },
  },
}
