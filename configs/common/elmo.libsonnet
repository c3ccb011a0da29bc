// ELMo for a configuration: the embedder, its indexer, and the size of its vectors.
//
// ELMO_MODEL is a name that `elmo models` lists or a folder with a model; ELMO_OPTIONS_FILE and ELMO_WEIGHT_FILE are the
// two files of AllenNLP's format instead. Of a named model the size of a vector is known here; of any other ELMO_DIM
// says it: twice the `projection_dim` of its options file. ELMO_LAYER_FILE is a file that `embed-to-hdf5` wrote of the
// data with that model: vectors are then read, not computed, and the mix is learned all the same.
local variables = import 'variables.libsonnet';

local dimensions = {
  default: 256,
  small: 256,
  medium: 512,
  original: 1024,
  'original-5.5b': 1024,
  pubmed: 1024,
};
local files = variables.isSet('ELMO_OPTIONS_FILE') || variables.isSet('ELMO_WEIGHT_FILE');
local model = variables.text('ELMO_MODEL', 'default');
local computed = !variables.isSet('ELMO_LAYER_FILE');
local layer_file = { type: 'elmo_layer_file', layer_file: std.extVar('ELMO_LAYER_FILE') };
{
  dimension::
    if variables.isSet('ELMO_DIM') then variables.number('ELMO_DIM', 0)
    else if !files && std.objectHas(dimensions, model) then dimensions[model]
    else error 'the size of the vectors of %s is not known; set ELMO_DIM to twice the projection_dim of its options' %
               (if files then 'ELMO_OPTIONS_FILE' else model),

  indexer:: if computed then { type: 'elmo_characters' } else layer_file,

  embedder(dropout):: {
    type: 'elmo_token_embedder',
    do_layer_norm: false,
    dropout: dropout,
  } + if !computed then layer_file
  else if files then {
    options_file: std.extVar('ELMO_OPTIONS_FILE'),
    weight_file: std.extVar('ELMO_WEIGHT_FILE'),
  } else { model: model },

  // A little L2 on the numbers that weigh the layers.
  regularizer(alpha):: { regexes: [['scalar_parameters', { type: 'l2', alpha: alpha }]] },
}
