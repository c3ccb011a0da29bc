"""What can go wrong, as a user sees it: the rule, the value met, what to do next, in one line."""


class PytorchElmoError(Exception):
    """Base of every error that is the input's or the caller's, not a fault of this package."""


class ConfigurationError(PytorchElmoError):
    """Arguments, options or settings that cannot be run."""


class WeightsError(PytorchElmoError):
    """A model's files are missing, damaged, or not of the shape that its options promise."""


class LayerFileError(PytorchElmoError):
    """A file of vectors cannot be read, written or resumed."""


class TextError(PytorchElmoError):
    """Input text that breaks a rule; messages count lines from 1."""


class DownloadError(PytorchElmoError):
    """A named model could not be found, fetched or trusted."""


class OptionsError(ConfigurationError):
    """A model's options file cannot be read or describes what this package does not run."""


class ArgumentValueError(ConfigurationError, ValueError):
    """An argument whose value cannot be, where Keras raises a `ValueError`."""


class ArgumentTypeError(ConfigurationError, TypeError):
    """An argument of a kind that cannot be, where Keras raises a `TypeError`."""


class NotAMatrixError(ArgumentTypeError, AttributeError, IndexError):
    """Embeddings without rows and columns; Keras stumbles over a list's missing shape, or an array's missing axis."""
