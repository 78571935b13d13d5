// Long tails of a scenario.
#include "bindings.hpp"
#include "quantum_fabric/engine/exact.hpp"
#include "quantum_fabric/engine/x_state.hpp"
#include "split_result.hpp"
#include "tables_argument.hpp"

namespace nb = nanobind;
using namespace nb::literals;
namespace qe = quantum_fabric::engine;

namespace {

template <class State>
void bind_split(nb::module_& m, const char* name) {
    using E = qe::Engine<State>;
    nb::class_<E>(m, name)
        .def("__init__", [](E* self, nb::dict plant) {
            new (self) E();
            qe::load_plant(*self, quantum_fabric::tables_argument(plant));
        }, "plant"_a)
        .def("install", [](E& e, nb::dict rules) { return qe::add_installation(e, quantum_fabric::tables_argument(rules)); }, "rules"_a)
        .def("session", [](E& e, std::int32_t installation, qe::Time at, std::int64_t pairs, double floor, qe::Time deadline) {
            qe::place(installation, e.installations.size(), "installation");
            qe::add_session(e, installation, at, pairs, floor, deadline);
        }, "installation"_a, "at"_a, "pairs"_a, "floor"_a, "deadline"_a)
        .def_prop_rw("beliefs", [](const E& e) { return e.beliefs; }, [](E& e, bool on) { e.beliefs = on; })
        .def("split", [](const E& e, const std::string& seed, std::int32_t session, std::int64_t pair, bool since_previous, double share,
                         std::int64_t copies, std::int64_t repetitions, int threads, qe::Time until) {
            qe::place(session, e.sessions.size(), "session");
            if (copies < 2 || repetitions < 1 || threads < 1 || pair < 0) throw nb::value_error("a splitting without copies");
            qe::Split found;
            {
                nb::gil_scoped_release free;
                found = qe::split(e, {seed, session, pair, since_previous, share, copies, repetitions, threads, until});
            }
            return quantum_fabric::dict_of(std::move(found));
        }, "seed"_a, "session"_a, "pair"_a, "since_previous"_a, "share"_a, "copies"_a, "repetitions"_a, "threads"_a, "until"_a);
}

}  // namespace

void bind_tails(nb::module_& m) {
    bind_split<qe::BellDiagonal>(m, "BellDiagonalTail");
    bind_split<qe::Exact>(m, "ExactTail");
    bind_split<qe::XState>(m, "XTail");
}
