// What `Exact` and `XState` share: states of pairs as the mean values of Pauli operators.
//
// Any state of two qubits is (1/4) sum of t[P][Q] P x Q with sixteen real numbers t[P][Q] = Tr(rho P x Q), and t[I][I] = 1. In
// these coordinates what nodes do are short sums: waiting mixes two rows, a Bell measurement multiplies two matrices, and each
// end of a purification takes two terms, since Clifford gates carry Pauli operators to Pauli operators. The same things with
// 4 x 4 matrices are quantum_fabric.physics.instruments, which the tests hold this to.
#pragma once

#include <array>

#include "noise.hpp"
#include "streams.hpp"

namespace quantum_fabric::engine::bloch {

enum Pauli : int { I, X, Y, Z };

// Signs of XX, YY and ZZ in the Bell state with a label.
inline constexpr double SIGNS[4][3] = {{1, -1, 1}, {-1, 1, 1}, {1, 1, -1}, {-1, -1, -1}};

// What announcing a label says of the two measured halves: coefficients of II, XX, YY and ZZ. There are no others, whatever the
// noise of gates and readout: each readout is a sum of I and Z, and a Bell measurement turned back makes these four of them.
inline std::array<double, 4> effect(const Operations& node, int label) {
    const double chance = node.chance[std::size_t(label)];
    const Correlators& factors = node.factors[std::size_t(label)];
    const double* sign = SIGNS[label];
    return {chance, chance * sign[0] * factors[0], chance * sign[1] * factors[1], chance * sign[2] * factors[2]};
}

// The announced label, as quantum_fabric.twin.exact draws it.
inline int drawn(const std::array<double, 4>& chance, Stream& draws) {
    double u = draws.uniform();
    int label = 3;
    for (int each = 0; each < 3; ++each) {
        u -= chance[std::size_t(each)];
        if (u < 0.0) {
            label = each;
            break;
        }
    }
    if (chance[std::size_t(label)] > 0.0) return label;
    // rounding may leave a sliver of the draw to a label that cannot be announced
    int likeliest = 0;
    for (int each = 1; each < 4; ++each)
        if (chance[std::size_t(each)] > chance[std::size_t(likeliest)]) likeliest = each;
    return likeliest;
}

// A certain event draws nothing, so rounding must not make it uncertain: quantum_fabric.twin.exact.
inline double settled(double chance) { return chance < 1e-12 ? 0.0 : chance > 1.0 - 1e-12 ? 1.0 : chance; }

// ------------------------------------------------------------------------------------------ purification

// The gates U of the bilateral rotations, as `AXES` lists them: the signs with which Pauli operators X, Y and Z are turned back.
inline constexpr double TURNS[6][3] = {{1, 1, 1}, {1, -1, 1}, {-1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, -1}};

// One end's part: a rotation of both qubits, a CNOT from the kept to the spent one, and the readout of the latter, all turned
// back. A Pauli operator P on the kept qubit comes from two products of operators on both, one for each part of the readout.
// Made anew for each gate: it is some thirty multiplications, fewer than its use takes.
struct Purifier {
    struct Term {
        int keep, spent;
        double factor;
    };
    Term terms[4][2];
    double readout[2][2];  // by announced bit: coefficients of I and Z

    Purifier(const Operations& node, Rotation rotation, bool conjugate) {
        static constexpr Term BEFORE_CNOT[4][2] = {
            {{I, I, 1}, {Z, Z, 1}}, {{X, X, 1}, {Y, Y, -1}}, {{Y, X, 1}, {X, Y, 1}}, {{Z, I, 1}, {I, Z, 1}}};
        const double right = 1.0 - node.readout_error_0, wrong = node.readout_error_1;
        readout[0][0] = 0.5 * (right + wrong), readout[0][1] = 0.5 * (right - wrong);
        readout[1][0] = 1.0 - readout[0][0], readout[1][1] = -readout[0][1];
        for (int out = 0; out < 4; ++out)
            for (int part = 0; part < 2; ++part) {
                Term term = BEFORE_CNOT[out][part];
                if (out != I || part) term.factor *= 1.0 - node.depolarising_2;
                turn(term.keep, term.factor, rotation / 6, conjugate, node.depolarising_1);
                turn(term.spent, term.factor, rotation % 6, conjugate, node.depolarising_1);
                terms[out][part] = term;
            }
    }

