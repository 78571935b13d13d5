#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/vector.h>

#include "bindings.hpp"
#include "quantum_fabric/cascade.hpp"

namespace nb = nanobind;
using namespace nb::literals;
using namespace quantum_fabric;

namespace {

using Table = nb::ndarray<const std::uint32_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Frames = nb::ndarray<const Word, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

std::vector<std::vector<std::uint32_t>> rows(const Table& table) {
    std::vector<std::vector<std::uint32_t>> all;
    for (std::size_t r = 0; r < table.shape(0); ++r) {
        all.emplace_back(table.data() + r * table.shape(1), table.data() + (r + 1) * table.shape(1));
    }
    return all;
}

}  // namespace

void bind_cascade(nb::module_& m) {
    nb::class_<Cascade>(m, "Cascade")
        .def("__init__",
             [](Cascade* self, Frames bits, std::size_t length, std::vector<std::size_t> blocks,
                std::vector<std::size_t> waves, std::size_t checks, std::size_t batches, Word seed, Table order,
                Table place, bool corrects) {
                 const bool fits = bits.shape(1) == words_for(length) && order.shape(1) == length && length > 0 &&
                                   place.shape(1) == length && order.shape(0) == blocks.size() &&
                                   place.shape(0) == blocks.size() && waves.size() == blocks.size() && checks < 64;
                 if (!fits) throw nb::value_error("the tables do not fit the frames");
                 for (std::size_t j = 0; j < order.shape(0) * length; ++j) {
                     if (order.data()[j] >= length || place.data()[j] >= length) throw nb::value_error("not a permutation");
                 }
                 CascadePlan plan;
                 plan.length = length;
                 plan.blocks = std::move(blocks);
                 plan.waves = std::move(waves);
                 plan.checks = checks;
                 plan.batches = batches;
                 plan.seed = seed;
                 plan.order = rows(order);
                 plan.place = rows(place);
                 new (self) Cascade(std::move(plan), bits.data(), bits.shape(0), corrects);
             })
        .def_prop_ro("done", &Cascade::done)
        .def_prop_ro("spoken", &Cascade::spoken)
        .def("speak",
             [](Cascade& self) {
                 const std::vector<std::uint8_t>* said;
                 {
                     nb::gil_scoped_release free;
                     said = &self.speak();
                 }
                 return nb::bytes(reinterpret_cast<const char*>(said->data()), said->size());
             })
        .def("hear",
             [](Cascade& self, nb::bytes other) {
                 const auto* data = reinterpret_cast<const std::uint8_t*>(other.c_str());
                 const std::size_t size = other.size();
                 nb::gil_scoped_release free;
                 self.hear(data, size);
             })
        .def("bits",
             [](const Cascade& self) {
                 const std::size_t frames = self.frames().size();
                 const std::size_t words = frames ? self.frames()[0].bits().size() : 0;
                 auto* out = new Word[frames * words];
                 for (std::size_t f = 0; f < frames; ++f) {
                     std::copy(self.frames()[f].bits().begin(), self.frames()[f].bits().end(), out + f * words);
                 }
                 nb::capsule owner(out, [](void* p) noexcept { delete[] static_cast<Word*>(p); });
                 return nb::ndarray<nb::numpy, Word, nb::ndim<2>>(out, {frames, words}, owner);
             })
        .def("failed",
             [](const Cascade& self) {
                 std::vector<bool> all;
                 for (const auto& frame : self.frames()) all.push_back(frame.failed());
                 return all;
             })
        .def("corrections", [](const Cascade& self) {
            std::vector<std::size_t> all;
            for (const auto& frame : self.frames()) all.push_back(frame.corrections());
            return all;
        });
}
