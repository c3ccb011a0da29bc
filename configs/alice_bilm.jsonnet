// A biLM in two minutes, to see every step of making one. For a model of use take configs/default_bilm.jsonnet and
// millions of words. From the project's root, after `elmo vocabulary` as the README's walk-through has it:
//   elmo pretrain configs/alice_bilm.jsonnet runs/alice
{
  model: {
    lstm: { use_skip_connections: true, projection_dim: 48, cell_clip: 3, proj_clip: 3, dim: 192, n_layers: 2 },
    char_cnn: {
      activation: 'relu',
      filters: [[1, 16], [2, 16], [3, 32], [4, 32], [5, 32]],
      n_highway: 1,
      embedding: { dim: 16 },
      n_characters: 262,
      max_characters_per_token: 50,
    },
  },
  corpus: {
    train: ['docs/demo/alice/chapters_1_to_11.txt'],
    validation: ['docs/demo/alice/chapter_12.txt'],
    tokenizer: 'moses',
    vocabulary_file: 'runs/alice_vocabulary.txt',
  },
  optimizer: { name: 'adamw', learning_rate: 0.006, warmup_steps: 50, gradient_clip: 1.0 },
  num_steps: 600,
  batch_size: 32,
  num_negatives: null,  // so few words need no sampling
  dropout: 0.3,
  sentence_restart_probability: 0.5,
  validate_every: 100,
  checkpoint_every: 200,
}
