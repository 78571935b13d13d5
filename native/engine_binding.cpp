#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <limits>

#include "bindings.hpp"
#include "bridge.hpp"
#include "quantum_fabric/engine/exact.hpp"
#include "quantum_fabric/engine/sampling.hpp"
#include "quantum_fabric/engine/x_state.hpp"
#include "tables_argument.hpp"

namespace nb = nanobind;
using namespace nb::literals;
namespace qe = quantum_fabric::engine;

namespace {

constexpr auto tables_from = quantum_fabric::tables_argument;

template <class T>
nb::ndarray<nb::numpy, T> array_of(std::vector<T>&& data, std::size_t columns) {
    auto* kept = new std::vector<T>(std::move(data));
    nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
    return nb::ndarray<nb::numpy, T>(kept->data(), {columns ? kept->size() / columns : 0, columns}, owner);
}

using quantum_fabric::Bridge;
using quantum_fabric::Flag;

template <class State>
struct Run {
    qe::Engine<State> engine;
    Bridge bridge;
    std::vector<std::vector<std::int32_t>> retired;  // operating points that no key holds any more, by key

    explicit Run(nb::dict plant) {
        qe::load_plant(engine, tables_from(plant));
        engine.listener = &bridge;
        bridge.on_sight = bridge.on_mail = bridge.on_call = bridge.on_choice = bridge.on_told = bridge.on_last = nb::none();
        bridge.stop = &engine.stop;
    }
    Run(const Run& other) : engine(other.engine), bridge(other.bridge), retired(other.retired) {
        engine.listener = &bridge;
        bridge.stop = &engine.stop;
        bridge.looking = false;
    }
    void raise() {
        if (!bridge.failed) return;
        bridge.failed = false;
        const auto error = bridge.error;
        bridge.error = nullptr;
        std::rethrow_exception(error);
    }
    void run(qe::Time until, std::uint64_t most, bool while_open) {
        idle();
        qe::between(until, 0, qe::LAST, "the end of a run");
        const Flag flag(running);
        try {
            engine.run(until, most, while_open);
        } catch (...) {
            broken = true;  // in the middle of an event
            throw;
        }
        raise();
    }
    // What begins anew, or copies: between runs only.
    void idle() {
        if (running) throw std::runtime_error("the run goes on: it was told to do this from within");
        whole();
    }
    // What changes plant or rules: not in the middle of an event.
    qe::Engine<State>& changed() {
        if (bridge.looking) throw std::runtime_error("a watcher or a policy looks on and changes nothing");
        whole();
        return engine;
    }
    void whole() const {
        if (broken) throw std::runtime_error("an event of this run came to nothing; begin anew");
    }

