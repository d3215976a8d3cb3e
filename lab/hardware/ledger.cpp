#include "lab/hardware/ledger.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace lab {

namespace {

// nullopt: they did not write at the same time. An open end is later than any other.
std::optional<TwoWriters> overlap(const Writing& one, const Writing& other) {
    if (one.process == other.process) return std::nullopt;
    const Instant from = std::max(one.from, other.from);
    const Instant until = std::min(one.until.value_or(Instant::max()),  //
                                   other.until.value_or(Instant::max()));
    if (from >= until) return std::nullopt;
    const bool open = until == Instant::max();
    return TwoWriters{one, other, from, open ? std::nullopt : std::optional(until)};
}

}  // namespace

void Ledger::write_begins(Writing writing) {
    open_.emplace(writing.process, writings_.size());
    writings_.push_back(std::move(writing));
}

void Ledger::write_ends(const std::string& process, Instant at) {
    const auto [first, last] = open_.equal_range(process);
    for (auto place = first; place != last; ++place) writings_[place->second].until = at;
    open_.erase(first, last);
}

std::vector<TwoWriters> Ledger::two_writers() const {
    std::map<std::string_view, std::vector<const Writing*>> earlier;
    std::vector<TwoWriters> found;
    for (const Writing& writing : writings_) {
        auto& same_disk = earlier[writing.disk];
        for (const Writing* other : same_disk) {
            if (auto both = overlap(*other, writing)) found.push_back(std::move(*both));
        }
        same_disk.push_back(&writing);
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const TwoWriters& a, const TwoWriters& b) { return a.from < b.from; });
    return found;
}

std::optional<Instant> Ledger::lost(const std::string& vmi) const {
    const auto fact = std::find_if(facts_.rbegin(), facts_.rend(), [&](const GuestFact& each) {
        return each.event == GuestEvent::lost && each.vmi == vmi;
    });
    return fact == facts_.rend() ? std::nullopt : std::optional(fact->at);
}

std::vector<Pause> Ledger::pauses(const std::string& vmi) const {
    std::vector<Pause> pauses;
    for (const GuestFact& fact : facts_) {
        if (fact.vmi != vmi) continue;
        const bool open = !pauses.empty() && !pauses.back().until;
        if (fact.event == GuestEvent::paused && !open) {
            pauses.push_back({fact.at, std::nullopt});
        } else if (fact.event != GuestEvent::paused && open) {
            pauses.back().until = fact.at;
        }
    }
    return pauses;
}

}  // namespace lab
