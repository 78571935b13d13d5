// Packed bits: 64 to a word, the first bit in the lowest place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace quantum_fabric {

using Word = std::uint64_t;

inline std::size_t words_for(std::size_t bits) { return (bits + 63) / 64; }
inline bool get(const Word* bits, std::size_t at) { return (bits[at >> 6] >> (at & 63)) & 1; }
inline void flip(Word* bits, std::size_t at) { bits[at >> 6] ^= Word{1} << (at & 63); }
inline void set(Word* bits, std::size_t at) { bits[at >> 6] |= Word{1} << (at & 63); }
inline void clear(Word* bits, std::size_t at) { bits[at >> 6] &= ~(Word{1} << (at & 63)); }

// One step of a counter-based generator (splitmix64; Steele, Lea, Flood, OOPSLA 2014). Public randomness only.
inline Word mix(Word x) {
    x += 0x9E3779B97F4A7C15ull;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
    return x ^ (x >> 31);
}

// Parity of the bits [from, to).
inline bool parity(const Word* bits, std::size_t from, std::size_t to) {
    if (from >= to) return false;
    const std::size_t first = from >> 6, last = (to - 1) >> 6;
    const Word low = ~Word{0} << (from & 63), high = ~Word{0} >> (63 - ((to - 1) & 63));
    if (first == last) return __builtin_parityll(bits[first] & low & high);
    Word sum = (bits[first] & low) ^ (bits[last] & high);
    for (std::size_t w = first + 1; w < last; ++w) sum ^= bits[w];
    return __builtin_parityll(sum);
}

// The same of those bits that the mask has.
inline bool parity(const Word* bits, const Word* mask, std::size_t from, std::size_t to) {
    if (from >= to) return false;
    const std::size_t first = from >> 6, last = (to - 1) >> 6;
    const Word low = ~Word{0} << (from & 63), high = ~Word{0} >> (63 - ((to - 1) & 63));
    if (first == last) return __builtin_parityll(bits[first] & mask[first] & low & high);
    Word sum = (bits[first] & mask[first] & low) ^ (bits[last] & mask[last] & high);
    for (std::size_t w = first + 1; w < last; ++w) sum ^= bits[w] & mask[w];
    return __builtin_parityll(sum);
}

// Whether any bit of [from, to) is set.
inline bool any(const Word* bits, std::size_t from, std::size_t to) {
    for (std::size_t at = from; at < to;) {
        const std::size_t end = ((at >> 6) + 1) << 6;
        Word word = bits[at >> 6] >> (at & 63);
        if (end > to) word &= ~Word{0} >> (64 - (to - at));
        if (word) return true;
        at = end;
    }
    return false;
}

// A set of positions that answers "the last one up to here" and "the first one beyond" in a few steps.
class Marks {
  public:
    explicit Marks(std::size_t size = 0) : words_(words_for(size) + 1), summary_(words_for(words_.size())), size_(size) {}

    void add(std::size_t at) {
        set(words_.data(), at);
        set(summary_.data(), at >> 6);
    }

    // Largest member <= at; there must be one.
    std::size_t before(std::size_t at) const {
        std::size_t w = at >> 6;
        Word word = words_[w] & (~Word{0} >> (63 - (at & 63)));
        if (!word) {
            std::size_t s = w >> 6;
            Word up = (w & 63) ? summary_[s] & (~Word{0} >> (64 - (w & 63))) : 0;
            while (!up) up = summary_[--s];
            w = (s << 6) + 63 - __builtin_clzll(up);
            word = words_[w];
        }
        return (w << 6) + 63 - __builtin_clzll(word);
    }

    // Smallest member > at, or the size.
    std::size_t after(std::size_t at) const {
        std::size_t next = at + 1;
        if (next >= size_) return size_;
        std::size_t w = next >> 6;
        Word word = words_[w] & (~Word{0} << (next & 63));
        if (!word) {
            ++w;
            std::size_t s = w >> 6;
            if (s >= summary_.size()) return size_;
            Word up = summary_[s] & (~Word{0} << (w & 63));
            while (!up) {
                if (++s >= summary_.size()) return size_;
                up = summary_[s];
            }
            w = (s << 6) + __builtin_ctzll(up);
            word = words_[w];
        }
        return (w << 6) + __builtin_ctzll(word);
    }

  private:
    std::vector<Word> words_, summary_;
    std::size_t size_;
};

}  // namespace quantum_fabric
