// The records of a run: plant, agents, letters. All flat; a copy of the vectors that hold them is a copy of the run.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "attempts.hpp"
#include "noise.hpp"
#include "queue.hpp"
#include "streams.hpp"

namespace quantum_fabric::engine {

// An elementary pair, for life: the lane it was born on and its number there.
using Name = std::int64_t;
inline constexpr Name NOBODY = -1;
inline constexpr int NUMBER_BITS = 38;
inline constexpr Name named(std::int64_t lane, std::int64_t number) { return (lane << NUMBER_BITS) | number; }
inline constexpr std::int64_t lane_of(Name name) { return name >> NUMBER_BITS; }
inline constexpr std::int64_t number_of(Name name) { return name & ((Name(1) << NUMBER_BITS) - 1); }

inline constexpr std::int32_t NONE = -1;
inline constexpr Time NEVER = -(Time(1) << 62), LAST = Time(1) << 61;  // no run goes on beyond the last time

// ------------------------------------------------------------------------------------------------ plant

struct alignas(64) Node {  // what every herald looks at comes first, here and below: each record lies in as few cache lines as it can
    Memory memory;
    std::vector<std::int32_t> lanes;  // 2 * lane + end, of lanes whose attempts disturb what is stored here
    Time swap_time = 0, measure_time = 0;
    std::int32_t first_slot = 0, slots = 0;
    bool alive = true;
    Stream draws;
    Operations operations;
    std::string name;
};

struct Slot {
    std::int32_t node = NONE;
    std::int32_t half = NONE;     // 2 * pair + end
    std::int32_t lane = NONE;     // that it is armed for
    std::uint32_t busy = 0;       // token of the operation that runs on it; 0 for none
    std::int32_t circuit = NONE;  // that has leased it
    std::int32_t qubit = NONE;
};

struct Half {
    Name name = NOBODY;
    std::int32_t node = NONE, slot = NONE;
    Time born = 0, since = 0;
    std::int64_t attempts = 0;
};

// A purification that one end has done and the other has not.
struct Waiting {
    std::uint64_t sacrifice = 0;  // serial of the sacrificed pair; 0 for no purification
    std::int32_t node = NONE;
    Rotation rotation = 0;
    Distillation kind = DEJMPS;
    std::uint8_t bit = 0;
};

template <class State>
struct Pair {
    State state;
    Half ends[2];
    Waiting waiting;
    std::uint64_t serial = 0;  // 0 while nobody has it
    std::int8_t frame = 0, told = NONE;
    std::int8_t basis = 0, bit = 0;  // of the half that was read first (X, Y and Z are 1, 2 and 3; 0 for none), and the node where that was
    std::int32_t reader = NONE;
};

// What the repeaters of a pair have to tell its ends, where their letters are worked out (see news.hpp). By the side it goes to.
struct Chain {
    std::array<Time, 2> latest;         // time of a swap with the light's way from the first node added, or subtracted
    std::array<Correlators, 2> told;    // product of what they say of quality, but for what waiting takes:
    Correlators faded;                  // exponents of that, which both sides are told alike
    std::array<std::int8_t, 2> label;   // that the link at this end was announced with
};

struct Outcomes {
    std::vector<double> cumulative;
    std::vector<std::uint8_t> labels;
    std::vector<double> fresh;  // State::SIZE numbers for each outcome
};

// A link at one setting of its knob, shared by so many lanes.
struct Point {
    std::int32_t link = NONE;
    Time period = 1, cycle = 0;
    std::array<Time, 2> born{}, heard{};
    double success = 0, log_failure = 0;
    std::int64_t most = 0;  // attempts that are counted
    std::int32_t outcomes = 0, first_outcome = 0;  // in the engine's tables
};

struct Link {
    std::array<std::int32_t, 2> ends{};
    Time light_time = 0;
    bool up = true, calibrating = false;
    std::vector<std::int32_t> lanes;
    std::string name;
};

struct alignas(64) Lane {
    std::int32_t link = NONE, number = 0;
    std::array<std::int32_t, 2> arms{NONE, NONE};     // slots
    std::array<std::int32_t, 2> qubit{NONE, NONE};    // of the circuits that hold it
    std::array<std::int32_t, 2> circuit{NONE, NONE};  // these
    std::array<Time, 2> armed_at{0, 0};
    std::int64_t heralds = 0;
    Time start = NEVER, opened = NEVER;
    std::int32_t key = NONE;     // operating point that the last end to be armed asked for
    std::int32_t point = NONE;   // what that is now
    std::int32_t trying = NONE;  // point of the attempt that is pending
    std::uint32_t order = 0, generation = 0;
    bool pending = false, counts = false;
    Stream draws, outcomes;
    Attempts attempts;
};

// ----------------------------------------------------------------------------------------------- agents

enum class Life : std::uint8_t { IDLE, ARMED, LIVE, SWAPPING, ASKING, ASKED, ANSWERING, HELD };

enum Side : std::uint8_t { LEFT = 0, RIGHT = 1 };

struct Decay {  // believed decay of one half
    Correlators rates{};
    double stretched = 0, exponent = 1;  // per second; 0 for none
};

struct Beyond {  // where news about a consumed half goes on to
    std::int64_t number;
    Time expiry;
    std::int32_t circuit;  // NONE: the chain ended here, and whoever had to know was told
    Name far;
};

class Memoir {  // of the halves of one slot; numbers rise, expiries too
  public:
    void clear() { kept_.clear(), head_ = 0; }
    void add(const Beyond& entry, Time now) {
        while (head_ < kept_.size() && kept_[head_].expiry < now) ++head_;
        if (head_ == kept_.size()) clear();
        if (head_ > 32 && 2 * head_ > kept_.size()) {
            kept_.erase(kept_.begin(), kept_.begin() + std::ptrdiff_t(head_));
            head_ = 0;
        }
        kept_.push_back(entry);
    }
    const Beyond* find(std::int64_t number, Time forgotten) const {
        for (std::size_t place = kept_.size(); place > head_; --place) {
            const Beyond& entry = kept_[place - 1];
            if (entry.number == number) return entry.expiry >= forgotten ? &entry : nullptr;
            if (entry.number < number) return nullptr;
        }
        return nullptr;
    }

