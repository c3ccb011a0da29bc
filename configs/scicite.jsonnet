// The intent of a citation (SciCite) without ELMo: GloVe vectors into a convolutional network.
//   allennlp train configs/scicite.jsonnet -s runs/scicite
// The data are jsonl files with the keys text and label, the text split into tokens; scripts/prepare_texts.py
// writes them. With TOKENIZER=spacy raw text will do.
// Variables of the environment, with their defaults:
//   TRAIN_DATA_PATH=data/scicite/train.jsonl VALIDATION_DATA_PATH=data/scicite/dev.jsonl, and TEST_DATA_PATH
//   TOKENIZER=just_spaces MAX_TOKENS=400
//   WORD_VECTORS=data/glove/glove.6B.100d.txt.gz WORD_VECTORS_DIM=100; with WORD_VECTORS= they start at random
//   WIDTH=100 BATCH_SIZE=32 EPOCHS=30 PATIENCE=5
import 'common/scicite.libsonnet'
