"""`elmo_beside_output`: ELMo where an encoder's output is, as in table 3 of Peters et al. 2018.

allennlp train CONFIG -s OUT --include-package table.elmo_beside_output   # with scripts/ on PYTHONPATH
"encoder": { "type": "elmo_beside_output", "begin": 0, "size": 256, "encoder": { "type": "lstm", ... } }
"""

import torch
from allennlp.modules.seq2seq_encoders import Seq2SeqEncoder
from torch import Tensor


@Seq2SeqEncoder.register("elmo_beside_output", exist_ok=True)
class ElmoBesideOutput(Seq2SeqEncoder):  # type: ignore[misc]  # AllenNLP's are Any
    """An encoder that does not see a part of its input, and has it beside its output.

    Args:
        encoder: what the rest goes through.
        begin, size: where the part is among the numbers of a token. A text field's embedders stand in the order of
            their names.
    """

    def __init__(self, encoder: Seq2SeqEncoder, begin: int, size: int) -> None:
        super().__init__(stateful=encoder.stateful)
        self._encoder = encoder
        self._begin, self._end = begin, begin + size

    def get_input_dim(self) -> int:
        """Numbers of a token that come in."""
        return int(self._encoder.get_input_dim()) + self._end - self._begin

    def get_output_dim(self) -> int:
        """Numbers of a token that go out."""
        return int(self._encoder.get_output_dim()) + self._end - self._begin

    def is_bidirectional(self) -> bool:
        """As the encoder."""
        return bool(self._encoder.is_bidirectional())

    def forward(self, inputs: Tensor, mask: Tensor) -> Tensor:
        """(batch_size, num_tokens, output size) of inputs (..., input size) and the mask (batch_size, num_tokens)."""
        rest = torch.cat([inputs[..., : self._begin], inputs[..., self._end :]], dim=-1)
        return torch.cat([self._encoder(rest, mask), inputs[..., self._begin : self._end]], dim=-1)
