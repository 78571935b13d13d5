// States whose density matrix has entries on its diagonal and its anti-diagonal alone: those that commute with Z x Z.
//
// Seven mean values are not zero: ZI, IZ and ZZ, and XX, XY, YX and YY. So two 2 x 2 blocks hold all there is, and everything
// that nodes do stays within them but one: a purification that turns both pairs off the Z axis, as DEJMPS does. It makes Y of the Z
// that relaxation gives a half, and after the measurement the kept pair has mean values of X. Where one of the two pairs keeps its
// axis, all is well: the kept pair's Z x Z passes the CNOTs that it controls, and the spent one's becomes the product of both
// pairs', of which the measurement leaves the kept pair's. quantum_fabric.montecarlo.representations says which scenarios qualify.
#pragma once

#include <stdexcept>

#include "bloch.hpp"

namespace quantum_fabric::engine {

struct XState {
    static constexpr int SIZE = 7;  // numbers that a herald prepares: mean values of ZI, IZ, ZZ, XX, XY, YX, YY

    double along[2][2];   // of I and Z at the first half, then at the second one
    double across[2][2];  // of X and Y

    static constexpr bool is_along(int pauli) { return pauli == bloch::I || pauli == bloch::Z; }
    template <class Self>
    static auto& place(Self& self, int end, int mine, int other) {
        const int first = end == 0 ? mine : other, second = end == 0 ? other : mine;
        return is_along(first) ? self.along[first == bloch::Z][second == bloch::Z]
                               : self.across[first == bloch::Y][second == bloch::Y];
    }
    // Operators whose mean value need not be 0: both of I and Z, or both of X and Y.
    static constexpr bool holds(int p, int q) { return is_along(p) == is_along(q); }
    // The Pauli operator at one end, and the other end's.
    double at(int end, int mine, int other) const { return holds(mine, other) ? place(*this, end, mine, other) : 0.0; }
    double& at(int end, int mine, int other) { return place(*this, end, mine, other); }
    // Whether purified pairs keep the shape: at least one of the two pairs keeps its Z axis.
    static constexpr bool closed(Rotation rotation) { return AXES[rotation / 6][2] == 2 || AXES[rotation % 6][2] == 2; }

    void prepare(const double* fresh) {
        along[0][0] = 1.0;
        along[1][0] = fresh[0], along[0][1] = fresh[1], along[1][1] = fresh[2];
        across[0][0] = fresh[3], across[0][1] = fresh[4], across[1][0] = fresh[5], across[1][1] = fresh[6];
    }
    // Amplitude damping towards |0> and dephasing.
    void fade(int end, double coherence, double population) {
        for (double& each : across[0]) each *= coherence;
        for (double& each : across[1]) each *= coherence;
        for (const int other : {bloch::I, bloch::Z}) {
            double& z = at(end, bloch::Z, other);
            z = population * z + (1.0 - population) * at(end, bloch::I, other);
        }
    }
    // The same by exponents.
    void wait(int end, double dephased, double relaxed) { fade(end, std::exp(-dephased), std::exp(-relaxed)); }
    // The lost half is traced out, and the maximally mixed state stands in its place.
    void lose(int end) {
        at(end, bloch::Z, bloch::I) = along[1][1] = 0.0;
        across[0][0] = across[0][1] = across[1][0] = across[1][1] = 0.0;
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
        if (basis != bloch::Z) throw std::logic_error("an X-state does not hold what a readout off the Z axis leaves");
        return bloch::measured(*this, end, basis, turned, expected, draws);
    }

    // The announced label is drawn from this very state; the outer halves are left in what it says, a's first.
    static int swapped(const XState& a, int one, const XState& b, int two, const Operations& node, double, double, Stream& draws,
                       XState& whole) {
        using bloch::I, bloch::X, bloch::Y, bloch::Z;
        std::array<double, 4> chance;
        const double both = a.at(one, Z, I) * b.at(two, Z, I);
        for (int label = 0; label < 4; ++label) {
            const std::array<double, 4> effect = bloch::effect(node, label);
            chance[std::size_t(label)] = effect[I] + effect[Z] * both;
        }
        const int label = bloch::drawn(chance, draws);
        const std::array<double, 4> effect = bloch::effect(node, label);
        const double total = chance[std::size_t(label)];
        for (int p = 0; p < 4; ++p)
            for (int q = 0; q < 4; ++q) {
                if (!holds(p, q)) continue;
                const int i = is_along(p) ? I : X, j = is_along(p) ? Z : Y;
                whole.at(0, p, q) = (a.at(one, i, p) * effect[std::size_t(i)] * b.at(two, i, q) +
                                     a.at(one, j, p) * effect[std::size_t(j)] * b.at(two, j, q)) / total;
            }
        return label;
    }

    static int half_purified(const XState& keep, int keep_end, const XState& spent, int spent_end, const Operations& node,
                             Distillation, Rotation rotation, Stream& draws) {
        return bloch::half_purified(keep, keep_end, spent, spent_end, node, rotation, draws);
    }
    static int purified(XState& keep, int keep_end, const XState& spent, int spent_end, const Operations& first,
                        const Operations& second, Distillation kind, Rotation rotation, const Expected& expected, int bit,
                        Stream& draws) {
        return bloch::purified(keep, keep_end, spent, spent_end, first, second, kind, rotation, expected, bit, draws);
    }
};

}  // namespace quantum_fabric::engine
