// Word vectors beside ELMo: a file in GloVe's format, where scripts/prepare_glove.py places it, or random vectors to
// begin with where WORD_VECTORS is empty.
local variables = import 'variables.libsonnet';

function(file, dimension, trainable)
  local path = variables.text('WORD_VECTORS', file);
  {
    dimension:: variables.number('WORD_VECTORS_DIM', dimension),

    type: 'embedding',
    embedding_dim: self.dimension,
    [if path != '' then 'pretrained_file']: path,
    trainable: trainable || path == '',
  }
