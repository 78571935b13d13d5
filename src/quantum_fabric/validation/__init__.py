"""Validation: what the models predict, against exact theory and published experiments.

An *experiment* is a frozen parameter file, a function that predicts from its parameters and nothing else, a null model that a
sceptic would try first, and a figure. The SHA-256 of every parameter file is compared with a committed lock before
anything is computed; the tolerances are in the file too, so nothing can be tuned after the fact. At most one parameter of
an experiment may be fitted, to one declared part of the results, and only the other part counts as a test.

A comparison that fails stays in the table. Agreement with a recalled number (letter M) is shown as that and is no claim.
"""

from quantum_fabric.validation.catalogue import EXPERIMENTS, experiment, names
from quantum_fabric.validation.comparison import Comparison, Predicted, Standing
from quantum_fabric.validation.experiment import Experiment, Result
from quantum_fabric.validation.frozen import DATA, NotComparable, load, not_comparable, verify
from quantum_fabric.validation.parameters import Fit, Measured, Number, ParameterFile, Tolerance
from quantum_fabric.validation.running import validate

__all__ = [
    "DATA", "EXPERIMENTS", "Comparison", "Experiment", "Fit", "Measured", "NotComparable", "Number", "ParameterFile",
    "Predicted", "Result", "Standing", "Tolerance", "experiment", "load", "names", "not_comparable", "validate", "verify",
]  # fmt: skip