    bool running = false, broken = false;
};

constexpr std::size_t WHOLE = 8, REAL = 5;

void write(std::int64_t replica, const qe::Delivery& d, std::vector<std::int64_t>& whole, std::vector<double>& real) {
    whole.insert(whole.end(), {replica, d.session, d.number, d.bell, d.known, d.number ? d.created : -1, d.delivered, d.told});
    const double believed = (1.0 + d.quality[0] + d.quality[1] + d.quality[2]) / 4.0;
    real.insert(real.end(), {believed, d.weights[0], d.weights[1], d.weights[2], d.weights[3]});
}

template <class State>
nb::tuple deliveries_of(qe::Engine<State>& engine, std::size_t from) {
    std::vector<std::int64_t> whole;
    std::vector<double> real;
    for (std::size_t row = from; row < engine.deliveries.size(); ++row) write(0, engine.deliveries[row], whole, real);
    return nb::make_tuple(array_of(std::move(whole), WHOLE), array_of(std::move(real), REAL));
}

nb::dict dict_of(const qe::Counts& c) {
    nb::dict found;
    found["events"] = c.events, found["heralds"] = c.heralds, found["swaps"] = c.swaps, found["failed_swaps"] = c.failed_swaps;
    found["purifications"] = c.purifications, found["letters"] = c.letters, found["cutoffs"] = c.cutoffs, found["stale"] = c.stale;
    found["deliveries"] = c.deliveries, found["withheld"] = c.withheld;
    return found;
}

template <class State>
nb::dict sampled(const qe::Engine<State>& scenario, const qe::Order& order) {
    qe::Sampled all;
    {
        nb::gil_scoped_release free;
        all = qe::sample(scenario, order);
    }
    std::vector<std::int64_t> whole, rows;
    std::vector<double> real, sums;
    for (const auto& [replica, delivery] : all.deliveries) write(replica, delivery, whole, real);
    for (const qe::Sum& s : all.sums) {
        rows.insert(rows.end(), {s.replica, s.session, s.status, s.delivered, s.withheld, s.ended, s.first});
        sums.insert(sums.end(), {s.fidelity, s.fidelity_squared, s.believed, s.interval, s.interval_squared});
    }
    nb::dict found;
    found["sessions"] = array_of(std::move(rows), 7);
    found["sums"] = array_of(std::move(sums), 5);
    found["deliveries"] = array_of(std::move(whole), WHOLE);
    found["states"] = array_of(std::move(real), REAL);
    found["latencies"] = array_of(std::move(all.latencies), qe::TIME_BINS);
    found["intervals"] = array_of(std::move(all.intervals), qe::TIME_BINS);
    found["counts"] = dict_of(all.counts);
    found["twirl_error"] = all.twirl_error;
    return found;
}

template <class State>
qe::Engine<State>& held_at(qe::Engine<State>& engine, std::int32_t slot) {
    const std::string why = engine.why_not_held(std::int32_t(qe::place(slot, engine.slots.size(), "slot")), qe::NOBODY);
    if (!why.empty()) throw std::invalid_argument("a slot that is " + why);
    return engine;
}

// A run refers to callbacks in Python that refer to it: the garbage collector has to see that.
template <class State>
int traverse(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    if (!nb::inst_ready(self)) return 0;
    const Bridge& bridge = nb::inst_ptr<Run<State>>(self)->bridge;
    for (const nb::object* each : {&bridge.on_sight, &bridge.on_mail, &bridge.on_call, &bridge.on_choice, &bridge.on_told, &bridge.on_last}) Py_VISIT(each->ptr());
    return 0;
}

template <class State>
int clear(PyObject* self) {
    Bridge& bridge = nb::inst_ptr<Run<State>>(self)->bridge;
    bridge.on_sight = bridge.on_mail = bridge.on_call = bridge.on_choice = bridge.on_told = bridge.on_last = nb::none();
    return 0;
}

template <class State>
void bind_run(nb::module_& m, const char* name) {
    using R = Run<State>;
    static PyType_Slot slots[] = {{Py_tp_traverse, (void*)traverse<State>}, {Py_tp_clear, (void*)clear<State>}, {0, nullptr}};
    nb::class_<R>(m, name, nb::type_slots(slots))
        .def(nb::init<nb::dict>(), "plant"_a)
        .def("install", [](R& r, nb::dict rules) { return qe::add_installation(r.changed(), tables_from(rules)); }, "rules"_a)
        .def("session", [](R& r, std::int32_t installation, qe::Time at, std::int64_t pairs, double floor, qe::Time deadline) {
            r.idle();
            qe::add_session(r.engine, installation, at, pairs, floor, deadline);
        }, "installation"_a, "at"_a, "pairs"_a, "floor"_a, "deadline"_a)
        .def("begin", [](R& r, const std::string& seed, std::int64_t replica) {
            if (!r.running) r.broken = false;
            r.idle();
            r.engine.begin(seed, replica);
        }, "seed"_a, "replica"_a)
        .def("run", &R::run, "until"_a, "most_events"_a = ~0ULL, "while_open"_a = false)
        .def("fork", [](R& r) {
            r.idle();
            return R(r);
        })
        .def("redraw", [](R& r, const std::string& seed, std::int64_t replica) {
            r.idle();
            r.engine.redraw(seed, replica);
        }, "seed"_a, "replica"_a)
        .def("halt", [](R& r) { r.engine.stop = true; })
        .def_prop_ro("now", [](const R& r) { return r.engine.now; })
        .def_prop_ro("next", [](const R& r) { return r.engine.next(); })
        .def_prop_ro("open_sessions", [](const R& r) { return r.engine.open_sessions; })
        .def_prop_ro("letters_out", [](const R& r) { return r.engine.letters_out(); })
        .def_prop_ro("pairs_alive", [](const R& r) { return r.engine.pairs_alive(); })
        .def_prop_ro("twirl_error", [](const R& r) { return r.engine.twirl_error; })
        .def_prop_rw("beliefs", [](const R& r) { return r.engine.beliefs; }, [](R& r, bool on) { r.engine.beliefs = on; })
        .def_prop_ro("counts", [](const R& r) { return dict_of(r.engine.counts); })
        .def("sample", [](R& r, const std::string& seed, std::int64_t first, std::int64_t count, int threads, qe::Time until,
                          std::uint64_t most_events, bool keep_deliveries, bool letters) {
            r.idle();
            qe::between(until, 0, qe::LAST, "the end of a run");
            qe::between(first, -qe::LAST, qe::LAST, "the number of a replica");
            qe::between(count, 0, qe::LAST, "the number of replicas");
            const Flag flag(r.running);  // nobody else changes it meanwhile
            return sampled(r.engine, {seed, first, count, threads, until, most_events, keep_deliveries, letters});
        }, "seed"_a, "first"_a, "count"_a, "threads"_a, "until"_a, "most_events"_a, "keep_deliveries"_a, "letters"_a = false)
        .def_prop_ro("why_letters", [](const R& r) { return r.engine.why_letters(); })
        .def("sessions", [](const R& r) {
            std::vector<std::int64_t> rows;
            for (const qe::Session& s : r.engine.sessions)
                rows.insert(rows.end(), {std::int64_t(s.status), s.delivered, s.withheld, s.ended});
            return array_of(std::move(rows), 4);
        })
        .def("deliveries", [](R& r, std::size_t from) { return deliveries_of(r.engine, from); }, "since"_a = 0)
        .def("watch", [](R& r, nb::object on_sight, std::uint32_t mask, bool kinds) {
            r.bridge.on_sight = on_sight;
            r.bridge.only_kinds(kinds);
            r.engine.watched = on_sight.is_none() ? 0 : mask;
        }, "on_sight"_a.none(), "mask"_a, "kinds"_a = false)
        .def("seat", [](R& r, nb::object on_mail, nb::object on_call) {
            r.bridge.on_mail = on_mail;
            r.bridge.on_call = on_call;
        }, "on_mail"_a.none(), "on_call"_a.none())
        .def("desk", [](R& r, nb::object on_told, nb::object on_last) {
            r.bridge.on_told = on_told;
            r.bridge.on_last = on_last;
        }, "on_told"_a.none(), "on_last"_a.none())
        .def_prop_rw("aloud", [](const R& r) { return r.engine.aloud; }, [](R& r, bool on) { r.engine.aloud = on; })
        .def_prop_rw("pauses", [](const R& r) { return r.engine.pauses; }, [](R& r, bool on) { r.engine.pauses = on; })
        .def("tally", [](R& r, std::int32_t installation, std::int32_t label, double floor, std::int64_t pairs, std::int64_t given,
                         qe::Time patience) {
            qe::place(installation, r.engine.installations.size(), "installation");
            qe::between(floor, 0.0, 1.0, "the least fidelity");
            qe::between(given, 0, qe::LONGEST, "the number of pairs that were delivered");
            qe::between(pairs, given + 1, qe::LONGEST, "the number of pairs");
            qe::between(patience, 0, 2 * qe::LAST, "a patience");
            r.changed().tally(installation, label, floor, pairs, given, patience);
        }, "installation"_a, "label"_a, "floor"_a, "pairs"_a, "given"_a, "patience"_a)
        .def("untally", [](R& r, std::int32_t installation) {
            qe::place(installation, r.engine.installations.size(), "installation");
            nb::list left;
            for (const qe::Letter& each : r.changed().untally(installation)) left.append(Bridge::tuple_of(each));
            return left;
        }, "installation"_a)
        .def("counted", [](R& r) { return r.engine.counted(); })
        .def("matched", [](R& r) {
            std::vector<std::int64_t> whole;
            std::vector<double> real;
            for (const qe::Matched& p : r.engine.matched()) {
                whole.insert(whole.end(), {p.label, p.number, p.left, p.right, p.frame, p.born, p.at, p.own_decay, p.birth, p.far_decay, p.far_birth});
                real.insert(real.end(), p.quality.begin(), p.quality.end());
            }
            return nb::make_tuple(array_of(std::move(whole), 11), array_of(std::move(real), 3));
        })
        .def("policy", [](R& r, nb::object choice, std::uintptr_t address) {
            r.bridge.on_choice = choice;
            r.engine.asks = !choice.is_none();
            r.engine.policy = reinterpret_cast<qe::Policy>(address);
        }, "choice"_a.none(), "address"_a = 0)
        .def("rule", [](R& r, std::int32_t circuit, int choice, qe::Time cutoff) {
            qe::Circuit& at = r.changed().circuits[qe::place(circuit, r.engine.circuits.size(), "circuit")];
            qe::between(choice, 0, 2, "a choice");
            qe::between(cutoff, -1, qe::LONGEST, "a cutoff");
            at.choice = qe::Choice(choice);
            at.cutoff = cutoff;
        }, "circuit"_a, "choice"_a, "cutoff"_a)
        .def("view", [](nb::object self, const std::string& what) {
            R& r = nb::cast<R&>(self);
            auto& q = r.engine.qubits;
            const auto strided = [&](auto* first) {
                using T = std::remove_pointer_t<decltype(first)>;
                static_assert(sizeof(qe::Qubit) % sizeof(T) == 0);
                return nb::cast(nb::ndarray<nb::numpy, const T, nb::ndim<1>>(first, {q.size()}, self, {std::int64_t(sizeof(qe::Qubit) / sizeof(T))}));
            };
            if (q.empty()) throw nb::value_error("nothing is installed");
            if (what == "life") return strided(reinterpret_cast<const std::uint8_t*>(&q[0].life));
            if (what == "born") return strided(static_cast<const std::int64_t*>(&q[0].born));
            if (what == "rounds") return strided(static_cast<const std::int32_t*>(&q[0].rounds));
            if (what == "partner") return strided(static_cast<const std::int32_t*>(&q[0].partner));
            if (what == "circuit") return strided(static_cast<const std::int32_t*>(&q[0].circuit));
            throw nb::key_error(what.c_str());
        }, "what"_a)
        .def("post", [](R& r, int kind, std::int32_t installation, std::int32_t position, qe::Time at, qe::Time until) {
            const auto& to = r.engine.installations[qe::place(installation, r.engine.installations.size(), "installation")];
            qe::place(position, std::size_t(to.nodes), "position");
            qe::between(kind, int(qe::Mail::PREPARE), int(qe::Mail::RELEASE), "a kind of letter");
            qe::between(at, r.engine.now, 2 * qe::LAST, "the time of a letter");
            r.engine.post(qe::Mail(kind), installation, position, at, until);
        }, "kind"_a, "installation"_a, "position"_a, "at"_a, "until"_a)
        .def("why_not_held", [](const R& r, std::int32_t slot, std::int64_t name) {
            return r.engine.why_not_held(std::int32_t(qe::place(slot, r.engine.slots.size(), "slot")), name);
        }, "slot"_a, "name"_a)
        .def("told", [](const R& r, std::int32_t slot) {
            if (!r.engine.why_not_held(std::int32_t(qe::place(slot, r.engine.slots.size(), "slot")), qe::NOBODY).empty()) return -1;
            return r.engine.told_at(slot);
        }, "slot"_a)
        .def("hand_over", [](R& r, std::int32_t slot, int bell) {
            qe::between(bell, 0, 3, "a Bell state");
            held_at(r.changed(), slot).hand_over(slot, bell);
        }, "slot"_a, "bell"_a)
        .def("read_out", [](R& r, std::int32_t slot, int basis) {
            qe::between(basis, 1, 3, "a basis");
            held_at(r.changed(), slot).read_out(slot, basis);
        }, "slot"_a, "basis"_a)
        .def("dismiss", [](R& r, std::int32_t installation, std::int32_t position, std::int64_t name, qe::Time at) {
            const auto& to = r.engine.installations[qe::place(installation, r.engine.installations.size(), "installation")];
            qe::place(position, std::size_t(to.nodes), "position");
            qe::place(qe::lane_of(name), r.engine.lanes.size(), "lane");
            qe::between(at, r.engine.now, 2 * qe::LAST, "the time of a letter");
            r.engine.dismiss(installation, position, name, at);
        }, "installation"_a, "position"_a, "name"_a, "at"_a)
        .def("call_at", [](R& r, qe::Time at, std::uint32_t priority, std::uint32_t rank, std::uint64_t number) {
            qe::between(at, r.engine.now, std::numeric_limits<qe::Time>::max(), "the time of a call");
            qe::between(priority, 0, 7, "a priority");
            qe::between(rank, 0, (1 << qe::RANK_BITS) - 1, "a rank");
            r.engine.call_at(at, qe::ranked(qe::Priority(priority), rank), number);
        }, "at"_a, "priority"_a, "rank"_a, "number"_a)
        .def("add_points", [](R& r, nb::dict plant) {
            const qe::Tables tables = tables_from(plant);
            const auto &points = tables.whole("points", 9), &labels = tables.whole("labels", 1);
            const auto& outcomes = tables.real("outcomes", 1 + State::SIZE);
            for (std::size_t row = 0; row < points.rows; ++row) qe::check_point(points[row], r.changed().links.size(), labels, outcomes);
            for (std::size_t row = 0; row < points.rows; ++row) {
                r.engine.first_keys.push_back(qe::add_point(r.engine, points[row], labels, outcomes));
                r.engine.keys.push_back(r.engine.first_keys.back());
            }
        }, "plant"_a)
        .def("change_point", [](R& r, std::int32_t key, nb::dict plant) {
            const qe::Tables tables = tables_from(plant);
            qe::place(key, r.engine.keys.size(), "operating point");
            r.changed();
            qe::require(tables.whole("points", 9).rows == 1, "one operating point at a time");
            r.retired.resize(r.engine.keys.size());
            qe::change_point(r.engine, key, tables.whole("points", 9)[0], tables.whole("labels", 1),
                             tables.real("outcomes", 1 + State::SIZE), r.retired[std::size_t(key)]);
        }, "key"_a, "plant"_a)
        .def("lane", [](const R& r, std::int64_t name) {
            const auto& lane = r.engine.lanes[qe::place(qe::lane_of(name), r.engine.lanes.size(), "lane")];
            return nb::make_tuple(lane.link, lane.number, qe::number_of(name));
        }, "name"_a)
        .def("decay", [](const R& r, std::int32_t index) {
            const auto& d = r.engine.decays[qe::place(index, r.engine.decays.size(), "decay")];
            return nb::make_tuple(d.rates[0], d.rates[1], d.rates[2], d.stretched, d.exponent);
        }, "index"_a)
        .def("slot", [](const R& r, std::int32_t slot) {
            const qe::Slot& at = r.engine.slots[qe::place(slot, r.engine.slots.size(), "slot")];
            return nb::make_tuple(at.node, slot - r.engine.nodes[std::size_t(at.node)].first_slot);
        }, "slot"_a)
        .def("renew_link", [](R& r, std::int32_t link) { r.changed().renew_link(std::int32_t(qe::place(link, r.engine.links.size(), "link"))); }, "link"_a)
        .def("pause_link", [](R& r, std::int32_t link) { r.changed().pause_link(std::int32_t(qe::place(link, r.engine.links.size(), "link"))); }, "link"_a)
        .def("resume_link", [](R& r, std::int32_t link) { r.changed().resume_link(std::int32_t(qe::place(link, r.engine.links.size(), "link"))); }, "link"_a)
        .def("fail_node", [](R& r, std::int32_t node) { r.changed().fail_node(std::int32_t(qe::place(node, r.engine.nodes.size(), "node"))); }, "node"_a)
        .def("recover_node", [](R& r, std::int32_t node) { r.changed().recover_node(std::int32_t(qe::place(node, r.engine.nodes.size(), "node"))); }, "node"_a)
        .def("set_link", [](R& r, std::int32_t link, bool up) { r.changed().set_link(std::int32_t(qe::place(link, r.engine.links.size(), "link")), up); }, "link"_a, "up"_a);
}

}  // namespace

