// Named random streams: the same draws as quantum_fabric.kernel.streams, bit for bit.
//
// A draw is a function of (seed, replica, name of the stream, number of the draw). The key of a stream is the BLAKE2b hash
// (RFC 7693) of its full name; the draw goes twice through the finaliser of SplitMix64. See the reference for sources.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>

namespace quantum_fabric::engine {

namespace blake2b {

inline constexpr std::uint64_t START[8] = {0x6a09e667f3bcc908ULL, 0xbb67ae8584caa73bULL, 0x3c6ef372fe94f82bULL,
                                           0xa54ff53a5f1d36f1ULL, 0x510e527fade682d1ULL, 0x9b05688c2b3e6c1fULL,
                                           0x1f83d9abfb41bd6bULL, 0x5be0cd19137e2179ULL};

inline constexpr std::uint8_t ORDER[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

inline std::uint64_t turn(std::uint64_t word, int by) { return (word >> by) | (word << (64 - by)); }

inline void mix(std::uint64_t* v, int a, int b, int c, int d, std::uint64_t x, std::uint64_t y) {
    v[a] += v[b] + x;
    v[d] = turn(v[d] ^ v[a], 32);
    v[c] += v[d];
    v[b] = turn(v[b] ^ v[c], 24);
    v[a] += v[b] + y;
    v[d] = turn(v[d] ^ v[a], 16);
    v[c] += v[d];
    v[b] = turn(v[b] ^ v[c], 63);
}

inline void block(std::uint64_t* h, const unsigned char* data, std::uint64_t count, bool last) {
    std::uint64_t m[16], v[16];
    for (int i = 0; i < 16; ++i) {
        m[i] = 0;
        for (int k = 0; k < 8; ++k) m[i] |= std::uint64_t(data[8 * i + k]) << (8 * k);
    }
    for (int i = 0; i < 8; ++i) v[i] = h[i], v[i + 8] = START[i];
    v[12] ^= count;
    if (last) v[14] = ~v[14];
    for (int round = 0; round < 12; ++round) {
        const std::uint8_t* s = ORDER[round % 10];
        for (int i = 0; i < 4; ++i) mix(v, i, i + 4, i + 8, i + 12, m[s[2 * i]], m[s[2 * i + 1]]);
        for (int i = 0; i < 4; ++i)
            mix(v, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, m[s[8 + 2 * i]], m[s[9 + 2 * i]]);
    }
    for (int i = 0; i < 8; ++i) h[i] ^= v[i] ^ v[i + 8];
}

// The first 16 bytes of the digest of length 16, as two little-endian words.
inline std::array<std::uint64_t, 2> digest(const std::string& text) {
    std::uint64_t h[8];
    for (int i = 0; i < 8; ++i) h[i] = START[i];
    h[0] ^= 0x01010000ULL ^ 16ULL;
    std::size_t done = 0;
    while (text.size() - done > 128) {
        block(h, reinterpret_cast<const unsigned char*>(text.data()) + done, done + 128, false);
        done += 128;
    }
    unsigned char rest[128] = {};
    std::memcpy(rest, text.data() + done, text.size() - done);
    block(h, rest, text.size(), true);
    return {h[0], h[1]};
}

}  // namespace blake2b

// Natural logarithm from + - * / alone: the same bits on every machine.
inline double portable_log(double x) {
    int e = 0;
    double m;
    std::uint64_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    if (const auto biased = bits >> 52; biased - 1 < 2046) {  // what frexp does for every number that is not extreme
        e = int(biased) - 1022;
        bits = (bits & 0x000fffffffffffffULL) | 0x3fe0000000000000ULL;
        std::memcpy(&m, &bits, sizeof m);
    } else {
        m = std::frexp(x, &e);
    }
    if (m < 0.7071067811865476) {
        m *= 2.0;
        e -= 1;
    }
    const double s = (m - 1.0) / (m + 1.0);
    const double s2 = s * s;
    double series = 1.0 / 23.0 * s2 + 1.0 / 21.0;
    series = ((series * s2 + 1.0 / 19.0) * s2 + 1.0 / 17.0) * s2 + 1.0 / 15.0;
    series = ((series * s2 + 1.0 / 13.0) * s2 + 1.0 / 11.0) * s2 + 1.0 / 9.0;
    series = ((series * s2 + 1.0 / 7.0) * s2 + 1.0 / 5.0) * s2 + 1.0 / 3.0;
    return e * 0.6931471803691238 + (2.0 * s + (2.0 * s * s2 * series + e * 1.9082149292705877e-10));
}

// ln(1-p), without cancellation for small p.
inline double log_of_failure(double p) {
    if (p > 0.25) return portable_log(1.0 - p);
    const double s = p / (2.0 - p);
    const double s2 = s * s;
    double series = 0.0;
    for (double k = 19.0; k >= 1.0; k -= 2.0) series = series * s2 + 1.0 / k;
    return -2.0 * s * series;
}

struct Stream {
    std::uint64_t key = 0, spread = 0, draws = 0;
    bool open = false;

    void begin(const std::string& name) {
        const auto words = blake2b::digest(name);
        key = words[0];
        spread = words[1];
        draws = 0;
        open = true;
    }

    std::uint64_t bits() {
        std::uint64_t z = key + draws++ * 0x9E3779B97F4A7C15ULL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
        z ^= (z >> 31) ^ spread;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
        return z ^ (z >> 31);
    }

    double uniform() { return (double(bits() >> 12) + 0.5) * 2.220446049250313e-16; }

    // Number of the first success; `log_failure` is log_of_failure(p), which the caller keeps.
    std::int64_t geometric(double p, double log_failure) {
        if (p >= 1.0) return 1;
        const double failures = portable_log(uniform()) / log_failure;
        return 1 + (failures < 4e18 ? std::int64_t(failures) : std::int64_t(4e18));
    }

    bool flip(double p) {
        if (p <= 0.0) return false;
        if (p >= 1.0) return true;
        return uniform() < p;
    }
};

}  // namespace quantum_fabric::engine
