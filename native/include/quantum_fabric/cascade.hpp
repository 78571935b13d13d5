// Cascade on many frames at once: the same machine at both ends, which exchange one message of parity bits in each round.
//
// The rules are those of quantum_fabric/keys/postprocessing/cascade_reference.py, step by step, so that the messages are equal
// bit for bit; why they are as they are is said there.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <vector>

#include "quantum_fabric/bits.hpp"

namespace quantum_fabric {

struct CascadePlan {
    std::size_t length;                          // bits of a frame
    std::vector<std::size_t> blocks;             // blocks in each pass
    std::vector<std::size_t> waves;              // in how many groups the odd blocks of a pass are released
    std::size_t checks;                          // random subsets that must be even at the end
    std::size_t batches;                         // give a frame up after so many batches of checks
    Word seed;                                   // of the subsets
    std::vector<std::vector<std::uint32_t>> order;   // pass, place -> bit
    std::vector<std::vector<std::uint32_t>> place;   // pass, bit -> place

    const std::vector<Word>& masks(std::size_t batch) const {
        auto found = masks_.find(batch);
        if (found != masks_.end()) return found->second;
        const std::size_t words = words_for(length);
        std::vector<Word> all(checks * words);
        for (std::size_t t = 0; t < checks; ++t) {
            const Word key = mix(seed + batch * checks + t);
            for (std::size_t w = 0; w < words; ++w) all[t * words + w] = mix(key + w);
            if (length & 63) all[(t + 1) * words - 1] &= ~Word{0} >> (64 - (length & 63));
        }
        return masks_.emplace(batch, std::move(all)).first->second;
    }

  private:
    mutable std::map<std::size_t, std::vector<Word>> masks_;
};

class CascadeFrame {
  public:
    CascadeFrame(const CascadePlan& plan, const Word* bits, bool corrects)
        : plan_(plan), corrects_(corrects), own_(bits, bits + words_for(plan.length)) {}

    bool done() const { return mode_ == Mode::done || mode_ == Mode::failed; }
    bool failed() const { return mode_ == Mode::failed; }
    const std::vector<Word>& bits() const { return own_; }
    std::size_t corrections() const { return corrections_; }

    // Parities of this end that the round asks for.
    template <class Put>
    void speak(Put put) {
        if (done()) return;
        if (mode_ != Mode::hunt) decide();  // a hunt goes on from round to round
        if (mode_ == Mode::open) {
            const std::size_t asked = opened_ ? blocks() - 1 : blocks();
            open();
            const Pass& pass = passes_.back();
            for (std::size_t j = 0; j < asked; ++j) put(parity(pass.bits.data(), edge(j), edge(j + 1)));
        } else if (mode_ == Mode::search) {
            for (Pass& pass : passes_) {
                pass.cuts.clear();
                for (std::uint32_t start : pass.odd) {
                    const std::size_t end = pass.marks.after(start), middle = start + (end - start) / 2;
                    pass.cuts.push_back({static_cast<std::uint32_t>(middle), static_cast<std::uint32_t>(end)});
                    put(parity(pass.bits.data(), start, middle));
                }
            }
        } else if (mode_ == Mode::check) {
            const auto& masks = plan_.masks(batch_);
            const std::size_t words = words_for(plan_.length);
            for (std::size_t t = 0; t < plan_.checks; ++t) put(parity(own_.data(), &masks[t * words], 0, plan_.length));
        } else if (mode_ == Mode::hunt) {
            put(parity(own_.data(), mask(hunted_), low_, low_ + (high_ - low_) / 2));
        }
    }

