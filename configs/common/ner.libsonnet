// Named entities after Peters et al. 2018, as AllenNLP's ner_elmo.jsonnet: what both configurations share.
local characters = import 'characters.libsonnet';
local variables = import 'variables.libsonnet';
local words = (import 'words.libsonnet')('data/glove/glove.6B.50d.txt.gz', 50, true);

local filters = 128;
local batch_size = variables.number('BATCH_SIZE', 64);
local layers = variables.number('LAYERS', 2);

variables.data('data/ner', 'train.txt', 'dev.txt') {
  dataset_reader: {
    type: 'conll2003',
    tag_label: 'ner',
    convert_to_coding_scheme: 'BIOUL',
    token_indexers: {
      tokens: { type: 'single_id', lowercase_tokens: true },
      token_characters: characters.indexer(3),
    },
  },
  model: {
    type: 'crf_tagger',
    label_encoding: 'BIOUL',
    calculate_span_f1: true,
    constrain_crf_decoding: true,
    include_start_end_transitions: false,
    dropout: 0.5,
    text_field_embedder: {
      token_embedders: {
        tokens: words,
        token_characters: characters.embedder(filters, 3) { encoder+: { conv_layer_activation: 'relu' } },
      },
    },
    encoder: {
      type: 'lstm',
      input_size: words.dimension + filters,
      hidden_size: variables.number('WIDTH', 200),
      num_layers: layers,
      dropout: if layers > 1 then 0.5 else 0.0,  // it lies between layers
      bidirectional: true,
    },
  },
  data_loader: { batch_size: batch_size, shuffle: true },  // 2.x does not shuffle of itself
  validation_data_loader: { batch_size: batch_size },
  trainer: {
    num_epochs: variables.number('EPOCHS', 75),
    patience: variables.number('PATIENCE', 25),
    grad_norm: 5.0,
    validation_metric: '+f1-measure-overall',
    optimizer: { type: 'adam', lr: 0.001 },
  },
}
