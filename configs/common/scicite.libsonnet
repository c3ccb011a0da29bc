// The intent of a citation (SciCite): what both configurations share.
(import 'classification.libsonnet')('data/scicite', max_tokens=400, batch_size=32)
