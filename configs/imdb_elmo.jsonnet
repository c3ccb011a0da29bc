// The sentiment of a review (IMDB) with ELMo beside the word vectors.
//   allennlp train configs/imdb_elmo.jsonnet -s runs/imdb_elmo
// Variables of the environment: those of imdb.jsonnet, and
//   ELMO_MODEL=default; or another name, a folder with ELMO_DIM, or ELMO_OPTIONS_FILE and ELMO_WEIGHT_FILE with ELMO_DIM
//   ELMO_LAYER_FILE, the data's vectors of that model from embed-to-hdf5, which are read instead of computed
local elmo = import 'common/elmo.libsonnet';

(import 'common/imdb.libsonnet') {
  dataset_reader+: { token_indexers+: { elmo: elmo.indexer { token_min_padding_length: 5 } } },
  model+: {
    text_field_embedder+: { token_embedders+: { elmo: elmo.embedder(dropout=0.5) } },
    seq2vec_encoder+: { embedding_dim: super.embedding_dim + elmo.dimension },
    regularizer: elmo.regularizer(0.001),
  },
}
