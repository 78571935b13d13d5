// Any state of two qubits; nothing is twirled: quantum_fabric.twin.exact.
#pragma once

#include "bloch.hpp"

namespace quantum_fabric::engine {

struct Exact {
    static constexpr int SIZE = 16;  // numbers that a herald prepares: mean values of II, IX, IY, IZ, XI, ... ZZ

    double t[4][4];  // Pauli operator of the first half, then of the second one

    // The Pauli operator at one end, and the other end's.
    double at(int end, int mine, int other) const { return end == 0 ? t[mine][other] : t[other][mine]; }
    double& at(int end, int mine, int other) { return end == 0 ? t[mine][other] : t[other][mine]; }
    static constexpr bool holds(int, int) { return true; }
    static constexpr bool closed(Rotation) { return true; }

    void prepare(const double* fresh) {
        for (int place = 0; place < SIZE; ++place) t[place / 4][place % 4] = fresh[place];
    }
    // Amplitude damping towards |0> and dephasing.
    void fade(int end, double coherence, double population) {
        for (int other = 0; other < 4; ++other) {
            at(end, bloch::X, other) *= coherence;
            at(end, bloch::Y, other) *= coherence;
            double& z = at(end, bloch::Z, other);
            z = population * z + (1.0 - population) * at(end, bloch::I, other);
        }
    }
    // The same by exponents.
    void wait(int end, double dephased, double relaxed) { fade(end, std::exp(-dephased), std::exp(-relaxed)); }
    // The lost half is traced out, and the maximally mixed state stands in its place.
    void lose(int end) {
        for (int mine = 1; mine < 4; ++mine)
            for (int other = 0; other < 4; ++other) at(end, mine, other) = 0.0;
    }
    void forget() {
        lose(0);
        lose(1);
    }

    double fidelity(int label) const { return bloch::fidelity(*this, label); }
    std::array<double, 4> weights(int, int told) const {
        return {fidelity(told), fidelity(told ^ 1), fidelity(told ^ 2), fidelity(told ^ 3)};
    }
    double twirl_error(double, double) const { return 0.0; }

    int measured(int end, int basis, double turned, double, int expected, Stream& draws) {
        return bloch::measured(*this, end, basis, turned, expected, draws);
    }

    // The announced label is drawn from this very state; the outer halves are left in what it says, a's first.
    static int swapped(const Exact& a, int one, const Exact& b, int two, const Operations& node, double, double, Stream& draws,
                       Exact& whole) {
        std::array<double, 4> chance;
        for (int label = 0; label < 4; ++label) {
            const std::array<double, 4> effect = bloch::effect(node, label);
            chance[std::size_t(label)] = 0.0;
            for (int inner = 0; inner < 4; ++inner)
                chance[std::size_t(label)] += effect[std::size_t(inner)] * a.at(one, inner, bloch::I) * b.at(two, inner, bloch::I);
        }
        const int label = bloch::drawn(chance, draws);
        const std::array<double, 4> effect = bloch::effect(node, label);
        const double total = chance[std::size_t(label)];
        for (int p = 0; p < 4; ++p)
            for (int q = 0; q < 4; ++q) {
                double sum = 0.0;
                for (int inner = 0; inner < 4; ++inner)
                    sum += a.at(one, inner, p) * effect[std::size_t(inner)] * b.at(two, inner, q);
                whole.t[p][q] = sum / total;
            }
        return label;
    }

    static int half_purified(const Exact& keep, int keep_end, const Exact& spent, int spent_end, const Operations& node,
                             Distillation, Rotation rotation, Stream& draws) {
        return bloch::half_purified(keep, keep_end, spent, spent_end, node, rotation, draws);
    }
    static int purified(Exact& keep, int keep_end, const Exact& spent, int spent_end, const Operations& first,
                        const Operations& second, Distillation kind, Rotation rotation, const Expected& expected, int bit,
                        Stream& draws) {
        return bloch::purified(keep, keep_end, spent, spent_end, first, second, kind, rotation, expected, bit, draws);
    }
};

}  // namespace quantum_fabric::engine
