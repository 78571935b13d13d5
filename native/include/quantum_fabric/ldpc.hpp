// Layered sum-product for quasi-cyclic codes: finds the error pattern from the difference of two syndromes.
// Integer arithmetic throughout, the same as in quantum_fabric/keys/postprocessing/ldpc_decoder.py.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define QF_CLONES __attribute__((target_clones("arch=skylake-avx512", "arch=haswell", "default")))
#else
#define QF_CLONES
#endif

namespace quantum_fabric {

using LdpcBelief = std::int16_t;
constexpr LdpcBelief ldpc_message_limit = 800, ldpc_limit = 8000;

static inline __attribute__((always_inline)) LdpcBelief ldpc_lesser(LdpcBelief a, LdpcBelief b) { return a < b ? a : b; }
static inline __attribute__((always_inline)) LdpcBelief ldpc_larger(LdpcBelief a, LdpcBelief b) { return a < b ? b : a; }

// How much a parity of two bits is believed, 32 units for each natural logarithm of odds: the lesser of both, with a straight line for ln(1 + exp(-x)).
static inline __attribute__((always_inline)) LdpcBelief ldpc_both(LdpcBelief a, LdpcBelief b) {
    using I = LdpcBelief;
    const I low = ldpc_lesser(a, b), high = ldpc_larger(a, b);
    const I more = ldpc_larger(static_cast<I>(static_cast<I>(77 - static_cast<I>(a + b)) >> 2), I{0});
    const I less = ldpc_larger(static_cast<I>(static_cast<I>(77 - static_cast<I>(high - low)) >> 2), I{0});
    return ldpc_larger(static_cast<I>(low + more - less), I{0});
}

static inline __attribute__((always_inline)) LdpcBelief ldpc_size(LdpcBelief t) {
    return ldpc_lesser(static_cast<LdpcBelief>(t < 0 ? -t : t), ldpc_message_limit);
}

struct LdpcWork {
    LdpcBelief *before, *after, *sign, *parity;  // what the edges before this one say together (degree times z); those after it; two of z
};

// Signs are 0 or -1. One row of circulants: `reach` holds what each variable believes, moved so that check z meets place z. Returns true where every
// check held and no belief changed its sign.
QF_CLONES __attribute__((noinline)) static bool ldpc_row(LdpcBelief* __restrict reach, LdpcBelief* __restrict told,
                                                         const LdpcBelief* __restrict odd, std::size_t degree, std::size_t z,
                                                         const LdpcWork& work) {
    using I = LdpcBelief;
    I* __restrict rest = work.after;
    I* __restrict sign = work.sign;
    I* __restrict parity = work.parity;
    I wrong = 0;
    for (std::size_t i = 0; i < z; ++i) {
        sign[i] = parity[i] = odd[i];
        rest[i] = 2 * ldpc_message_limit;  // nothing yet: the lesser of it and anything is the other
    }
    for (std::size_t e = 0; e < degree; ++e) {
        I* __restrict p = reach + e * z;
        const I* __restrict m = told + e * z;
        I* __restrict before = work.before + e * z;
        for (std::size_t i = 0; i < z; ++i) {
            const I t = static_cast<I>(p[i] - m[i]);
            parity[i] = static_cast<I>(parity[i] ^ (p[i] >> 15));  // do the hard decisions fit?
            sign[i] = static_cast<I>(sign[i] ^ (t >> 15));
            p[i] = t;
            before[i] = rest[i];
            rest[i] = ldpc_both(rest[i], ldpc_size(t));
        }
    }
    for (std::size_t i = 0; i < z; ++i) {
        wrong = static_cast<I>(wrong | parity[i]);
        rest[i] = 2 * ldpc_message_limit;
    }
    for (std::size_t e = degree; e-- > 0;) {
        I* __restrict p = reach + e * z;
        I* __restrict m = told + e * z;
        const I* __restrict before = work.before + e * z;
        for (std::size_t i = 0; i < z; ++i) {
            const I t = p[i], others = ldpc_both(before[i], rest[i]);
            rest[i] = ldpc_both(rest[i], ldpc_size(t));
            const I was = static_cast<I>(t + m[i]), turned = static_cast<I>(sign[i] ^ (t >> 15));  // 0 or -1
            const I message = static_cast<I>((others ^ turned) - turned);
            const I now = ldpc_larger(ldpc_lesser(static_cast<I>(t + message), ldpc_limit), static_cast<I>(-ldpc_limit));
            wrong = static_cast<I>(wrong | ((was ^ now) >> 15));
            m[i] = message;
            p[i] = now;
        }
    }
    return !wrong;
}

struct LdpcGraph {
    std::size_t z;                            // size of a circulant
    std::size_t columns;                      // of circulants
    std::vector<std::uint32_t> start;         // row -> first edge; one more entry than rows
    std::vector<std::uint32_t> column, shift;   // of each edge: check i meets bit (i + shift) mod z of the column
};

// `belief`: log likelihood of each bit to be right, scaled; becomes what is believed in the end. Returns rounds, or -1.
inline int ldpc_decode(const LdpcGraph& graph, std::int16_t* belief, const std::uint8_t* odd, int rounds) {
    const std::size_t z = graph.z, rows = graph.start.size() - 1;
    std::size_t widest = 0;
    for (std::size_t r = 0; r < rows; ++r) widest = std::max<std::size_t>(widest, graph.start[r + 1] - graph.start[r]);
    std::vector<std::int16_t> told(graph.column.size() * z), signs(rows * z);
    for (std::size_t i = 0; i < rows * z; ++i) signs[i] = static_cast<std::int16_t>(-(odd[i] & 1));
    std::vector<std::int16_t> reach(widest * z), before(widest * z), after(z), sign(z), parity(z);
    const LdpcWork work{before.data(), after.data(), sign.data(), parity.data()};
    for (int round = 1; round <= rounds; ++round) {
        bool calm = true;
        for (std::size_t r = 0; r < rows; ++r) {
            const std::size_t first = graph.start[r], degree = graph.start[r + 1] - first;
            for (std::size_t e = 0; e < degree; ++e) {
                const std::int16_t* from = belief + graph.column[first + e] * z;
                const std::size_t shift = graph.shift[first + e];
                std::memcpy(&reach[e * z], from + shift, (z - shift) * 2);
                std::memcpy(&reach[e * z + z - shift], from, shift * 2);
            }
            calm &= ldpc_row(reach.data(), &told[first * z], &signs[r * z], degree, z, work);
            for (std::size_t e = 0; e < degree; ++e) {
                std::int16_t* to = belief + graph.column[first + e] * z;
                const std::size_t shift = graph.shift[first + e];
                std::memcpy(to + shift, &reach[e * z], (z - shift) * 2);
                std::memcpy(to, &reach[e * z + z - shift], shift * 2);
            }
        }
        if (calm) return round;
    }
    return -1;
}

}  // namespace quantum_fabric
