#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include "bindings.hpp"
#include "quantum_fabric/polynomial.hpp"
#include "quantum_fabric/toeplitz.hpp"

namespace nb = nanobind;
using namespace nb::literals;

void bind_hash(nb::module_& m) {
    m.def(
        "toeplitz",
        [](nb::bytes seed, nb::bytes key, std::size_t n, std::size_t m, unsigned levels, int kind) {
            const bool fits = n && m && key.size() == (n + 7) / 8 && seed.size() == (n + m - 1 + 7) / 8;
            if (!fits || levels < 4 || levels > 30) throw nb::value_error("seed or key of another length");
            const auto* s = reinterpret_cast<const std::uint8_t*>(seed.c_str());
            const auto* k = reinterpret_cast<const std::uint8_t*>(key.c_str());
            std::vector<std::uint8_t> out;
            {
                nb::gil_scoped_release free;
                out = quantum_fabric::toeplitz(s, k, n, m, levels, kind);
            }
            return nb::bytes(reinterpret_cast<const char*>(out.data()), out.size());
        },
        "seed"_a, "key"_a, "n"_a, "m"_a, "levels"_a = 14, "kind"_a = 2);
    m.def("loops", [](int most) { return std::string(quantum_fabric::loops(most).name); }, "most"_a = 2);
    m.def("polynomial", [](nb::bytes point, nb::bytes message) {
        if (point.size() != 16) throw nb::value_error("a point of 16 bytes");
        const auto* p = reinterpret_cast<const std::uint8_t*>(point.c_str());
        const auto* data = reinterpret_cast<const std::uint8_t*>(message.c_str());
        const std::size_t size = message.size();
        std::array<std::uint64_t, 3> h;
        {
            nb::gil_scoped_release free;
            h = quantum_fabric::polynomial(p, data, size);
        }
        return nb::bytes(reinterpret_cast<const char*>(h.data()), 17);
    });
}