    // Differences between the ends, in the order of `speak`.
    template <class Take>
    void hear(Take take) {
        if (mode_ == Mode::open) {
            Pass& pass = passes_.back();
            const std::size_t asked = opened_ ? blocks() - 1 : blocks();
            bool rest = false;
            for (std::size_t j = 0; j < blocks(); ++j) {
                const bool odd = j < asked ? take() : rest;  // all passes agree about the parity of everything
                rest ^= odd;
                if (odd) mark_odd(pass, edge(j), pass.waiting);
            }
            const std::size_t waves = plan_.waves[opened_];
            group_ = std::max<std::size_t>(1, (pass.waiting.size() + waves - 1) / waves);
            released_ = 0;
            ++opened_;
        } else if (mode_ == Mode::search) {
            found_.clear();
            for (std::size_t p = 0; p < passes_.size(); ++p) halve(p, take);
            for (const auto& [p, start] : found_) {  // another pass may have found the same bit in this round
                if (get(passes_[p].parity.data(), start)) correct(plan_.order[p][start]);
            }
        } else if (mode_ == Mode::check) {
            differ_ = 0;
            for (std::size_t t = 0; t < plan_.checks; ++t) differ_ |= static_cast<Word>(take()) << t;
            live_ = true;
            if (!differ_) mode_ = Mode::done;
        } else if (mode_ == Mode::hunt) {
            const std::size_t middle = low_ + (high_ - low_) / 2;
            (take() ? high_ : low_) = middle;
            narrow();
        }
    }

  private:
    enum class Mode { idle, open, search, check, hunt, done, failed };

    struct Pass {
        std::vector<Word> bits, parity, listed;
        Marks marks;
        std::vector<std::uint32_t> odd, waiting;
        std::vector<std::pair<std::uint32_t, std::uint32_t>> cuts;  // middle and end of what `odd` is cut into
    };

    std::size_t blocks() const { return plan_.blocks[opened_]; }
    std::size_t edge(std::size_t j) const { return j * plan_.length / plan_.blocks[opened_]; }
    const Word* mask(std::size_t t) const { return &plan_.masks(batch_)[t * words_for(plan_.length)]; }

    void open() {
        const std::size_t n = plan_.length, words = words_for(n);
        Pass pass{std::vector<Word>(words), std::vector<Word>(words), std::vector<Word>(words), Marks(n), {}, {}, {}};
        const std::uint32_t* order = plan_.order[opened_].data();
        for (std::size_t w = 0; w < words; ++w) {
            Word word = 0;
            const std::size_t top = std::min<std::size_t>(64, n - 64 * w);
            for (std::size_t j = 0; j < top; ++j) {
                const std::uint32_t from = order[64 * w + j];
                word |= ((own_[from >> 6] >> (from & 63)) & 1) << j;
            }
            pass.bits[w] = word;
        }
        for (std::size_t j = 0; j < blocks(); ++j) pass.marks.add(edge(j));
        passes_.push_back(std::move(pass));
    }

    void mark_odd(Pass& pass, std::size_t start, std::vector<std::uint32_t>& list) {
        set(pass.parity.data(), start);
        set(pass.listed.data(), start);
        list.push_back(static_cast<std::uint32_t>(start));
    }

    static void forget_even(Pass& pass, std::vector<std::uint32_t>& list) {
        std::size_t kept = 0;
        for (std::uint32_t start : list) {
            if (get(pass.parity.data(), start)) {
                list[kept++] = start;
            } else {
                clear(pass.listed.data(), start);
            }
        }
        list.resize(kept);
    }

    void decide() {
        for (;;) {
            bool searching = false;
            for (Pass& pass : passes_) {
                forget_even(pass, pass.odd);
                searching |= !pass.odd.empty();
            }
            if (searching) {
                mode_ = Mode::search;
                return;
            }
            if (opened_ && released_ < passes_.back().waiting.size()) {
                release();
                continue;
            }
            if (opened_ < plan_.blocks.size()) {
                mode_ = Mode::open;
                return;
            }
            if (live_ && differ_) {
                hunted_ = static_cast<std::size_t>(__builtin_ctzll(differ_));
                low_ = 0;
                high_ = plan_.length;
                mode_ = Mode::hunt;
                if (narrow()) continue;
                return;
            }
            if (live_) ++batch_;
            live_ = false;
            mode_ = batch_ < plan_.batches ? Mode::check : Mode::failed;
            return;
        }
    }

    void release() {
        Pass& pass = passes_.back();
        std::vector<std::uint32_t> group;
        while (released_ < pass.waiting.size() && group.size() < group_) {
            const std::uint32_t start = pass.waiting[released_++];
            if (get(pass.parity.data(), start)) {
                group.push_back(start);
            } else {
                clear(pass.listed.data(), start);
            }
        }
        pass.odd.insert(pass.odd.end(), group.begin(), group.end());
    }

