// Constituency trees with ELMo beside the word vectors and tags.
//   allennlp train configs/constituency_elmo.jsonnet -s runs/constituency_elmo
// Variables of the environment: those of constituency.jsonnet, and
//   ELMO_MODEL=default; or another name, a folder with ELMO_DIM, or ELMO_OPTIONS_FILE and ELMO_WEIGHT_FILE with ELMO_DIM
//   ELMO_LAYER_FILE, the data's vectors of that model from embed-to-hdf5, which are read instead of computed
local elmo = import 'common/elmo.libsonnet';

(import 'common/constituency.libsonnet') {
  dataset_reader+: { token_indexers+: { elmo: elmo.indexer } },
  model+: {
    text_field_embedder+: { token_embedders+: { elmo: elmo.embedder(dropout=0.2) } },
    encoder+: { input_size: super.input_size + elmo.dimension },
  },
}
