// A network of nodes that act on rules: plant and standard node agents, as quantum_fabric.twin and quantum_fabric.control.
//
// The Python twin is the specification. For the same documents, rules and seed this engine makes the same draws for the same
// purposes, and the same events at the same picosecond in the same order. What a file here does is said in the Python module
// of the same purpose: plant.hpp in twin.plant, lanes.hpp in twin.lanes, circuits.hpp and rules.hpp in control.circuit, distiller.hpp in
// control.distil, sessions.hpp in the parts of control.controller that act once a plan is installed.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "bell_diagonal.hpp"
#include "bloch.hpp"
#include "pool.hpp"
#include "records.hpp"

namespace quantum_fabric::engine {

// What somebody outside may want to see, and answer.
enum class Watched : std::uint8_t { HERALDED, SWAPPED, PURIFIED, CUT, JOINED, LOST, ASKED, ANSWERED, CONFIRMED, DELIVERED, TRUTH, STALE, READ_OUT };

struct Sight {
    Watched what;
    std::int32_t node, slot, other;  // `other`: second slot, session, or basis
    Name mine, far;
    int label;  // announced Bell label or bit; -1 for none
    Time at, born = 0, far_born = 0;
    const double* weights = nullptr;  // of a truth
};

class Listener {
  public:
    virtual ~Listener() = default;
    virtual void see(const Sight& sight) = 0;
    // A letter that arrives at the controller's seat.
    virtual void mail(const Letter& letter) = 0;
    // A call that was asked for comes due.
    virtual void call(std::uint64_t number) = 0;
    // A pair that was counted here reaches its client, who wants to hear of it or only to be asked whether to go on.
    virtual void told(const Matched&, bool) {}
    // Both confirmations of the last pair that a tally waits for.
    virtual void last(std::int32_t, const Letter&, const Letter&) {}
    // What a policy in Python chooses, see `Policy`.
    virtual std::int64_t choose(std::int64_t node, const Candidate* lefts, std::int64_t left, const Candidate* rights,
                                std::int64_t right) = 0;
};

template <class State>
class Engine {
  public:
    // ------------------------------------------------------------------------------- what a scenario says
    std::vector<Node> nodes;
    std::vector<Slot> slots;
    std::vector<Link> links;
    std::vector<Point> points;
    std::vector<std::int32_t> keys;  // operating point asked for -> the one that holds now
    std::vector<std::int32_t> first_keys;  // at time 0
    std::vector<double> cumulative;
    std::vector<std::uint8_t> labels;
    std::vector<double> fresh;
    std::vector<Decay> decays;
    std::vector<Lane> lanes;
    std::vector<Qubit> qubits;
    std::vector<Circuit> circuits;
    std::vector<Installation> installations;
    std::vector<Session> sessions;

    // ------------------------------------------------------------------------------------- what a run is
    Queue queue;
    Time now = 0;
    Counts counts;
    double twirl_error = 0;
    std::vector<Delivery> deliveries;  // as they are told
    bool beliefs = true;               // whether what nodes believe is worked out
    std::uint32_t watched = 0;         // bits of Watched
    Policy policy = nullptr;           // chooses what is swapped instead of the rules
    bool asks = false;                 // so does the listener
    bool aloud = false, pauses = false;  // whether the listener is told of each pair that is counted, or only asked whether to go on
    Listener* listener = nullptr;
    std::int64_t open_sessions = 0;
    bool stop = false;
    // Whether news is worked out instead of being carried. For runs without faults that nobody watches, where `why_letters` is empty.
    bool worked_out = false;

    std::string why_letters() const;
    // Everything as at time 0, with the draws of this replica.
    void begin(const std::string& seed, std::int64_t replica);
    // Every event up to and including a time, unless `stop` is set, so many events have run, or no session is open.
    void run(Time until, std::uint64_t most_events = ~0ULL, bool while_open = false);
    // What has not begun yet is drawn anew, from the streams of another replica.
    void redraw(const std::string& seed, std::int64_t replica);
    Time next() const { return queue.empty() ? -1 : queue.top().at; }