  private:
    static void turn(int& pauli, double& factor, int axes, bool conjugate, double depolarising) {
        if (axes == 0 || pauli == I) return;
        const int before = AXES[axes][pauli - 1] + 1;
        factor *= TURNS[axes][pauli - 1] * (1.0 - depolarising);
        if (conjugate && (pauli == Y) != (before == Y)) factor = -factor;  // of the three only Y is imaginary
        pauli = before;
    }
};

// All mean values of a pair, with one end first: what a purification reads again and again.
struct Table {
    double at[4][4] = {};

    template <class State>
    Table(const State& state, int end) {
        for (int mine = 0; mine < 4; ++mine)
            for (int other = 0; other < 4; ++other)
                if (State::holds(mine, other)) at[mine][other] = state.at(end, mine, other);
    }
};

// Mean value of `p` x `q` on the kept pair, times the probability of the bits that both ends announced.
inline double purified(const Table& keep, const Table& spent, const Purifier& a, int bit, const Purifier& b, int other_bit,
                       int p, int q) {
    double sum = 0.0;
    for (int here = 0; here < 2; ++here) {
        const Purifier::Term& one = a.terms[p][here];
        double part = 0.0;
        for (int there = 0; there < 2; ++there) {
            const Purifier::Term& two = b.terms[q][there];
            part += b.readout[other_bit][there] * two.factor * keep.at[one.keep][two.keep] * spent.at[one.spent][two.spent];
        }
        sum += a.readout[bit][here] * one.factor * part;
    }
    return sum;
}

// The first end's gate: the bit is drawn from what this end's two qubits are.
template <class State>
int half_purified(const State& keep, int keep_end, const State& spent, int spent_end, const Operations& node,
                  Rotation rotation, Stream& draws) {
    const Purifier purifier(node, rotation, false);
    double one = 0.0;
    for (int part = 0; part < 2; ++part) {
        const Purifier::Term& term = purifier.terms[I][part];
        one += purifier.readout[1][part] * term.factor * keep.at(keep_end, term.keep, I) * spent.at(spent_end, term.spent, I);
    }
    return draws.flip(settled(one));
}

// The second end's gate: success is drawn given the first end's bit, and the kept pair is what both bits leave of it.
template <class State>
int purified(State& keep, int keep_end, const State& spent, int spent_end, const Operations& first, const Operations& second,
             Distillation kind, Rotation rotation, const Expected& expected, int bit, Stream& draws) {
    const Purifier a(first, rotation, false), b(second, rotation, true);
    const int first_end = 1 - keep_end;
    const Table kept(keep, first_end), gone(spent, 1 - spent_end);
    const double chance[2] = {purified(kept, gone, a, bit, b, 0, I, I), purified(kept, gone, a, bit, b, 1, I, I)};
    const int good = bit ^ expected.flip;
    const bool success = draws.flip(settled(chance[good] / (chance[0] + chance[1])));
    const int mine = success ? good : good ^ 1;
    for (int p = 0; p < 4; ++p)
        for (int q = 0; q < 4; ++q)
            if (State::holds(p, q)) keep.at(first_end, p, q) = purified(kept, gone, a, bit, b, mine, p, q) / chance[mine];
    if (success && kind == BBPSSW) {
        const double turn = (1.0 - first.depolarising_1) * (1.0 - second.depolarising_1);
        const double excess = (4.0 * keep.fidelity(expected.frame) - 1.0) / 3.0 * turn;
        keep.forget();
        for (int p = X; p <= Z; ++p) keep.at(0, p, p) = SIGNS[expected.frame][p - 1] * excess;
    }
    return mine;
}

// One half is read: the true bit, drawn from what it is now; the other half is left in what that says.
template <class State>
int measured(State& state, int end, int basis, double turned, int expected, Stream& draws) {
    const double one = (1.0 - turned * state.at(end, basis, I)) / 2.0;
    const int usual = expected == 1;  // the same draw means the same as for Bell-diagonal pairs
    const int bit = usual ^ int(draws.flip(settled(usual ? 1.0 - one : one)));
    const double chance = bit ? one : 1.0 - one, sign = bit ? -1.0 : 1.0;
    double left[4];
    for (int other = 0; other < 4; ++other) left[other] = (state.at(end, I, other) + sign * turned * state.at(end, basis, other)) / (2.0 * chance);
    state.lose(end);
    for (int other = 0; other < 4; ++other)
        if (State::holds(I, other)) state.at(end, I, other) = left[other];
    return bit;
}

template <class State>
double fidelity(const State& state, int label) {
    const double* sign = SIGNS[label];
    return (1.0 + sign[0] * state.at(0, X, X) + sign[1] * state.at(0, Y, Y) + sign[2] * state.at(0, Z, Z)) / 4.0;
}

}  // namespace quantum_fabric::engine::bloch
