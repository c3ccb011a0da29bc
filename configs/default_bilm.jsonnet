// The model that the package ships. From the project's root, with the text laid out by
// scripts/prepare_default_corpus.py in work/corpus and tokenised by scripts/tokenize_corpus.py in work/tokenized:
//   elmo pretrain configs/default_bilm.jsonnet runs/default
{
  model: {
    lstm: { use_skip_connections: true, projection_dim: 128, cell_clip: 3, proj_clip: 3, dim: 512, n_layers: 2 },
    char_cnn: {
      activation: 'relu',
      filters: [[1, 32], [2, 32], [3, 64], [4, 64], [5, 128], [6, 192]],
      n_highway: 1,
      embedding: { dim: 16 },
      n_characters: 262,
      max_characters_per_token: 50,
    },
  },
  corpus: { train: ['work/tokenized/train/*.txt'], tokenizer: 'whitespace', vocabulary_size: 30000 },
  optimizer: { name: 'adamw', learning_rate: 0.006, final_learning_rate: 0.0, warmup_steps: 300, gradient_clip: 1.0 },
  num_steps: 15000,
  batch_size: 128,
  unroll_steps: 20,
  num_negatives: 2048,
  precision: 'bf16',  // products only; weights and states stay in single precision
  dropout: 0.0,  // one pass over the text: nothing to guard against
  sentence_restart_probability: 0.5,  // sentences are run from zeros; carried states stay familiar
  seed: 20261121,
  checkpoint_every: 500,
}
