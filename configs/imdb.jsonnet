// The sentiment of a review (IMDB) without ELMo: GloVe vectors into a convolutional network.
//   allennlp train configs/imdb.jsonnet -s runs/imdb
// The data are jsonl files with the keys text and label, the text split into tokens; scripts/prepare_imdb.py
// writes them. With TOKENIZER=spacy raw text will do.
// Variables of the environment, with their defaults:
//   TRAIN_DATA_PATH=data/imdb/train.jsonl VALIDATION_DATA_PATH=data/imdb/dev.jsonl, and TEST_DATA_PATH
//   TOKENIZER=just_spaces MAX_TOKENS=400
//   WORD_VECTORS=data/glove/glove.6B.100d.txt.gz WORD_VECTORS_DIM=100; with WORD_VECTORS= they start at random
//   WIDTH=100 BATCH_SIZE=32 EPOCHS=30 PATIENCE=5
import 'common/imdb.libsonnet'
