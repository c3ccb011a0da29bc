// Semantic roles after He et al. 2017, as AllenNLP 0.9's semantic_role_labeler.jsonnet: what both configurations share.
local variables = import 'variables.libsonnet';
local words = (import 'words.libsonnet')('data/glove/glove.6B.100d.txt.gz', 100, true);

local predicate_feature = 100;  // one of two vectors: whether a word is the predicate
local scored = variables.choice('SRL_SCORER', ['official', 'none']) == 'official';

variables.data('data/srl', 'train', 'dev') {
  dataset_reader: {
    type: 'srl',
    token_indexers: { tokens: { type: 'single_id', lowercase_tokens: true } },
  },
  model: {
    type: 'srl',
    text_field_embedder: { token_embedders: { tokens: words } },
    binary_feature_dim: predicate_feature,
    encoder: {
      type: 'alternating_lstm',
      input_size: words.dimension + predicate_feature,
      hidden_size: variables.number('WIDTH', 300),
      num_layers: variables.number('LAYERS', 8),
      recurrent_dropout_probability: 0.1,
      use_highway: true,
    },
    initializer: { regexes: [['tag_projection_layer.*weight', { type: 'orthogonal' }]] },
    ignore_span_metric: !scored,
  },
  data_loader: {
    batch_sampler: { type: 'bucket', sorting_keys: ['tokens'], batch_size: variables.number('BATCH_SIZE', 80) },
  },
  trainer: {
    num_epochs: variables.number('EPOCHS', 500),
    patience: variables.number('PATIENCE', 200),
    grad_clipping: 1.0,
    validation_metric: if scored then '+f1-measure-overall' else '-loss',
    optimizer: { type: 'adadelta', rho: 0.95 },
  },
}
