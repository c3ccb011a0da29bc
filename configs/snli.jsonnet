// Natural language inference (SNLI) without ELMo: GloVe vectors into ESIM.
//   allennlp train configs/snli.jsonnet -s runs/snli
// The data are SNLI's jsonl files with their sentences split into tokens; scripts/prepare_texts.py writes them. With
// TOKENIZER=spacy the official files will do.
// Variables of the environment, with their defaults:
//   TRAIN_DATA_PATH=data/snli/train.jsonl VALIDATION_DATA_PATH=data/snli/dev.jsonl, and TEST_DATA_PATH
//   TOKENIZER=just_spaces
//   WORD_VECTORS=data/glove/glove.840B.300d.txt.gz WORD_VECTORS_DIM=300; with WORD_VECTORS= they start at random
//   WIDTH=300 LAYERS=1 BATCH_SIZE=32 EPOCHS=75 PATIENCE=5
import 'common/snli.libsonnet'