    template <class Take>
    void halve(std::size_t p, Take take) {
        Pass& pass = passes_[p];
        for (std::size_t j = 0; j < pass.odd.size(); ++j) {
            const std::uint32_t start = pass.odd[j];
            const auto [middle, end] = pass.cuts[j];
            pass.marks.add(middle);
            std::uint32_t from = start, to = middle;
            if (!take()) {
                clear(pass.parity.data(), start);
                clear(pass.listed.data(), start);
                set(pass.parity.data(), middle);
                set(pass.listed.data(), middle);
                pass.odd[j] = from = middle;
                to = end;
            }
            if (to - from == 1) found_.push_back({p, from});
        }
    }

    // Halves without a member of the subset need no question. True when the search is over.
    bool narrow() {
        const Word* members = mask(hunted_);
        while (high_ - low_ > 1) {
            const std::size_t middle = low_ + (high_ - low_) / 2;
            const bool left = any(members, low_, middle), right = any(members, middle, high_);
            if (left && right) return false;
            (left ? high_ : low_) = middle;
        }
        correct(static_cast<std::uint32_t>(low_));
        mode_ = Mode::idle;
        return true;
    }

    void correct(std::uint32_t bit) {
        ++corrections_;
        if (corrects_) flip(own_.data(), bit);
        for (std::size_t p = 0; p < passes_.size(); ++p) {
            Pass& pass = passes_[p];
            const std::size_t place = plan_.place[p][bit], start = pass.marks.before(place);
            if (corrects_) flip(pass.bits.data(), place);
            flip(pass.parity.data(), start);
            if (get(pass.parity.data(), start) && !get(pass.listed.data(), start)) {
                set(pass.listed.data(), start);
                pass.odd.push_back(static_cast<std::uint32_t>(start));
            }
        }
        if (live_) {
            for (std::size_t t = 0; t < plan_.checks; ++t) {
                if (get(mask(t), bit)) differ_ ^= Word{1} << t;
            }
        }
    }

    const CascadePlan& plan_;
    bool corrects_;
    std::vector<Word> own_;
    std::vector<Pass> passes_;
    Mode mode_ = Mode::idle;
    std::size_t opened_ = 0, group_ = 1, released_ = 0, batch_ = 0, hunted_ = 0, low_ = 0, high_ = 0;
    std::size_t corrections_ = 0;
    Word differ_ = 0;
    bool live_ = false;
    std::vector<std::pair<std::size_t, std::uint32_t>> found_;
};

class Cascade {
  public:
    Cascade(CascadePlan plan, const Word* bits, std::size_t frames, bool corrects) : plan_(std::move(plan)) {
        const std::size_t words = words_for(plan_.length);
        frames_.reserve(frames);
        for (std::size_t f = 0; f < frames; ++f) frames_.emplace_back(plan_, bits + f * words, corrects);
    }
    Cascade(const Cascade&) = delete;
    Cascade& operator=(const Cascade&) = delete;

    bool done() const {
        return std::all_of(frames_.begin(), frames_.end(), [](const CascadeFrame& f) { return f.done(); });
    }
    const std::vector<CascadeFrame>& frames() const { return frames_; }
    std::size_t spoken() const { return spoken_; }

    // The message of this round: parity bits, packed; `spoken` says how many.
    const std::vector<std::uint8_t>& speak() {
        said_.clear();
        spoken_ = 0;
        auto put = [this](bool bit) {
            if ((spoken_ & 7) == 0) said_.push_back(0);
            said_.back() = static_cast<std::uint8_t>(said_.back() | (bit << (spoken_ & 7)));
            ++spoken_;
        };
        for (auto& frame : frames_) frame.speak(put);
        return said_;
    }

    void hear(const std::uint8_t* other, std::size_t size) {
        if (size != said_.size()) throw std::invalid_argument("message of another length than ours");
        std::size_t at = 0;
        auto take = [&]() {
            const bool differs = ((said_[at >> 3] ^ other[at >> 3]) >> (at & 7)) & 1;
            ++at;
            return differs;
        };
        for (auto& frame : frames_) {
            if (!frame.done()) frame.hear(take);
        }
    }

  private:
    CascadePlan plan_;
    std::vector<CascadeFrame> frames_;
    std::vector<std::uint8_t> said_;
    std::size_t spoken_ = 0;
};

}  // namespace quantum_fabric