  private:
    std::vector<Beyond> kept_;
    std::size_t head_ = 0;
};

struct alignas(64) Qubit {
    std::int32_t circuit = NONE, slot = NONE, lane = NONE, point = NONE;
    std::int32_t partner = NONE;       // position along the path
    std::int32_t neighbour = NONE;     // position of the other end of its link
    std::int32_t far_decay = NONE;     // index of a Decay
    std::int32_t own_decay = NONE, neighbour_decay = NONE;
    std::int32_t early = NONE;         // first of a list of letters
    std::int32_t spent = NONE, ask = NONE;  // of the purification that runs: the sacrificed qubit, and the letter that asked
    Life life = Life::IDLE;
    Side side = LEFT;
    std::int8_t frame = 0;
    bool broken = false;
    Distillation kind = DEJMPS;  // of the purification that runs, with its rotation
    Rotation rotation = 0;
    std::int32_t rounds = 0;
    Name mine = NOBODY, far = NOBODY;
    Correlators fresh{}, quality{};
    Time born = 0, far_born = 0, birth = 0, far_birth = 0;
    Memoir beyond;
};

struct PurifyRule {
    std::int32_t partner = NONE, rounds = 0;
    Distillation kind = DEJMPS;
    bool initiator = false, pumped = false;
    Operations noise;  // believed, of the partner
    std::vector<Rotation> rotations;

    Rotation before(std::int32_t round) const {
        return std::size_t(round) < rotations.size() ? rotations[std::size_t(round)] : OWN[kind];
    }
};

struct Unborn {  // news of a half whose herald has not come yet
    Name name;
    std::int32_t letter;
};

enum class Seat : std::uint8_t { ABSENT, PREPARED, ACTIVE, GENERATING };

// Which of several halves is swapped: quantum_fabric.messages.Choice.
enum class Choice : std::uint8_t { OLDEST = 0, YOUNGEST = 1, BEST = 2 };

// A half that may be swapped, as a policy sees it; its slot counts within the node.
struct Candidate {
    std::int64_t slot, age;
    double fidelity;
    std::int64_t rounds;
};

// Places of what is swapped in the two lists, as left << 32 | right; negative: wait.
using Policy = std::int64_t (*)(std::int64_t node, const Candidate* lefts, std::int64_t left, const Candidate* rights,
                                std::int64_t right);

struct alignas(64) Circuit {
    std::int32_t installation = NONE, position = 0, node = NONE;
    std::int32_t first = 0, last = 0;  // qubits
    Seat seat = Seat::ABSENT;
    bool swaps = false, delivers = false, holds = false, over = false;
    bool narrow = false;                            // at most one qubit towards each side:
    std::array<std::int32_t, 2> only{NONE, NONE};   // these
    Choice choice = Choice::OLDEST;
    std::array<std::int32_t, 2> lefts{}, rights{};  // ranges of positions
    std::int32_t partner = NONE;                    // that pairs are delivered with
    Time cutoff = -1, retention = 0, lease = -1;
    Time forgotten = NEVER;
    std::vector<PurifyRule> purify;
    std::vector<Unborn> unborn;
    std::vector<std::pair<Time, Name>> expecting;
    std::vector<std::int32_t> asks;  // letters that came early
    Operations noise;                // believed
};

struct Installation {
    std::int32_t first = 0, nodes = 0;  // circuits
    std::int32_t session = NONE;
    std::vector<Time> delays;  // by position; empty where `along` says it
    std::vector<Time> along;   // time of light from the first node, where delays add up
    std::vector<Time> out, home;  // from and to the controller

