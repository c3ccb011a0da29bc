// Constituency after Stern et al. 2017, as AllenNLP's constituency_parser_elmo.jsonnet but with word vectors: what
// both configurations share.
local variables = import 'variables.libsonnet';
local words = (import 'words.libsonnet')('data/glove/glove.6B.100d.txt.gz', 100, true);

local tag_dimension = 50;
local width = variables.number('WIDTH', 250);
local scored = variables.choice('EVALB', ['official', 'none']) == 'official';
local layers = variables.number('LAYERS', 2);

variables.data('data/constituency', 'train.txt', 'dev.txt') {
  dataset_reader: {
    type: 'ptb_trees',
    use_pos_tags: true,
    token_indexers: { tokens: { type: 'single_id', lowercase_tokens: true } },
  },
  model: {
    type: 'constituency_parser',
    text_field_embedder: { token_embedders: { tokens: words } },
    pos_tag_embedding: { embedding_dim: tag_dimension, vocab_namespace: 'pos' },
    encoder: {
      type: 'lstm',
      input_size: words.dimension + tag_dimension,
      hidden_size: width,
      num_layers: layers,
      bidirectional: true,
      dropout: if layers > 1 then 0.2 else 0.0,  // it lies between layers
    },
    span_extractor: { type: 'bidirectional_endpoint', input_dim: 2 * width },
    feedforward: { input_dim: 2 * width, num_layers: 1, hidden_dims: width, activations: 'relu', dropout: 0.1 },
    initializer: {
      regexes: [
        ['tag_projection_layer.*weight', { type: 'xavier_normal' }],
        ['feedforward_layer.*weight', { type: 'xavier_normal' }],
        ['encoder._module.weight_ih.*', { type: 'xavier_normal' }],
        ['encoder._module.weight_hh.*', { type: 'orthogonal' }],
      ],
    },
    [if !scored then 'evalb_directory_path']: null,
  },
  data_loader: { batch_sampler: { type: 'bucket', batch_size: variables.number('BATCH_SIZE', 32) } },
  trainer: {
    num_epochs: variables.number('EPOCHS', 150),
    patience: variables.number('PATIENCE', 20),
    grad_norm: 5.0,
    validation_metric: if scored then '+evalb_f1_measure' else '-loss',
    optimizer: { type: 'adadelta', lr: 1.0, rho: 0.95 },
    learning_rate_scheduler: { type: 'multi_step', milestones: [40, 50, 60, 70, 80], gamma: 0.8 },
  },
}
