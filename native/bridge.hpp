// From a run to the callbacks in Python that watch it or answer for it.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/stl/pair.h>

#include <array>
#include <cstdint>
#include <exception>

#include "quantum_fabric/engine/engine.hpp"

namespace quantum_fabric {

namespace nb = nanobind;
namespace qe = quantum_fabric::engine;

// Raised for as long as it lives.
class Flag {
  public:
    explicit Flag(bool& flag) : flag_(flag), before_(flag) { flag = true; }
    ~Flag() { flag_ = before_; }
    Flag(const Flag&) = delete;
    Flag& operator=(const Flag&) = delete;

  private:
    bool& flag_;
    bool before_;
};

// Calls Python for what is watched; an exception there stops the run and is raised by it.
class Bridge : public qe::Listener {
  public:
    nb::object on_sight, on_mail, on_call, on_choice, on_told, on_last;
    bool failed = false;

    void see(const qe::Sight& s) override {
        if (failed || on_sight.is_none()) return;
        guard([&] {
            const Flag flag(looking);
            if (bare) {
                on_sight(kinds[std::size_t(s.what)]);
                return;
            }
            nb::object weights = nb::none();
            if (s.weights) weights = nb::make_tuple(s.weights[0], s.weights[1], s.weights[2], s.weights[3]);
            on_sight(int(s.what), s.node, s.slot, s.other, s.mine, s.far, s.label, s.born, s.far_born, weights);
        });
    }
    void mail(const qe::Letter& l) override {
        if (failed || on_mail.is_none()) return;
        guard([&] {
            on_mail(int(l.kind), l.circuit, l.mine, l.far, int(l.frame), nb::make_tuple(l.quality[0], l.quality[1], l.quality[2]),
                    l.born, l.at, l.slot, nb::make_tuple(l.own_decay, l.birth, l.far_decay, l.far_birth));
        });
    }
    void told(const qe::Matched& p, bool aloud) override {
        if (failed || on_told.is_none()) return;
        guard([&] {
            if (!aloud) {
                on_told();
                return;
            }
            on_told(p.label, p.number, p.left, p.right, p.frame, nb::make_tuple(p.quality[0], p.quality[1], p.quality[2]), p.born, p.at,
                    nb::make_tuple(p.own_decay, p.birth, p.far_decay, p.far_birth));
        });
    }
    void last(std::int32_t label, const qe::Letter& first, const qe::Letter& second) override {
        if (failed || on_last.is_none()) return;
        guard([&] { on_last(label, tuple_of(first), tuple_of(second)); });
    }
    static nb::tuple tuple_of(const qe::Letter& l) {
        return nb::make_tuple(l.circuit, l.mine, l.far, int(l.frame), nb::make_tuple(l.quality[0], l.quality[1], l.quality[2]), l.born,
                              l.at, l.slot, nb::make_tuple(l.own_decay, l.birth, l.far_decay, l.far_birth));
    }
    void call(std::uint64_t number) override {
        if (failed || on_call.is_none()) return;
        guard([&] { on_call(number); });
    }

    std::int64_t choose(std::int64_t node, const qe::Candidate* lefts, std::int64_t left, const qe::Candidate* rights,
                        std::int64_t right) override {
        std::int64_t answer = -1;
        if (failed) return answer;
        guard([&] {
            const Flag flag(looking);
            const nb::object said = on_choice(node, list_of(lefts, left), list_of(rights, right));
            if (said.is_none()) return;
            const auto [one, two] = nb::cast<std::pair<std::int64_t, std::int64_t>>(said);
            if (one < 0 || two < 0 || one >= left || two >= right) throw nb::index_error("a policy chose a half that there is not");
            answer = one << 32 | two;
        });
        return answer;
    }

    // The watcher is told what kind of thing has happened and nothing else.
    void only_kinds(bool only) {
        bare = only;
        for (std::size_t kind = 0; only && kind < kinds.size(); ++kind) kinds[kind] = nb::int_(kind);
    }

    bool bare = false;
    std::array<nb::object, std::size_t(qe::Watched::READ_OUT) + 1> kinds;
    std::exception_ptr error;
    bool* stop = nullptr;
    bool looking = false;  // somebody in Python looks at the engine in the middle of an event

  private:
    static nb::list list_of(const qe::Candidate* from, std::int64_t count) {
        nb::list found;
        for (std::int64_t each = 0; each < count; ++each)
            found.append(nb::make_tuple(from[each].slot, from[each].age, from[each].fidelity, from[each].rounds));
        return found;
    }

    template <class Body>
    void guard(Body body) {
        try {
            body();
        } catch (...) {
            failed = true;
            error = std::current_exception();
            if (stop) *stop = true;
        }
    }
};

}  // namespace quantum_fabric
