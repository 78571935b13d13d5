// GF(2^64) = GF(2)[x] / (x^64 + x^4 + x^3 + x + 1), and the three loops over it that cost time.
//
// Each loop exists for every processor, for those with carry-less multiplication (2010 and later) and for those that do four
// at once. All give the same words; which one runs is decided once, when the library is loaded.
#pragma once

#include <cstddef>

#include "quantum_fabric/bits.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#define QUANTUM_FABRIC_X86 1
#include <immintrin.h>
#endif

namespace quantum_fabric {

// What is left of high * x^64.
inline Word fold(Word high) {
    const Word over = (high >> 63) ^ (high >> 61) ^ (high >> 60);
    return high ^ (high << 1) ^ (high << 3) ^ (high << 4) ^ over ^ (over << 1) ^ (over << 3) ^ (over << 4);
}

inline Word product(Word a, Word b) {
    Word table[16] = {0, b};
    for (int j = 2; j < 16; j += 2) {
        const Word half = table[j / 2];
        table[j] = (half << 1) ^ (static_cast<Word>(-static_cast<std::int64_t>(half >> 63)) & 0x1B);
        table[j + 1] = table[j] ^ b;
    }
    Word sum = 0;
    for (int shift = 60; shift >= 0; shift -= 4) {
        const Word top = sum >> 60;
        sum = (sum << 4) ^ top ^ (top << 1) ^ (top << 3) ^ (top << 4) ^ table[(a >> shift) & 15];
    }
    return sum;
}

struct Loops {
    const char* name;
    void (*down)(Word* a, Word* b, std::size_t size, Word w);                        // a += w b; b += a
    void (*up)(Word* a, Word* b, std::size_t size, Word w);                          // b += a; a += w b
    void (*gather)(Word* sum, const Word* a, const Word* b, std::size_t size);       // sum += a b
};

namespace portable {
inline void down(Word* a, Word* b, std::size_t size, Word w) {
    for (std::size_t j = 0; j < size; ++j) {
        if (w) a[j] ^= product(w, b[j]);
        b[j] ^= a[j];
    }
}
inline void up(Word* a, Word* b, std::size_t size, Word w) {
    for (std::size_t j = 0; j < size; ++j) {
        b[j] ^= a[j];
        if (w) a[j] ^= product(w, b[j]);
    }
}
inline void gather(Word* sum, const Word* a, const Word* b, std::size_t size) {
    for (std::size_t j = 0; j < size; ++j) sum[j] ^= product(a[j], b[j]);
}
}  // namespace portable

#ifdef QUANTUM_FABRIC_X86
// Two products at a time: sizes are multiples of 8.
#define QF_TWO __attribute__((target("pclmul,sse4.1"), always_inline)) inline
QF_TWO __m128i two_folded(__m128i low, __m128i high) {
    const __m128i l = _mm_unpacklo_epi64(low, high), h = _mm_unpackhi_epi64(low, high);
    const __m128i over = _mm_xor_si128(_mm_srli_epi64(h, 63), _mm_xor_si128(_mm_srli_epi64(h, 61), _mm_srli_epi64(h, 60)));
    const __m128i all = _mm_xor_si128(h, over);
    const __m128i one = _mm_xor_si128(_mm_slli_epi64(all, 1), _mm_slli_epi64(all, 3));
    return _mm_xor_si128(_mm_xor_si128(l, all), _mm_xor_si128(one, _mm_slli_epi64(all, 4)));
}
QF_TWO __m128i two_products(__m128i a, __m128i b) {
    return two_folded(_mm_clmulepi64_si128(a, b, 0x00), _mm_clmulepi64_si128(a, b, 0x11));
}
#undef QF_TWO

#define QF_FOUR __attribute__((target("vpclmulqdq,avx512f"), always_inline)) inline
QF_FOUR __m512i eight_products(__m512i a, __m512i b) {
    const __m512i low = _mm512_clmulepi64_epi128(a, b, 0x00), high = _mm512_clmulepi64_epi128(a, b, 0x11);
    const __m512i l = _mm512_unpacklo_epi64(low, high), h = _mm512_unpackhi_epi64(low, high);
    const __m512i over = _mm512_ternarylogic_epi64(
        _mm512_srli_epi64(h, 63), _mm512_srli_epi64(h, 61), _mm512_srli_epi64(h, 60), 0x96);
    const __m512i all = _mm512_xor_si512(h, over);
    const __m512i one = _mm512_ternarylogic_epi64(
        _mm512_slli_epi64(all, 1), _mm512_slli_epi64(all, 3), _mm512_slli_epi64(all, 4), 0x96);
    return _mm512_ternarylogic_epi64(l, all, one, 0x96);
}
#undef QF_FOUR

namespace pairs {
#define QF_AT(p) reinterpret_cast<__m128i*>(p)
#define QF_OF(p) _mm_loadu_si128(reinterpret_cast<const __m128i*>(p))
__attribute__((target("pclmul,sse4.1"))) inline void down(Word* a, Word* b, std::size_t size, Word w) {
    const __m128i factor = _mm_set1_epi64x(static_cast<long long>(w));
    for (std::size_t j = 0; j < size; j += 2) {
        const __m128i y = QF_OF(b + j), x = _mm_xor_si128(QF_OF(a + j), two_products(y, factor));
        _mm_storeu_si128(QF_AT(a + j), x);
        _mm_storeu_si128(QF_AT(b + j), _mm_xor_si128(x, y));
    }
}
__attribute__((target("pclmul,sse4.1"))) inline void up(Word* a, Word* b, std::size_t size, Word w) {
    const __m128i factor = _mm_set1_epi64x(static_cast<long long>(w));
    for (std::size_t j = 0; j < size; j += 2) {
        const __m128i x = QF_OF(a + j), y = _mm_xor_si128(QF_OF(b + j), x);
        _mm_storeu_si128(QF_AT(b + j), y);
        _mm_storeu_si128(QF_AT(a + j), _mm_xor_si128(x, two_products(y, factor)));
    }
}
__attribute__((target("pclmul,sse4.1"))) inline void gather(Word* sum, const Word* a, const Word* b, std::size_t size) {
    for (std::size_t j = 0; j < size; j += 2) {
        _mm_storeu_si128(QF_AT(sum + j), _mm_xor_si128(QF_OF(sum + j), two_products(QF_OF(a + j), QF_OF(b + j))));
    }
}
#undef QF_AT
#undef QF_OF
}  // namespace pairs

namespace eights {
__attribute__((target("vpclmulqdq,avx512f"))) inline void down(Word* a, Word* b, std::size_t size, Word w) {
    const __m512i factor = _mm512_set1_epi64(static_cast<long long>(w));
    for (std::size_t j = 0; j < size; j += 8) {
        const __m512i y = _mm512_loadu_si512(b + j);
        const __m512i x = _mm512_xor_si512(_mm512_loadu_si512(a + j), eight_products(y, factor));
        _mm512_storeu_si512(a + j, x);
        _mm512_storeu_si512(b + j, _mm512_xor_si512(x, y));
    }
}
__attribute__((target("vpclmulqdq,avx512f"))) inline void up(Word* a, Word* b, std::size_t size, Word w) {
    const __m512i factor = _mm512_set1_epi64(static_cast<long long>(w));
    for (std::size_t j = 0; j < size; j += 8) {
        const __m512i x = _mm512_loadu_si512(a + j), y = _mm512_xor_si512(_mm512_loadu_si512(b + j), x);
        _mm512_storeu_si512(b + j, y);
        _mm512_storeu_si512(a + j, _mm512_xor_si512(x, eight_products(y, factor)));
    }
}
__attribute__((target("vpclmulqdq,avx512f"))) inline void gather(
    Word* sum, const Word* a, const Word* b, std::size_t size) {
    for (std::size_t j = 0; j < size; j += 8) {
        const __m512i more = eight_products(_mm512_loadu_si512(a + j), _mm512_loadu_si512(b + j));
        _mm512_storeu_si512(sum + j, _mm512_xor_si512(_mm512_loadu_si512(sum + j), more));
    }
}
}  // namespace eights
#endif

// Kinds: 0 portable, 1 with carry-less multiplication, 2 with eight words at a time. Falls back to what the processor has.
inline const Loops& loops(int most = 2) {
    static const Loops plain{"portable", portable::down, portable::up, portable::gather};
#ifdef QUANTUM_FABRIC_X86
    static const Loops two{"pclmul", pairs::down, pairs::up, pairs::gather};
    static const Loops eight{"vpclmulqdq", eights::down, eights::up, eights::gather};
    if (most >= 2 && __builtin_cpu_supports("vpclmulqdq") && __builtin_cpu_supports("avx512f")) return eight;
    if (most >= 1 && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1")) return two;
#else
    (void)most;
#endif
    return plain;
}

}  // namespace quantum_fabric