void bind_engine(nb::module_& m) {
    bind_run<qe::BellDiagonal>(m, "BellDiagonalRun");
    bind_run<qe::Exact>(m, "ExactRun");
    bind_run<qe::XState>(m, "XRun");
    m.def("stream", [](const std::string& name, std::size_t count) {
        qe::Stream stream;
        stream.begin(name);
        std::vector<double> drawn;
        for (std::size_t each = 0; each < count; ++each) drawn.push_back(stream.uniform());
        return drawn;
    }, "name"_a, "count"_a);
    m.def("queued", [](const std::vector<std::int64_t>& steps) {  // (wait, order) pushes, a negative wait takes one out
        qe::Queue queue;
        std::vector<std::uint64_t> taken;
        qe::Time now = 0;
        for (std::size_t step = 0; step + 1 < steps.size(); step += 2) {
            if (steps[step] >= 0) {
                queue.push(now + steps[step], std::uint32_t(steps[step + 1]), 0, step / 2);
            } else if (!queue.empty()) {
                const qe::Event event = queue.pop();
                now = event.at;
                taken.push_back(event.what);
            }
        }
        return taken;
    }, "steps"_a);
    m.def("geometric", [](const std::string& name, double p, std::size_t count) {
        qe::Stream stream;
        stream.begin(name);
        const double log_failure = p < 1.0 ? qe::log_of_failure(p) : 0.0;
        std::vector<std::int64_t> drawn;
        for (std::size_t each = 0; each < count; ++each) drawn.push_back(stream.geometric(p, log_failure));
        return drawn;
    }, "name"_a, "p"_a, "count"_a);
}
