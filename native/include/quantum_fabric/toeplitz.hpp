// Toeplitz hashing over GF(2), exact: tiles of the product of two polynomials by additive Fourier transforms over GF(2^64).
//
// The transform is that of Lin, Chung, Han (FOCS 2014) on a Cantor basis, where the multipliers of all layers come from one
// table and the change of polynomial basis needs additions only (Gao, Mateer, IEEE Trans. Inf. Theory 56, 6265 (2010)).
// Eight transforms go side by side, word by word.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "quantum_fabric/field.hpp"

namespace quantum_fabric {

class Transform {
  public:
    static constexpr std::size_t lanes = 8;

    explicit Transform(unsigned levels, int kind = 2) : levels_(levels), loops_(loops(kind)), points_(std::size_t{1} << levels) {
        // b[i]^2 + b[i] = b[i-1], from an element of trace 1 down to 1
        std::array<Word, 64> basis{};
        for (Word start = 1; start; start <<= 1) {  // the trace is linear and not zero: one of the powers has it
            basis[63] = start;
            for (int i = 63; i > 0; --i) basis[i - 1] = product(basis[i], basis[i]) ^ basis[i];
            if (basis[0] == 1) break;
        }
        for (std::size_t j = 1; j < points_.size(); ++j) {
            points_[j] = points_[j & (j - 1)] ^ basis[static_cast<std::size_t>(__builtin_ctzll(j))];
        }
    }

    std::size_t size() const { return points_.size(); }

    // Values at all points from coefficients: `data` has size() * lanes words.
    void forward(Word* data) const {
        change(data, levels_, lanes, true);
        for (unsigned i = levels_; i-- > 0;) layer(data, i, loops_.down);
    }

    void backward(Word* data) const {
        for (unsigned i = 0; i < levels_; ++i) layer(data, i, loops_.up);
        change(data, levels_, lanes, false);
    }

    void gather(Word* sum, const Word* a, const Word* b) const { loops_.gather(sum, a, b, size()); }

  private:
    template <class Loop>
    void layer(Word* data, unsigned i, Loop loop) const {
        const std::size_t half = (std::size_t{1} << i) * lanes;
        for (std::size_t t = 0; t < size() >> (i + 1); ++t) {
            loop(data + 2 * t * half, data + (2 * t + 1) * half, half, points_[2 * t]);
        }
    }

    static void add(Word* to, const Word* from, std::size_t size) {
        for (std::size_t j = 0; j < size; ++j) to[j] ^= from[j];
    }

    // Between powers of x and the products of subspace polynomials, for 2^levels coefficients of `width` words each.
    static void change(Word* data, unsigned levels, std::size_t width, bool into) {
        if (levels <= 1) return;
        unsigned m = 1;
        while (2 * m < levels) m *= 2;
        if (into) expand(data, levels, m, width, true);
        change(data, levels - m, width << m, into);
        for (std::size_t q = 0; q < std::size_t{1} << (levels - m); ++q) change(data + (q * width << m), m, width, into);
        if (!into) expand(data, levels, m, width, false);
    }

    // Between powers of x and powers of y = x^M + x, M = 2^m: one power y^(2^e) = x^(M 2^e) + x^(2^e) after the other.
    static void expand(Word* data, unsigned levels, unsigned m, std::size_t width, bool into) {
        const unsigned steps = levels - m;
        for (unsigned step = 0; step < steps; ++step) {
            const unsigned e = into ? steps - 1 - step : step;
            const std::size_t s = width << e, L = s << m, all = width << levels;
            for (std::size_t at = 0; at < all; at += 2 * L) {
                Word* block = data + at;
                if (into) add(block + L, block + 2 * L - s, s);
                add(block + s, block + L, L - s);
                if (!into) add(block + L, block + 2 * L - s, s);
            }
        }
    }