    Time delay(std::int32_t from, std::int32_t to) const {
        if (!along.empty()) return along[std::size_t(from)] < along[std::size_t(to)] ? along[std::size_t(to)] - along[std::size_t(from)]
                                                                                     : along[std::size_t(from)] - along[std::size_t(to)];
        return delays[std::size_t(from) * std::size_t(nodes) + std::size_t(to)];
    }
};

// ---------------------------------------------------------------------------------------------- letters

enum class Mail : std::uint8_t {
    JOINED, LOST, ASK, ANSWER, TELL,                                   // between nodes, and to the later end of a link
    PREPARE, COMMIT, RENEW, DRAIN, RELEASE,                            // from the controller
    PREPARED, DECLINED, CONFIRMED, RELEASED                            // to it
};

struct Letter {
    Mail kind = Mail::JOINED;
    std::uint8_t frame = 0, bit = 0;
    bool success = false;
    std::int32_t circuit = NONE;  // receiver's, or the sender's in letters to the controller
    std::int32_t partner = NONE, rounds = 0, far_decay = NONE, next = NONE, slot = NONE;
    Name mine = NOBODY, was = NOBODY, far = NOBODY;
    Correlators quality{}, spent{};
    Time born = 0, at = 0, birth = 0, far_birth = 0;
    std::int32_t own_decay = NONE;
};

// --------------------------------------------------------------------------------------------- sessions

enum class Status : std::uint8_t { OPEN = 0, COMPLETED = 1, EXPIRED = 2, FAILED = 3, REFUSED = 4, CANCELLED = 5 };

struct Halfway {  // what is known of a pair that one end has confirmed, or of which the truth is out
    Name left, right;
    bool confirmed, known;
    std::int32_t circuit;
    Letter first;
    std::array<double, 4> weights;
};

struct Session {
    Time at = 0, deadline = -1;
    std::int64_t pairs = 1;
    double floor = 0;
    std::int32_t installation = NONE;
    enum class Phase : std::uint8_t { COMING, PREPARING, RUNNING, ENDED } phase = Phase::COMING;
    Status status = Status::OPEN;
    std::int32_t waiting = 0;
    std::int64_t delivered = 0, withheld = 0;
    Time ended = -1;
    std::vector<Halfway> halves;
};

struct Delivery {
    std::int32_t session;
    std::uint8_t bell;
    bool known;
    std::int64_t number;  // within the session, from 1; 0 for one that was withheld
    Name left, right;
    Correlators quality;
    std::array<double, 4> weights;
    Time created, delivered, told;
};

// What the seat's own deliveries (quantum_fabric.control.delivery) do with a plain request, while nobody looks at single letters.
struct Tally {
    bool open = false, changed = false;
    std::int32_t label = NONE;  // that its pairs carry
    double floor = 0;
    std::int64_t pairs = 0, given = 0;
    Time patience = 0;
    std::vector<Letter> halves;  // what one end has confirmed and the other has not
};

struct Matched {  // a pair that both ends have confirmed, as it is told to the client
    std::int32_t label, frame;
    std::int64_t number;  // within the request, from 1; 0 for one that was withheld
    Name left, right;
    Correlators quality;
    Time born, at;
    std::int32_t own_decay, far_decay;
    Time birth, far_birth;
};

struct Counts {
    std::uint64_t events = 0, heralds = 0, swaps = 0, failed_swaps = 0, purifications = 0, letters = 0, cutoffs = 0, stale = 0,
                  deliveries = 0, withheld = 0;
};

}  // namespace quantum_fabric::engine
