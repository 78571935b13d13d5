// The polynomial of Poly1305 (Bernstein, FSE 2005) without the pad: sum of c_i r^(q+1-i) modulo 2^130 - 5.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace quantum_fabric {

using Wide = unsigned __int128;

inline std::array<std::uint64_t, 3> polynomial(const std::uint8_t* point, const std::uint8_t* message, std::size_t size) {
    std::uint64_t r0, r1;
    std::memcpy(&r0, point, 8);
    std::memcpy(&r1, point + 8, 8);
    r0 &= 0x0FFFFFFC0FFFFFFFull;
    r1 &= 0x0FFFFFFC0FFFFFFCull;
    const std::uint64_t s1 = r1 + (r1 >> 2);  // 2^128 r1 = 2^130 r1/4 = 5 r1/4
    std::uint64_t h0 = 0, h1 = 0, h2 = 0;
    while (size) {
        std::uint64_t c0 = 0, c1 = 0, c2 = 0;
        if (size >= 16) {
            std::memcpy(&c0, message, 8);
            std::memcpy(&c1, message + 8, 8);
            c2 = 1;
            message += 16;
            size -= 16;
        } else {
            std::uint8_t last[16] = {};
            std::memcpy(last, message, size);
            last[size] = 1;
            std::memcpy(&c0, last, 8);
            std::memcpy(&c1, last + 8, 8);
            size = 0;
        }
        Wide sum = static_cast<Wide>(h0) + c0;
        h0 = static_cast<std::uint64_t>(sum);
        sum = static_cast<Wide>(h1) + c1 + static_cast<std::uint64_t>(sum >> 64);
        h1 = static_cast<std::uint64_t>(sum);
        h2 += c2 + static_cast<std::uint64_t>(sum >> 64);

        const Wide d0 = static_cast<Wide>(h0) * r0 + static_cast<Wide>(h1) * s1;
        Wide d1 = static_cast<Wide>(h0) * r1 + static_cast<Wide>(h1) * r0 + static_cast<Wide>(h2) * s1;
        std::uint64_t d2 = h2 * r0;
        h0 = static_cast<std::uint64_t>(d0);
        d1 += static_cast<std::uint64_t>(d0 >> 64);
        h1 = static_cast<std::uint64_t>(d1);
        d2 += static_cast<std::uint64_t>(d1 >> 64);
        const std::uint64_t over = (d2 >> 2) + (d2 & ~std::uint64_t{3});  // 5 (d2 >> 2)
        h2 = d2 & 3;
        sum = static_cast<Wide>(h0) + over;
        h0 = static_cast<std::uint64_t>(sum);
        sum = static_cast<Wide>(h1) + static_cast<std::uint64_t>(sum >> 64);
        h1 = static_cast<std::uint64_t>(sum);
        h2 += static_cast<std::uint64_t>(sum >> 64);
    }
    for (int twice = 0; twice < 2; ++twice) {  // into [0, 2^130 - 5)
        Wide sum = static_cast<Wide>(h0) + 5;
        const std::uint64_t g0 = static_cast<std::uint64_t>(sum);
        sum = static_cast<Wide>(h1) + static_cast<std::uint64_t>(sum >> 64);
        const std::uint64_t g1 = static_cast<std::uint64_t>(sum);
        const std::uint64_t g2 = h2 + static_cast<std::uint64_t>(sum >> 64);
        const std::uint64_t take = std::uint64_t{0} - (g2 >> 2 ? 1 : 0);
        h0 = (h0 & ~take) | (g0 & take);
        h1 = (h1 & ~take) | (g1 & take);
        h2 = (h2 & ~take) | ((g2 & 3) & take);
    }
    return {h0, h1, h2};
}

}  // namespace quantum_fabric