    unsigned levels_;
    const Loops& loops_;
    std::vector<Word> points_;
};

// Bits [from, from + 32) of a string, zero beyond its ends.
inline std::uint32_t chunk(const std::uint8_t* bits, std::size_t bytes, std::int64_t from) {
    if (from <= -32 || from >= static_cast<std::int64_t>(8 * bytes)) return 0;
    std::uint64_t word = 0;
    if (from >= 0 && static_cast<std::size_t>(from >> 3) + 8 <= bytes) {
        std::memcpy(&word, bits + (from >> 3), 8);
        return static_cast<std::uint32_t>(word >> (from & 7));
    }
    const std::int64_t first = from >> 3;  // rounds down
    for (int j = 0; j < 5; ++j) {
        const std::int64_t at = first + j;
        if (at >= 0 && at < static_cast<std::int64_t>(bytes)) word |= static_cast<std::uint64_t>(bits[at]) << (8 * j);
    }
    return static_cast<std::uint32_t>(word >> (from & 7));
}

// out[i] = sum_j seed[i - j + n - 1] key[j] over GF(2), i < m; bits beyond n and n + m - 1 must be zero.
inline std::vector<std::uint8_t> toeplitz(const std::uint8_t* seed, const std::uint8_t* key, std::size_t n, std::size_t m,
                                          unsigned levels, int kind) {
    constexpr std::size_t lanes = Transform::lanes;
    const Transform transform(levels, kind);
    const std::size_t N = transform.size(), half = N / 2, tile = 32 * half;  // points; chunks and bits of a tile
    const std::size_t shift = (tile - (n - 1) % tile) % tile;                // so that the wanted part begins with a tile
    const std::size_t first = (n - 1 + shift) / tile;
    const std::size_t J = (n + tile - 1) / tile, P = (m + tile - 1) / tile, U = (shift + n + m - 1 + tile - 1) / tile;

    std::vector<Word> work(N * lanes);
    auto spectra = [&](const std::uint8_t* bits, std::size_t length, std::size_t offset, std::size_t tiles) {
        std::vector<Word> all(tiles * N);
        const std::size_t bytes = (length + 7) / 8;
        for (std::size_t group = 0; group < tiles; group += lanes) {
            const std::size_t count = tiles - group < lanes ? tiles - group : lanes;
            std::memset(work.data(), 0, work.size() * sizeof(Word));
            for (std::size_t lane = 0; lane < count; ++lane) {
                const auto base = static_cast<std::int64_t>((group + lane) * tile) - static_cast<std::int64_t>(offset);
                for (std::size_t c = 0; c < half; ++c) {
                    work[c * lanes + lane] = chunk(bits, bytes, base + static_cast<std::int64_t>(32 * c));
                }
            }
            transform.forward(work.data());
            for (std::size_t lane = 0; lane < count; ++lane) {
                Word* to = &all[(group + lane) * N];
                for (std::size_t c = 0; c < N; ++c) to[c] = work[c * lanes + lane];
            }
        }
        return all;
    };
    const std::vector<Word> x = spectra(key, n, 0, J), s = spectra(seed, n + m - 1, shift, U);

    std::vector<std::uint32_t> out(P * half);
    std::vector<Word> sum(N);
    // product tile r = low half of sum_j s[r-j] x[j] plus high half of the sum for r - 1
    for (std::size_t group = 0; group < P + 1; group += lanes) {
        const std::size_t count = P + 1 - group < lanes ? P + 1 - group : lanes;
        for (std::size_t lane = 0; lane < count; ++lane) {
            std::fill(sum.begin(), sum.end(), 0);
            const auto r = static_cast<std::int64_t>(first + group + lane) - 1;
            for (std::size_t j = 0; j < J; ++j) {
                const std::int64_t u = r - static_cast<std::int64_t>(j);
                if (u >= 0 && u < static_cast<std::int64_t>(U)) {
                    transform.gather(sum.data(), &s[static_cast<std::size_t>(u) * N], &x[j * N]);
                }
            }
            for (std::size_t c = 0; c < N; ++c) work[c * lanes + lane] = sum[c];
        }
        transform.backward(work.data());
        for (std::size_t lane = 0; lane < count; ++lane) {
            const std::size_t p = group + lane;  // its low half belongs to tile p - 1 of the output, its high half to tile p
            auto put = [&](std::size_t where, std::uint32_t value) {
                if (where >= half && where < (P + 1) * half) out[where - half] ^= value;
            };
            for (std::size_t c = 0; c < N; ++c) {
                const Word word = work[c * lanes + lane];
                put(p * half + c, static_cast<std::uint32_t>(word));
                put(p * half + c + 1, static_cast<std::uint32_t>(word >> 32));
            }
        }
    }
    std::vector<std::uint8_t> bytes((m + 7) / 8);
    std::memcpy(bytes.data(), out.data(), bytes.size());
    if (m & 7) bytes.back() = static_cast<std::uint8_t>(bytes.back() & ((1u << (m & 7)) - 1));
    return bytes;
}

}  // namespace quantum_fabric
