"""Who goes next, when, and how much for whom: pure decisions that the controller asks for."""
