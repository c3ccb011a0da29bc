"""`python -m pytorch_elmo` is `elmo`."""

from pytorch_elmo.commands.main import elmo

elmo(prog_name="elmo")
