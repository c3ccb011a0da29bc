// Semantic roles with ELMo: the configuration of srl.jsonnet and three edits.
//   allennlp train configs/srl_elmo.jsonnet -s runs/srl_elmo
// Variables of the environment: those of srl.jsonnet, and
//   ELMO_MODEL=default; or another name, a folder with ELMO_DIM, or ELMO_OPTIONS_FILE and ELMO_WEIGHT_FILE with ELMO_DIM
//   ELMO_LAYER_FILE, the data's vectors of that model from embed-to-hdf5, which are read instead of computed
local elmo = import 'common/elmo.libsonnet';

(import 'common/srl.libsonnet') {
  model+: {
    // 1. ELMo stands beside the word vectors.
    text_field_embedder+: { token_embedders+: { elmo: elmo.embedder(dropout=0.5) } },

    // 3. The encoder's input grows by the size of ELMo's vectors: 200 + 1024 = 1224 with the original model.
    encoder+: { input_size: super.input_size + elmo.dimension },

    // The mixing weights are held a little, lambda 0.001.
    regularizer: elmo.regularizer(0.001),
  },

  // 2. The reader gives the characters of every token too.
  dataset_reader+: { token_indexers+: { elmo: elmo.indexer } },
}
