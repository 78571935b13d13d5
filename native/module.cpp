// The compiled kernels of Quantum Fabric. Each has a reference in Python that gives the same bits.
#include "bindings.hpp"

NB_MODULE(quantum_fabric_native, m) {
    m.attr("__doc__") = "Compiled kernels; each has a reference in Python that gives the same bits.";
    bind_cascade(m);
    bind_engine(m);
    bind_hash(m);
    bind_ldpc(m);
    bind_samplers(m);
    bind_states(m);
    bind_tails(m);
}
