// Inference with ESIM (Chen et al. 2017), as AllenNLP's esim.jsonnet and esim_elmo.jsonnet: what both configurations
// share. AllenNLP's had either GloVe or ELMo; the paper's, and these, have ELMo beside GloVe.
local variables = import 'variables.libsonnet';
local words = (import 'words.libsonnet')('data/glove/glove.840B.300d.txt.gz', 300, true);

local width = variables.number('WIDTH', 300);
local lstm(input_size) = {
  type: 'lstm',
  input_size: input_size,
  hidden_size: width,
  num_layers: variables.number('LAYERS', 1),
  bidirectional: true,
};
local layer(input_size, output_size, activation) = {
  input_dim: input_size,
  num_layers: 1,
  hidden_dims: output_size,
  activations: activation,
};

variables.data('data/snli', 'train.jsonl', 'dev.jsonl') {
  dataset_reader: {
    type: 'snli',
    tokenizer: { type: variables.text('TOKENIZER', 'just_spaces') },
    token_indexers: { tokens: { type: 'single_id', lowercase_tokens: true } },
  },
  model: {
    type: 'esim',
    dropout: 0.5,
    text_field_embedder: { token_embedders: { tokens: words } },
    encoder: lstm(words.dimension),
    matrix_attention: { type: 'dot_product' },
    projection_feedforward: layer(4 * 2 * width, width, 'relu'),
    inference_encoder: lstm(width),
    output_feedforward: layer(4 * 2 * width, width, 'relu') { dropout: 0.5 },
    output_logit: layer(width, 3, 'linear'),
    initializer: {
      regexes: [
        ['.*linear_layers.*weight', { type: 'xavier_uniform' }],
        ['.*linear_layers.*bias', { type: 'zero' }],
        ['.*encoder.*weight_ih.*', { type: 'xavier_uniform' }],
        ['.*encoder.*weight_hh.*', { type: 'orthogonal' }],
        ['.*encoder.*bias_ih.*', { type: 'zero' }],
        ['.*encoder.*bias_hh.*', { type: 'lstm_hidden_bias' }],
      ],
    },
  },
  data_loader: { batch_sampler: { type: 'bucket', batch_size: variables.number('BATCH_SIZE', 32) } },
  trainer: {
    num_epochs: variables.number('EPOCHS', 75),
    patience: variables.number('PATIENCE', 5),
    grad_norm: 10.0,
    validation_metric: '+accuracy',
    optimizer: { type: 'adam', lr: 0.0004 },
    learning_rate_scheduler: { type: 'reduce_on_plateau', factor: 0.5, mode: 'max', patience: 0 },
  },
}
