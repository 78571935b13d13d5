// Tables of a scenario as Python hands them over, and columns that go back.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <string>
#include <utility>
#include <vector>

#include "quantum_fabric/engine/loading.hpp"

namespace quantum_fabric {

// Views of the arrays in the dictionary: it has to stay while they are read.
inline engine::Tables tables_argument(nanobind::dict dict) {
    namespace nb = nanobind;
    engine::Tables tables;
    for (auto [key, value] : dict) {
        const auto name = nb::cast<std::string>(key);
        nb::ndarray<const std::int64_t, nb::ndim<2>, nb::c_contig, nb::device::cpu> whole;
        nb::ndarray<const double, nb::ndim<2>, nb::c_contig, nb::device::cpu> real;
        std::vector<std::string> names;
        if (nb::try_cast(value, whole, false))
            tables.integers[name] = {whole.data(), whole.shape(0), whole.shape(1)};
        else if (nb::try_cast(value, real, false))
            tables.reals[name] = {real.data(), real.shape(0), real.shape(1)};
        else if (nb::try_cast(value, names, true))
            tables.names[name] = std::move(names);
        else
            throw nb::type_error(("table " + name + ": expected names, or a two-dimensional array of int64 or float64").c_str());
    }
    return tables;
}

// A column that Python owns from now on.
template <class T>
nanobind::ndarray<nanobind::numpy, T> column(std::vector<T>&& data) {
    auto* kept = new std::vector<T>(std::move(data));
    nanobind::capsule owner(kept, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
    return nanobind::ndarray<nanobind::numpy, T>(kept->data(), {kept->size()}, owner);
}

}  // namespace quantum_fabric
