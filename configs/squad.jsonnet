// Question answering (SQuAD 1.1) without ELMo: GloVe vectors and characters into BiDAF.
//   allennlp train configs/squad.jsonnet -s runs/squad
// The data are the official files; scripts/prepare_squad.py checks and places them. Their words are split by spaCy's
// rules (`make setup-full` brings it), or, with TOKENIZER=letters_digits, at every change between letters, digits and
// other characters.
// Variables of the environment, with their defaults:
//   TRAIN_DATA_PATH=data/squad/train-v1.1.json VALIDATION_DATA_PATH=data/squad/dev-v1.1.json, and TEST_DATA_PATH
//   TOKENIZER=spacy
//   WORD_VECTORS=data/glove/glove.6B.100d.txt.gz WORD_VECTORS_DIM=100; with WORD_VECTORS= they are trained from random
//   WIDTH=100 LAYERS=2 BATCH_SIZE=40 EPOCHS=20 PATIENCE=10
import 'common/squad.libsonnet'
