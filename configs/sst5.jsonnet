// Five-way sentiment of sentences (SST-5) without ELMo: GloVe vectors into the biattentive classification network.
//   allennlp train configs/sst5.jsonnet -s runs/sst5
// The data are the official files of bracketed trees; training reads the subtrees too.
// Variables of the environment, with their defaults:
//   TRAIN_DATA_PATH=data/sst/train.txt VALIDATION_DATA_PATH=data/sst/dev.txt, and TEST_DATA_PATH
//   WORD_VECTORS=data/glove/glove.840B.300d.txt.gz WORD_VECTORS_DIM=300; with WORD_VECTORS= they are trained from random
//   WIDTH=300 LAYERS=1 BATCH_SIZE=100 EPOCHS=40 PATIENCE=5
import 'common/sst5.libsonnet'
