"""The network: tensors in, tensors out; it opens no file and keeps no state between calls."""

from pytorch_elmo.model.bilm import BiLM, BiLMOutput
from pytorch_elmo.model.config import BiLMConfig, CharacterEncoderConfig, LstmConfig

__all__ = ["BiLM", "BiLMConfig", "BiLMOutput", "CharacterEncoderConfig", "LstmConfig"]
