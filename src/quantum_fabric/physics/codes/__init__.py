"""Quantum error-correcting codes for repeaters: a catalogue, decoders, encoded pairs sampled by Stim.

>>> from quantum_fabric.physics.codes.catalogue import CODES
>>> sorted(CODES)
['bacon-shor', 'bare', 'phase-repetition-3', 'phase-repetition-5', 'repetition-3', 'repetition-5', 'steane']
"""