    // ------------------------------------------------------------------------------------------ commands
    void call_at(Time at, std::uint32_t order, std::uint64_t number) { queue.push(at, order, CALL, number); }
    void post(Mail kind, std::int32_t installation, std::int32_t position, Time at, Time until);
    void set_link(std::int32_t link, bool up);
    void pause_link(std::int32_t link);
    void resume_link(std::int32_t link);
    void renew_link(std::int32_t link);
    void fail_node(std::int32_t node);
    void recover_node(std::int32_t node) { nodes[std::size_t(node)].alive = true; }
    void consume(std::int32_t slot, int bell);
    std::string why_not_held(std::int32_t slot, Name name) const;
    void hand_over(std::int32_t slot, int bell);
    void read_out(std::int32_t slot, int basis);
    void dismiss(std::int32_t installation, std::int32_t position, Name name, Time at);

    std::int32_t lane_at(std::int32_t link, std::int32_t number);
    // Match and judge what the ends of this installation confirm, from now on or with other terms.
    void tally(std::int32_t installation, std::int32_t label, double floor, std::int64_t pairs, std::int64_t given, Time patience);
    // No more of that; returns what was not matched yet.
    std::vector<Letter> untally(std::int32_t installation);
    // Pairs that were told since this was asked last, and tallies that have counted since.
    std::vector<Matched> matched();
    std::vector<std::pair<std::int32_t, std::int64_t>> counted();

    std::size_t letters_out() const { return letters.used(); }
    std::size_t pairs_alive() const { return pairs.used(); }

    int told_at(std::int32_t slot) const { return pairs[slots[std::size_t(slot)].half / 2].told; }
    const Pair<State>& pair_at(std::int32_t half) const { return pairs[half / 2]; }

  private:
    enum Kind : std::uint32_t { ATTEMPT, SWAP, PURIFY, LETTER, CUTOFF, LEASE, DEADLINE, REQUEST, CALL, OUTCOME, TOLD, READ };

    Pool<Pair<State>> pairs;
    Pool<Letter> letters;
    std::vector<Chain> chains;  // by pair
    bool unbroken = false;      // news is worked out, and never of a break
    std::uint64_t last_event = ~0ULL;  // number of the event with which this run is over
    std::uint64_t serial = 0;
    std::uint32_t operations = 0;
    std::string prefix;
    std::vector<Tally> tallies;          // by installation
    std::vector<std::int32_t> restless;  // those that have counted
    std::vector<Matched> rows;
    std::size_t told = 0;  // of the rows
    std::vector<Candidate> candidates[2];
    std::vector<std::int32_t> behind[2];  // their qubits

    // plant.hpp
    Half& half_of(std::int32_t half) { return pairs[half / 2].ends[half % 2]; }
    Stream& draws_of(Node& node);
    std::uint32_t next_operation();
    std::int64_t attempts_at(const Node& node, Time by) const;
    void arm(std::int32_t slot, std::int32_t lane, int end, std::int32_t key);
    void disarm(Lane& lane, int end);
    void halt(Lane& lane);
    void restart(std::int32_t lane);
    void succeed(std::int32_t lane);
    void hear(std::int32_t slot, Name name, int label, Time born, Time partner_born);
    bool next_is(std::uint32_t order) const {
        return !stop && counts.events < last_event &&
               (queue.empty() || queue.top().at > now || std::uint32_t(queue.top().key >> 32) > order);
    }
    void age(std::int32_t half);
    void take(std::int32_t half);
    void lose(std::int32_t half);
    void discard(std::int32_t slot);
    void settle(std::int32_t pair);
    double retrieved(const Half& half) const;
    double relaxed(const Half& half) const;
    bool both_there(std::int32_t first, std::int32_t second, std::uint32_t token);
    void begin_operation(std::int32_t first, std::int32_t second, std::uint32_t kind);
    void end_swap(std::int32_t left, std::int32_t right);
    void end_purify(std::int32_t keep, std::int32_t sacrifice);
    void end_read_out(std::int32_t slot, int basis);
    void used(std::int32_t slot);
    void show(Watched what, std::int32_t node, std::int32_t slot, std::int32_t other, Name mine, Name far, int label, Time born = 0,
              Time far_born = 0, const double* weights = nullptr);

