// Constituency trees without ELMo: GloVe vectors and tags into a bidirectional LSTM, and a score for every span.
//   allennlp train configs/constituency.jsonnet -s runs/constituency
// The data are files of bracketed trees, one a line; scripts/prepare_trees.py writes them.
// Variables of the environment, with their defaults:
//   TRAIN_DATA_PATH=data/constituency/train.txt VALIDATION_DATA_PATH=data/constituency/dev.txt, and TEST_DATA_PATH
//   WORD_VECTORS=data/glove/glove.6B.100d.txt.gz WORD_VECTORS_DIM=100; with WORD_VECTORS= they start at random
//   WIDTH=250 LAYERS=2 BATCH_SIZE=32 EPOCHS=150 PATIENCE=20
//   EVALB=official, which AllenNLP compiles at first use, with make and a C compiler; or none, and the loss decides
import 'common/constituency.libsonnet'
