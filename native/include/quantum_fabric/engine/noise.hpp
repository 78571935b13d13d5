// What nodes do to states: the event path's arithmetic, in the order of quantum_fabric.physics.correlators and frames.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

#include "queue.hpp"

namespace quantum_fabric::engine {

using Correlators = std::array<double, 3>;

inline Correlators product(const Correlators& a, const Correlators& b) {
    return {a[0] * b[0], a[1] * b[1], a[2] * b[2]};
}

struct Operations {
    double depolarising_1 = 0, depolarising_2 = 0, readout_error_0 = 0, readout_error_1 = 0, swap_success = 1;
    std::array<double, 4> chance{};       // of announcing each label
    std::array<Correlators, 4> factors{};  // given that it was announced
};

struct Memory {
    double rate_xy = 0, rate_z = 0;  // per ps: the exponential part of the loss of coherence, and relaxation
    double stretched_rate = 0;       // per ps
    double exponent = 1, loss_per_attempt = 0;
    double retrieval = 1, retrieval_lifetime = 0;  // seconds
    bool simple = true, lossless = true, disturbed = false;
};

inline double stretched_loss(double rate, double exponent, double start, double end) {
    return std::pow(rate * end, exponent) - std::pow(rate * start, exponent);
}

inline double seconds(Time time) { return double(time) / 1e12; }

// The six bilateral rotations, as quantum_fabric.physics.frames.AXES lists them: which old correlators become x, y and z.
inline constexpr int AXES[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

enum Distillation : std::uint8_t { DEJMPS = 0, BBPSSW = 1 };

// How the two pairs of a round are turned: 6 * axes of the kept pair + axes of the sacrificed one.
using Rotation = std::int16_t;
inline constexpr Rotation OWN[2] = {7, 0};  // the protocol's own way

inline int turned_label(int label, int axes) {
    const int bits[3] = {label & 1, (label >> 1) ^ (label & 1), label >> 1};
    return (bits[AXES[axes][2]] << 1) | bits[AXES[axes][0]];
}

struct Expected {
    int frame, flip;
};

inline Expected purify_frame(int keep, int sacrifice, Rotation rotation) {
    keep = turned_label(keep, rotation / 6);
    sacrifice = turned_label(sacrifice, rotation % 6);
    return {keep ^ (sacrifice & 1), (keep ^ sacrifice) >> 1};
}

struct Distilled {
    double chance;
    Correlators state;
};

// One noisy round of recurrence purification: quantum_fabric.physics.correlators.purified with a known parity.
inline Distilled purified(const Correlators& keep, const Correlators& sacrifice, Distillation kind, const Operations& a,
                          const Operations& b, int flip, Rotation rotation) {
    const double turn = (1.0 - a.depolarising_1) * (1.0 - b.depolarising_1);
    const double gate = (1.0 - a.depolarising_2) * (1.0 - b.depolarising_2);
    const double a0 = 1.0 - 2.0 * a.readout_error_0, a1 = 1.0 - 2.0 * a.readout_error_1;
    const double b0 = 1.0 - 2.0 * b.readout_error_0, b1 = 1.0 - 2.0 * b.readout_error_1;
    const double lean = (a0 - a1) * (b0 - b1) / 8;
    const double s = flip ? 0.5 - lean : 0.5 + lean, d = (a0 + a1) * (b0 + b1) / 8;
    const auto turned = [turn](const Correlators& c, int axes) -> Correlators {
        if (axes == 0) return c;
        return {c[AXES[axes][0]] * turn, c[AXES[axes][1]] * turn, c[AXES[axes][2]] * turn};
    };
    const auto [x1, y1, z1] = turned(keep, rotation / 6);
    const auto [x2, y2, z2] = turned(sacrifice, rotation % 6);
    const double chance = s + d * gate * z1 * z2;
    if (chance <= 0.0) return {0.0, {0.0, 0.0, 0.0}};
    const double scale = gate / chance;
    double x = scale * (s * x1 * x2 + d * y1 * y2);
    double y = scale * (s * y1 * x2 + d * x1 * y2);
    double z = scale * (s * z1 + d * z2);
    if (kind == BBPSSW) x = y = z = (x + y + z) / 3.0 * turn;
    return {chance, {x, y, z}};
}

}  // namespace quantum_fabric::engine
