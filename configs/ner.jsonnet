// Named entities without ELMo: GloVe vectors and characters into a bidirectional LSTM and a CRF.
//   allennlp train configs/ner.jsonnet -s runs/ner
// The data are files in CoNLL-2003's four columns; scripts/prepare_ner.py writes them.
// Variables of the environment, with their defaults:
//   TRAIN_DATA_PATH=data/ner/train.txt VALIDATION_DATA_PATH=data/ner/dev.txt, and TEST_DATA_PATH
//   WORD_VECTORS=data/glove/glove.6B.50d.txt.gz WORD_VECTORS_DIM=50; with WORD_VECTORS= they start at random
//   WIDTH=200 LAYERS=2 BATCH_SIZE=64 EPOCHS=75 PATIENCE=25
import 'common/ner.libsonnet'
