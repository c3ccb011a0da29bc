"""What every training loop shares: checkpoints, learning rates, memory."""
