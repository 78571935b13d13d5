"""Light on its way: beams and turbulence, orbits, Raman noise, photon statistics, pair sources, detection. Pure functions."""
