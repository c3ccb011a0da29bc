// Five-way sentiment of sentences (SST-5) with ELMo beside the word vectors.
//   allennlp train configs/sst5_elmo.jsonnet -s runs/sst5_elmo
// Variables of the environment: those of sst5.jsonnet, and
//   ELMO_MODEL=default; or another name, a folder with ELMO_DIM, or ELMO_OPTIONS_FILE and ELMO_WEIGHT_FILE with ELMO_DIM
//   ELMO_LAYER_FILE, the data's vectors of that model from embed-to-hdf5, which are read instead of computed
local elmo = import 'common/elmo.libsonnet';

// The model refuses an embedder called `elmo`: it would build AllenNLP's own ELMo at that place. Under another name
// this project's takes it, at the input, where the paper has it.
(import 'common/sst5.libsonnet') {
  dataset_reader+: { token_indexers+: { contextual: elmo.indexer } },
  validation_dataset_reader+: { token_indexers+: { contextual: elmo.indexer } },
  model+: {
    text_field_embedder+: { token_embedders+: { contextual: elmo.embedder(dropout=0.0) } },
    pre_encode_feedforward+: { input_dim: super.input_dim + elmo.dimension },
  },
}
