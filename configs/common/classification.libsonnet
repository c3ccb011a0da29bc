// A text's class from a bidirectional LSTM over its tokens: what four configurations share. No ELMo configuration was
// published for these tasks in AllenNLP; the sizes are plain ones.
local variables = import 'variables.libsonnet';
local words = (import 'words.libsonnet')('data/glove/glove.6B.100d.txt.gz', 100, true);

// folder: the prepared data. max_tokens: longer texts are cut. batch_size: its default.
function(folder, max_tokens, batch_size)
  local width = variables.number('WIDTH', 100);
  variables.data(folder, 'train.jsonl', 'dev.jsonl') {
    dataset_reader: {
      type: 'text_classification_json',
      tokenizer: { type: variables.text('TOKENIZER', 'just_spaces') },
      max_sequence_length: variables.number('MAX_TOKENS', max_tokens),
      token_indexers: { tokens: { type: 'single_id', lowercase_tokens: true } },
    },
    model: {
      type: 'basic_classifier',
      dropout: 0.5,
      text_field_embedder: { token_embedders: { tokens: words } },
      seq2vec_encoder: {
        type: 'lstm',
        input_size: words.dimension,
        hidden_size: width,
        num_layers: variables.number('LAYERS', 1),
        bidirectional: true,
      },
    },
    data_loader: {
      batch_sampler: { type: 'bucket', batch_size: variables.number('BATCH_SIZE', batch_size) },
    },
    trainer: {
      num_epochs: variables.number('EPOCHS', 30),
      patience: variables.number('PATIENCE', 5),
      grad_norm: 5.0,
      validation_metric: '+accuracy',
      optimizer: { type: 'adam', lr: 0.001 },
    },
  }
