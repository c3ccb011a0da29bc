"""`elmo score MODEL TEXT`: the log-probability of every token, as JSON lines."""

import json
from itertools import count
from typing import TYPE_CHECKING, Any

import click

from pytorch_elmo.commands.errors import one_line_errors
from pytorch_elmo.commands.input_options import input_options
from pytorch_elmo.commands.progress_bar import make_progress
from pytorch_elmo.commands.scoring_options import load_scored_model, scoring_options

if TYPE_CHECKING:  # PyTorch is loaded when it is needed
    from pytorch_elmo.pretraining.scoring import SentenceScores

_DECIMALS = 6  # about what float32 resolves


@click.command("score")
@click.argument("model")
@click.argument("text", metavar="TEXT", type=click.Path(exists=True, allow_dash=True))
@scoring_options
@input_options
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def command(model: str, text: str, quiet: bool, **options: Any) -> None:
    """Print what MODEL, a name or a folder with a softmax, thinks of each token of TEXT: one JSON object a sentence.

    "forward" and "backward" hold one natural logarithm a token, "forward_end" that of </S> after the last token,
    "backward_begin" that of <S> before the first. "unknown" lists the places, from 0, of the tokens outside the
    vocabulary, whose probability is that of <UNK>. "sentence" counts from 0.
    """
    from pytorch_elmo.pretraining.scoring import Scorer
    from pytorch_elmo.text.sources import open_source, scan

    with one_line_errors():
        progress = make_progress(quiet=quiet, lines=False)
        language_model = load_scored_model(model, options["vocabulary"], options["device"])
        scorer = Scorer(language_model, state=options["state"], batch_size=options["batch_size"])
        reading = {name: options[name] for name in ("field", "tokenizer", "blank_lines")}
        with open_source(text, **reading) as source:
            summary = scan(source, progress)
            progress.start(total=summary.num_tokens, unit="token", label="scoring")
            numbers = count()
            for batch in scorer.batches(line.tokens for line in source):
                for scores in batch:
                    click.echo(json.dumps(_described(next(numbers), scores), ensure_ascii=False))
                progress.advance(sum(len(scores.tokens) for scores in batch))
            progress.finish()


def _described(index: int, scores: "SentenceScores") -> dict[str, Any]:
    forward, backward = scores.forward.round(_DECIMALS).tolist(), scores.backward.round(_DECIMALS).tolist()
    return {
        "sentence": index,
        "tokens": scores.tokens,
        "unknown": scores.unknown.nonzero()[0].tolist(),
        "forward": forward[:-1],
        "forward_end": forward[-1],
        "backward": backward[1:],
        "backward_begin": backward[0],
    }
