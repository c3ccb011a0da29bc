// Five-way sentiment with the biattentive classification network of McCann et al. 2017, as AllenNLP's
// biattentive_classification_network_elmo.jsonnet: what both configurations share.
local variables = import 'variables.libsonnet';
local words = (import 'words.libsonnet')('data/glove/glove.840B.300d.txt.gz', 300, false);

local width = variables.number('WIDTH', 300);
local reader(subtrees) = {
  type: 'sst_tokens',
  use_subtrees: subtrees,
  granularity: '5-class',
  token_indexers: { tokens: { type: 'single_id' } },
};
local lstm(input_size) = {
  type: 'lstm',
  input_size: input_size,
  hidden_size: width,
  num_layers: variables.number('LAYERS', 1),
  bidirectional: true,
};

variables.data('data/sst', 'train.txt', 'dev.txt') {
  dataset_reader: reader(true),
  validation_dataset_reader: reader(false),
  model: {
    type: 'bcn',
    text_field_embedder: { token_embedders: { tokens: words } },
    embedding_dropout: 0.5,
    pre_encode_feedforward: {
      input_dim: words.dimension,
      num_layers: 1,
      hidden_dims: [width],
      activations: ['relu'],
      dropout: [0.25],
    },
    encoder: lstm(width),
    integrator: lstm(3 * 2 * width),
    integrator_dropout: 0.1,
    output_layer: {
      input_dim: 4 * 2 * width,
      num_layers: 3,
      output_dims: [4 * width, 2 * width, 5],
      pool_sizes: 4,
      dropout: [0.2, 0.3, 0.0],
    },
  },
  data_loader: { batch_sampler: { type: 'bucket', batch_size: variables.number('BATCH_SIZE', 100) } },
  trainer: {
    num_epochs: variables.number('EPOCHS', 40),
    patience: variables.number('PATIENCE', 5),
    grad_norm: 5.0,
    validation_metric: '+accuracy',
    optimizer: { type: 'adam', lr: 0.001 },
  },
}
