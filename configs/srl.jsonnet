// Semantic roles without ELMo: GloVe vectors and a predicate feature into an alternating LSTM.
//   allennlp train configs/srl.jsonnet -s runs/srl
// The data are folders of *.gold_conll files; scripts/prepare_srl.py lays them out.
// Variables of the environment, with their defaults:
//   TRAIN_DATA_PATH=data/srl/train VALIDATION_DATA_PATH=data/srl/dev, and TEST_DATA_PATH
//   WORD_VECTORS=data/glove/glove.6B.100d.txt.gz WORD_VECTORS_DIM=100; with WORD_VECTORS= they start at random
//   WIDTH=300 LAYERS=8 BATCH_SIZE=80 EPOCHS=500 PATIENCE=200
//   SRL_SCORER=official, the script of the shared task, which needs Perl; or none, and the loss decides
import 'common/srl.libsonnet'