    // circuits.hpp
    Circuit* holder(std::int32_t slot);
    Qubit* find(const Circuit& circuit, Name name);
    const Beyond* beyond(const Circuit& circuit, Name name);
    bool awaits(const Circuit& circuit, Name name) { return !find(circuit, name) && !beyond(circuit, name); }
    void remember(Circuit& circuit, Qubit& qubit, std::int32_t to, Name far);
    void arm(const Circuit& circuit, Qubit& qubit);
    void free(Circuit& circuit, Qubit& qubit, bool thrown = false);
    bool prepare(Circuit& circuit, Time lease);
    void start(Circuit& circuit);
    void leave(Circuit& circuit);
    void drain(Circuit& circuit);
    void heralded(std::int32_t slot, Name name, int label, Time born, Time partner_born);
    void swapped(Circuit& circuit, Qubit& left, Qubit& right, int outcome);
    void extend(Circuit& circuit, const Qubit& to, const Qubit& past, const Correlators& here, int outcome);
    bool joined(Circuit& circuit, std::int32_t letter);
    std::int32_t next_early(Qubit& qubit);
    void follow(Qubit& qubit, std::int32_t letter);
    bool lost(Circuit& circuit, std::int32_t letter);
    bool forward(Circuit& circuit, std::int32_t letter);
    void cut_off(Circuit& circuit, Name name);
    void react(Circuit& circuit);
    std::int32_t chosen(const Circuit& circuit, Side side, const std::array<std::int32_t, 2>& partners) const;
    bool by_policy(const Circuit& circuit, std::int32_t& left, std::int32_t& right);
    double believed(const Qubit& qubit) const;
    bool ready(const Circuit& circuit, const Qubit& qubit, Side side, const std::array<std::int32_t, 2>& partners) const;
    bool rounds_done(const Circuit& circuit, const Qubit& qubit) const;
    void deliver(Circuit& circuit);
    Correlators own_ageing(const Qubit& qubit) const;
    Correlators far_ageing(const Qubit& qubit) const;
    std::int32_t write(Mail kind) {
        // a letter of each kind fills in what its reader reads; the rest is as an earlier letter left it
        const std::int32_t index = letters.take();
        Letter& letter = letters[index];
        letter.kind = kind;
        letter.next = NONE;
        return index;
    }
    void send(const Circuit& from, std::int32_t to, std::int32_t letter);
    void say_lost(const Circuit& from, const Qubit& qubit);
    void say_home(const Circuit& from, std::int32_t letter);
    bool read(std::int32_t letter);
    void obey(Circuit& circuit, const Letter& letter);
    void report(const Circuit& circuit, Mail kind) { say_home(circuit, write(kind)); }
    void lease_over(Circuit& circuit);
    void act(const Event& event);
    void foresee() const;

    // news.hpp
    std::string why_letters(const Installation& only) const;
    bool never_breaks() const;
    void begin_chain(std::int32_t pair, int label);
    void join_chains(const Circuit& circuit, std::int32_t one, std::int32_t two, const Qubit& left, const Qubit& right, int outcome);
    void joined_up(Circuit& circuit, Qubit& left, Qubit& right, std::int32_t pair, const std::array<Half, 2>& outer, bool success);
    std::int32_t place_of(const Half& half) const;
    void break_off(const Circuit& from, const Half& other);
    void complete_chain(const Circuit& circuit, std::int32_t pair, Side side, const std::array<Half, 2>& outer);

    // distiller.hpp
    const PurifyRule* rule_for(const Circuit& circuit, std::int32_t partner) const;
    void distil(Circuit& circuit);
    void begin_round(Circuit& circuit, Qubit& keep, Qubit& sacrifice, Life life, std::int32_t ask, const PurifyRule& rule);
    void end_round(Circuit& circuit, Qubit& keep, int bit);
    void asking(Circuit& circuit, Qubit& keep, Qubit& sacrifice, int bit);
    void answering(Circuit& circuit, Qubit& keep, Qubit& sacrifice, std::int32_t ask, int bit);
    bool asked(Circuit& circuit, std::int32_t letter);
    void answered(Circuit& circuit, const Letter& letter);
    void answer(const Circuit& circuit, const Letter& ask, bool success, int frame, const Correlators& quality);

    // sessions.hpp
    bool read_home(std::int32_t letter);
    void request(Session& session, std::int32_t index);
    void confirmed(Session& session, std::int32_t index, const Letter& letter);
    void complete(Session& session, std::int32_t index, const Halfway& pair, const Letter& second);
    void truth(const Circuit& circuit, Name left, Name right, const std::array<double, 4>& weights);
    void end(Session& session, Status status);

    // tallies.hpp
    bool tallied(std::int32_t installation, const Letter& letter);
    void tell();
    void to_nodes(const Installation& installation, Mail kind, Time until = 0);
};

}  // namespace quantum_fabric::engine

#include "circuits.hpp"
#include "distiller.hpp"
#include "holding.hpp"
#include "lanes.hpp"
#include "news.hpp"
#include "plant.hpp"
#include "rules.hpp"
#include "running.hpp"
#include "sessions.hpp"
#include "tallies.hpp"
