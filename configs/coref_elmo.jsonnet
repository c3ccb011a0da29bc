// Coreference with ELMo beside the word vectors and characters.
//   allennlp train configs/coref_elmo.jsonnet -s runs/coref_elmo
// Variables of the environment: those of coref.jsonnet, and
//   ELMO_MODEL=default; or another name, a folder with ELMO_DIM, or ELMO_OPTIONS_FILE and ELMO_WEIGHT_FILE with ELMO_DIM
//   ELMO_LAYER_FILE, the data's vectors of that model from embed-to-hdf5, which are read instead of computed
local elmo = import 'common/elmo.libsonnet';

(import 'common/coref.libsonnet') {
  extra_dimension:: elmo.dimension,  // of every layer that sees the words
  dataset_reader+: { token_indexers+: { elmo: elmo.indexer } },
  model+: { text_field_embedder+: { token_embedders+: { elmo: elmo.embedder(dropout=0.0) } } },
}
