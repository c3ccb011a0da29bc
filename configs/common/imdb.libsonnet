// The sentiment of a review (IMDB): what both configurations share.
(import 'classification.libsonnet')('data/imdb', max_tokens=400, batch_size=32)
