// One way to a cluster, for a command that reads, writes and follows: opened at the start, and
// opened anew where an interrupted command still has something to take back.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "commands/environment.hpp"
#include "commands/migration_talk.hpp"
#include "kubeclient/api.hpp"
#include "recovery/execute.hpp"
#include "recovery/follower.hpp"

namespace commands {

class MigrationSession {
public:
    // `environment` outlives it; its `stop` ends with the session, too, for as long as that lives.
    MigrationSession(const ConnectionOptions& options, Environment& environment);
    ~MigrationSession();
    MigrationSession(const MigrationSession&) = delete;
    MigrationSession& operator=(const MigrationSession&) = delete;

    kubeclient::Status open();
    // From here on an interruption no longer ends requests; a second one ends the program.
    kubeclient::Status open_in_spite_of_interruption();

    const kubeclient::Target& target() const { return connection_->target; }
    kubeclient::Api& api() { return *api_; }
    recovery::Executor& executor() { return *executor_; }
    bool interrupted() const { return environment_.stop.stop_requested(); }
    recovery::Instant now() const;

    // Begins to follow, and waits until what there is has been listed. Errors: it may not be.
    kubeclient::Status follow(const std::string& ns, const std::string& kubevirt_ns);
    recovery::Follower& follower() { return *follower_; }
    // Says when the server is out of reach, and when it is back.
    void speak_of_trouble(MigrationTalk& talk);

private:
    const ConnectionOptions& options_;
    Environment& environment_;
    // What is still asked when the command is over has no one to wait for it.
    const std::stop_token outer_;
    std::stop_source stop_{};
    std::optional<std::stop_callback<std::function<void()>>> forward_{};
    std::unique_ptr<Connection> connection_{};
    std::unique_ptr<kubeclient::Api> api_{};
    std::unique_ptr<recovery::Executor> executor_{};
    std::unique_ptr<recovery::Follower> follower_{};
    std::string trouble_{};
};

}  // namespace commands
