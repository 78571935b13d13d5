"""Secret-key rates of quantum key distribution protocols, asymptotic and finite: formulas only, no keys."""
