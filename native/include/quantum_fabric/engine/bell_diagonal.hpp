// Pairs as mixtures of Bell states: quantum_fabric.twin.bell_diagonal.
#pragma once

#include <algorithm>
#include <cmath>

#include "noise.hpp"
#include "streams.hpp"

namespace quantum_fabric::engine {

struct BellDiagonal {
    static constexpr int SIZE = 3;  // numbers that a herald prepares
    static constexpr bool closed(Rotation) { return true; }  // whether pairs keep the shape in such a purification

    double x, y, z;
    double dephased, relaxed;  // exponents of what waiting has taken since then; turned into factors when somebody looks
    double damped, doubt;  // of the halves that were swapped away: sum of damping probabilities, and of their products in pairs

    void prepare(const double* fresh) {
        x = fresh[0], y = fresh[1], z = fresh[2];
        damped = doubt = dephased = relaxed = 0.0;
    }
    void wait(int, double more_dephased, double more_relaxed) {
        dephased += more_dephased;
        relaxed += more_relaxed;
    }
    Correlators now() const {
        if (dephased == 0.0 && relaxed == 0.0) return {x, y, z};
        const double coherence = std::exp(-dephased), population = relaxed == dephased ? coherence : std::exp(-relaxed);
        return {x * coherence, y * coherence, z * population};
    }
    void fade(int, double coherence, double population) {
        x *= coherence;
        y *= coherence;
        z *= population;
    }
    void lose(int) { x = y = z = 0.0; }
    void forget() { x = y = z = 0.0; }

    // Bell weights relative to the label that differs by `shift` from the frame.
    std::array<double, 4> weights(int shift, int) const {
        const auto [x, y, z] = now();
        const double w[4] = {(1.0 + x + y + z) / 4, (1.0 - x - y + z) / 4, (1.0 + x - y - z) / 4, (1.0 - x + y - z) / 4};
        return {w[shift], w[shift ^ 1], w[shift ^ 2], w[shift ^ 3]};
    }

    double twirl_error(double first, double second) const {
        return (doubt + damped * (first + second) + first * second) / 4.0;
    }

    // One half is read: the true bit. It is fair, and so is any other basis than the one that the partner was read in.
    // `both` is what turning the basis at both ends has left; `expected` the bit that a perfect pair would give now, -1 for either.
    int measured(int, int basis, double, double both, int expected, Stream& draws) const {
        if (expected < 0) return draws.flip(0.5);
        return expected ^ int(draws.flip((1.0 - now()[std::size_t(basis) - 1] * both) / 2.0));
    }

    // A Bell measurement on this pair and another: the announced label, and the pair that is left.
    // `one` and `two` say which end of each pair was measured; `here` and `there` how far those halves had relaxed.
    static int swapped(const BellDiagonal& a, int, const BellDiagonal& b, int, const Operations& node, double here,
                       double there, Stream& draws, BellDiagonal& whole) {
        double u = draws.uniform();
        int label = 3;
        for (int each = 0; each < 3; ++each) {
            u -= node.chance[each];
            if (u < 0.0) {
                label = each;
                break;
            }
        }
        const Correlators& f = node.factors[label];
        BellDiagonal joint{a.x * b.x * f[0], a.y * b.y * f[1], a.z * b.z * f[2], a.dephased + b.dephased, a.relaxed + b.relaxed, 0.0, 0.0};
        if (here > 0.0 || there > 0.0 || a.damped > 0.0 || b.damped > 0.0) {
            joint.doubt = a.doubt + a.damped * here + b.doubt + b.damped * there;
            joint.doubt += (a.damped + here) * (b.damped + there);
            joint.damped = a.damped + here + b.damped + there;
        }
        whole = joint;
        return label;
    }

    // The first end's gate: its measured qubit is maximally mixed.
    static int half_purified(const BellDiagonal&, int, const BellDiagonal&, int, const Operations& node, Distillation,
                             Rotation, Stream& draws) {
        const double one = 0.5 * (1.0 - node.readout_error_1) + 0.5 * node.readout_error_0;
        return draws.flip(one);
    }

    // The second end's gate: the announced bit; the kept pair becomes what both bits leave of it.
    static int purified(BellDiagonal& keep, int, const BellDiagonal& spent, int, const Operations& first,
                        const Operations& second, Distillation kind, Rotation rotation, const Expected& expected, int bit,
                        Stream& draws) {
        const Distilled round = engine::purified(keep.now(), spent.now(), kind, first, second, expected.flip, rotation);
        keep.dephased = keep.relaxed = 0.0;
        const bool success = draws.flip(round.chance);
        if (success) {
            keep.x = round.state[0], keep.y = round.state[1], keep.z = round.state[2];
        } else {
            keep.forget();
        }
        return bit ^ expected.flip ^ (success ? 0 : 1);
    }
};

}  // namespace quantum_fabric::engine
