// A follower of a lab in this process: the lab's clock is the only one, and what happens is seen
// in the order in which it happened.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kubeclient/transport.hpp"
#include "lab/api/extension.hpp"
#include "recovery/follower.hpp"
#include "tests/unit/support/lab_cluster.hpp"

namespace support {

// Where the follower of a real cluster takes in all that has come, this one takes one change, one
// line of a log or one count per wait(), so that whoever follows sees every state there was. The
// first wait brings the lists. Reads with the rights of the cluster's user; a right that is taken
// away counts at once. Progress comes from logs alone.
class LabFollower final : public recovery::Follower {
public:
    // `cluster` outlives it. An empty namespace: every one.
    explicit LabFollower(LabCluster& cluster, std::string ns = {});
    ~LabFollower() override;
    LabFollower(const LabFollower&) = delete;
    LabFollower& operator=(const LabFollower&) = delete;

    const recovery::Sight& sight() const override { return sight_; }
    // `patience` is of the lab's time.
    bool wait(std::chrono::milliseconds patience) override;
    void read_progress(const std::set<recovery::Copying>& of) override;
    void count_queue(bool wanted) override { counting_ = wanted; }
    void watch_attachments() override;

    recovery::Instant now() { return cluster_.now(); }

private:
    struct Kind;
    struct Log;

    std::string refusal(const std::string& path);
    bool look_at_rights();
    void list(Kind& kind);
    bool take_next_change();
    bool take_in(const lab::Change& change);
    Kind* kind_of(const lab::ResourceId& resource);
    void open(const recovery::Copying& copying, Log& log);
    bool note_gap(const recovery::Copying& copying, const Log& log);
    bool read_logs();
    bool count();
    bool look_around();

    LabCluster& cluster_;
    std::string ns_;
    std::unique_ptr<kubeclient::Transport> transport_;
    recovery::Sight sight_{};
    std::vector<std::unique_ptr<Kind>> kinds_{};
    std::uint64_t position_;  // in the store's history
    std::map<recovery::Copying, Log> logs_;
    lab::Instant next_look_{};  // at logs and queue, which nobody tells of
    bool counting_ = false;
    std::pair<int, std::size_t> rights_seen_{-1, 0};  // turns of the cluster, kinds
};

}  // namespace support
