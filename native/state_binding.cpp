// The state representations by themselves: what nodes do to pairs, for whoever wants to hold one to another.
#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings.hpp"
#include "quantum_fabric/engine/exact.hpp"
#include "quantum_fabric/engine/loading.hpp"
#include "quantum_fabric/engine/x_state.hpp"

namespace nb = nanobind;
using namespace nb::literals;
namespace qe = quantum_fabric::engine;

namespace {

// What `prepare` takes.
std::vector<double> numbers(const qe::BellDiagonal& s) { return {s.x, s.y, s.z}; }
std::vector<double> numbers(const qe::Exact& s) {
    std::vector<double> all;
    for (const auto& row : s.t) all.insert(all.end(), row, row + 4);
    return all;
}
std::vector<double> numbers(const qe::XState& s) {
    return {s.along[1][0], s.along[0][1], s.along[1][1], s.across[0][0], s.across[0][1], s.across[1][0], s.across[1][1]};
}

qe::Operations operations(const std::vector<double>& row) {
    if (row.size() != qe::OPERATION_COLUMNS) throw std::invalid_argument("operations: expected one number for each of their columns");
    return qe::operations_from(row.data());
}

qe::Stream stream(const std::string& name) {
    qe::Stream draws;
    draws.begin(name);
    return draws;
}

int end(int which) {
    if (which != 0 && which != 1) throw std::invalid_argument("an end is 0 or 1");
    return which;
}

int label(int which) {
    if (which < 0 || which > 3) throw std::invalid_argument("a Bell label is 0, 1, 2 or 3");
    return which;
}

qe::Rotation turned(int rotation) {
    if (rotation < 0 || rotation > 35) throw std::invalid_argument("a rotation is a number from 0 to 35");
    return qe::Rotation(rotation);
}

qe::Distillation kind(bool bbpssw) { return bbpssw ? qe::BBPSSW : qe::DEJMPS; }

// Operations return, after what they announce and the pair that they leave, how many draws they made.
template <class State>
void bind_state(nb::module_& m, const char* name) {
    using Row = std::vector<double>;
    nb::class_<State>(m, name)
        .def("__init__", [](State* s, const Row& fresh) {
            if (fresh.size() != State::SIZE) throw std::invalid_argument("a state of " + std::to_string(State::SIZE) + " numbers");
            new (s) State();
            s->prepare(fresh.data());
        }, "fresh"_a)
        .def_prop_ro("numbers", [](const State& s) { return numbers(s); })
        .def("fade", [](State& s, int which, double coherence, double population) { s.fade(end(which), coherence, population); },
             "end"_a, "coherence"_a, "population"_a)
        .def("lose", [](State& s, int which) { s.lose(end(which)); }, "end"_a)
        .def("forget", &State::forget)
        .def("weights", [](const State& s, int frame, int told) { return s.weights(label(frame) ^ label(told), told); }, "frame"_a, "told"_a)
        .def_static("closed", [](int rotation) { return State::closed(turned(rotation)); }, "rotation"_a)
        .def_static("swapped", [](const State& a, int one, const State& b, int two, const Row& node, const std::string& draws) {
            qe::Stream drawn = stream(draws);
            State whole;
            const int announced = State::swapped(a, end(one), b, end(two), operations(node), 0.0, 0.0, drawn, whole);
            return nb::make_tuple(announced, whole, drawn.draws);
        }, "a"_a, "one"_a, "b"_a, "two"_a, "node"_a, "draws"_a)
        .def_static("half_purified", [](const State& keep, int one, const State& spent, int two, const Row& node, bool bbpssw,
                                        int rotation, const std::string& draws) {
            qe::Stream drawn = stream(draws);
            const int bit = State::half_purified(keep, end(one), spent, end(two), operations(node), kind(bbpssw), turned(rotation), drawn);
            return nb::make_tuple(bit, drawn.draws);
        }, "keep"_a, "one"_a, "spent"_a, "two"_a, "node"_a, "bbpssw"_a, "rotation"_a, "draws"_a)
        .def_static("purified", [](const State& keep, int one, const State& spent, int two, const Row& first, const Row& second,
                                   bool bbpssw, int rotation, int keep_frame, int spent_frame, int bit, const std::string& draws) {
            if (!State::closed(turned(rotation))) throw std::invalid_argument("this rotation leaves the representation");
            qe::Stream drawn = stream(draws);
            State kept = keep;
            const qe::Expected expected = qe::purify_frame(label(keep_frame), label(spent_frame), turned(rotation));
            const int mine = State::purified(kept, end(one), spent, end(two), operations(first), operations(second), kind(bbpssw),
                                             turned(rotation), expected, bit & 1, drawn);
            return nb::make_tuple(mine, kept, drawn.draws);
        }, "keep"_a, "one"_a, "spent"_a, "two"_a, "first"_a, "second"_a, "bbpssw"_a, "rotation"_a, "keep_frame"_a,
           "spent_frame"_a, "bit"_a, "draws"_a);
}

}  // namespace

void bind_states(nb::module_& m) {
    bind_state<qe::BellDiagonal>(m, "BellDiagonalState");
    bind_state<qe::Exact>(m, "ExactState");
    bind_state<qe::XState>(m, "XState");
}
