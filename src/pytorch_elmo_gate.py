"""Puts this project's ELMo into AllenNLP when, and only when, AllenNLP is imported.

`pytorch_elmo_gate.pth` names this module, so every Python of the environment runs it at its start, whatever it is
about to do. It therefore imports `sys` alone and leaves one small object behind, which steps aside at the first
import of AllenNLP. `PYTORCH_ELMO_ALLENNLP=0` in the environment leaves AllenNLP as it is.
"""

import sys


class Gate:
    """A finder that learns that AllenNLP is about to be imported, and then makes way for those that it arms."""

    def find_spec(self, name, path=None, target=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        """Arm the plug-in before AllenNLP, its models or its downloader is looked for; None for anything else."""
        if name in ("allennlp", "allennlp_models", "cached_path") and self in sys.meta_path:
            sys.meta_path.remove(self)
            import os

            if os.environ.get("PYTORCH_ELMO_ALLENNLP") != "0":
                from pytorch_elmo.allennlp_plugin.compat import arm

                arm()
                import importlib.util

                return importlib.util.find_spec(name)  # Python goes on with the list of finders as it was
        return None


sys.meta_path.insert(0, Gate())
