// Coreference without ELMo: GloVe vectors and characters, and a score for every pair of spans.
//   allennlp train configs/coref.jsonnet -s runs/coref
// The data are one *.gold_conll file each, CoNLL-2012's columns with coreference in the last;
// scripts/prepare_coref.py gathers them.
// Variables of the environment, with their defaults:
//   TRAIN_DATA_PATH=data/coref/train.gold_conll VALIDATION_DATA_PATH=data/coref/dev.gold_conll, and TEST_DATA_PATH
//   WORD_VECTORS=data/glove/glove.6B.300d.txt.gz WORD_VECTORS_DIM=300; with WORD_VECTORS= they are trained from random
//   WIDTH=200 LAYERS=1 BATCH_SIZE=1 EPOCHS=150 PATIENCE=10
import 'common/coref.libsonnet'
