// Layered normalised min-sum for quasi-cyclic codes: finds the error pattern from the difference of two syndromes.
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

constexpr int ldpc_message_limit = 127, ldpc_limit = 4095;

// Signs are 0 or -1. One row of circulants: `reach` holds what each variable believes, moved so that check z meets place z. Returns true where every
// check held and no belief changed its sign.
QF_CLONES __attribute__((noinline)) static bool ldpc_row(std::int16_t* __restrict reach, std::int16_t* __restrict told, const std::int16_t* __restrict odd,
                               std::size_t degree, std::size_t z, std::int16_t* __restrict least,
                               std::int16_t* __restrict second, std::int16_t* __restrict sign) {
    using I = std::int16_t;
    I wrong = 0;
    for (std::size_t i = 0; i < z; ++i) {
        least[i] = second[i] = ldpc_message_limit;
        sign[i] = odd[i];
    }
    for (std::size_t e = 0; e < degree; ++e) {  // do the hard decisions fit?
        const I* __restrict p = reach + e * z;
        for (std::size_t i = 0; i < z; ++i) sign[i] = static_cast<I>(sign[i] ^ (p[i] >> 15));
    }
    for (std::size_t i = 0; i < z; ++i) {
        wrong = static_cast<I>(wrong | sign[i]);
        sign[i] = odd[i];
    }
    for (std::size_t e = 0; e < degree; ++e) {
        I* __restrict p = reach + e * z;
        const I* __restrict m = told + e * z;
        for (std::size_t i = 0; i < z; ++i) {
            const I t = static_cast<I>(p[i] - m[i]), size = static_cast<I>(t < 0 ? -t : t);
            sign[i] = static_cast<I>(sign[i] ^ (t >> 15));
            const I one = least[i], two = second[i], larger = one > size ? one : size;
            least[i] = one < size ? one : size;
            second[i] = two < larger ? two : larger;
            p[i] = t;
        }
    }
    for (std::size_t e = 0; e < degree; ++e) {
        I* __restrict p = reach + e * z;
        I* __restrict m = told + e * z;
        for (std::size_t i = 0; i < z; ++i) {
            const I t = p[i], size = static_cast<I>(t < 0 ? -t : t);
            const I one = least[i], two = second[i], before = static_cast<I>(t + m[i]);
            const I other = size <= one ? two : one;  // the edge that gave the least takes the second least
            const I scaled = static_cast<I>((other * 13) >> 4);
            const I turned = static_cast<I>(sign[i] ^ (t >> 15));  // 0 or -1
            const I message = static_cast<I>((scaled ^ turned) - turned), sum = static_cast<I>(t + message);
            const I high = sum < ldpc_limit ? sum : static_cast<I>(ldpc_limit);
            const I after = high > -ldpc_limit ? high : static_cast<I>(-ldpc_limit);
            wrong = static_cast<I>(wrong | ((before ^ after) >> 15));
            m[i] = message;
            p[i] = after;
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
    std::vector<std::int16_t> reach(widest * z), least(z), second(z), sign(z);
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
            calm &= ldpc_row(reach.data(), &told[first * z], &signs[r * z], degree, z, least.data(), second.data(), sign.data());
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
