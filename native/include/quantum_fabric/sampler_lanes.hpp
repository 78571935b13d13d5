// Loops over lanes of vector registers: compiled for what the processor has.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__linux__) && !defined(__SANITIZE_THREAD__) && \
    !defined(__SANITIZE_ADDRESS__)
#define QUANTUM_FABRIC_LANES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define QUANTUM_FABRIC_LANES
#endif
#if defined(__GNUC__) && !defined(__clang__)
#define QUANTUM_FABRIC_APART _Pragma("GCC ivdep")
#else
#define QUANTUM_FABRIC_APART
#endif
#if defined(__GNUC__)
#define QUANTUM_FABRIC_WITHIN inline __attribute__((always_inline))
#else
#define QUANTUM_FABRIC_WITHIN inline
#endif
