"""Honest fidelity: which pairs are tested, what the tests say of those that are delivered, and who makes them worse.

What is where:
    policy    how much is tested, and how sure an alarm must be
    readout   from a correlator to the chance that two ends agree
    belief    calibrations and tests together: an interval, and how far the calibrations can be trusted
    estimator both as tests come in, and beginning anew after a change
    jumps     sudden changes as explanations
    change    the alarm for one
    experience  what many sessions have taught of calibrations and of changes
    budget    what tests may cost
    suspects  which repeater or link it is
    segments  which part of a path is tested, so that nobody can foresee it
    verifier  all of it, for one controller
    sight     estimates of the entanglement table with what tests have shown
    liar      an agent that lies, for drills on the twin
"""

from quantum_fabric.control.verification.policy import Verification

__all__ = ["Verification"]
