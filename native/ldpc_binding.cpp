#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/vector.h>

#include "bindings.hpp"
#include "quantum_fabric/ldpc.hpp"

namespace nb = nanobind;
using namespace nb::literals;
using namespace quantum_fabric;

void bind_ldpc(nb::module_& m) {
    using Beliefs = nb::ndarray<std::int16_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
    using Odd = nb::ndarray<const std::uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
    nb::class_<LdpcGraph>(m, "LdpcGraph")
        .def("__init__",
             [](LdpcGraph* self, std::size_t z, std::size_t columns, std::vector<std::uint32_t> start,
                std::vector<std::uint32_t> column, std::vector<std::uint32_t> shift) {
                 bool fits = z > 0 && start.size() > 1 && start.front() == 0 && start.back() == column.size() &&
                             column.size() == shift.size();
                 for (std::size_t r = 1; fits && r < start.size(); ++r) fits = start[r] > start[r - 1] + 1;
                 for (std::size_t e = 0; fits && e < column.size(); ++e) fits = column[e] < columns && shift[e] < z;
                 if (!fits) throw nb::value_error("not a graph");
                 new (self) LdpcGraph{z, columns, std::move(start), std::move(column), std::move(shift)};
             })
        .def("solve", [](const LdpcGraph& self, Beliefs belief, Odd odd, int rounds) {
            if (belief.shape(0) != self.columns * self.z || odd.shape(0) != (self.start.size() - 1) * self.z) {
                throw nb::value_error("beliefs or syndrome of another length");
            }
            nb::gil_scoped_release free;
            return ldpc_decode(self, belief.data(), odd.data(), rounds);
        });
}
