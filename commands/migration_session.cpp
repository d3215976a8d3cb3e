#include "commands/migration_session.hpp"

#include "commands/selecting.hpp"
#include "kubeclient/retry.hpp"

namespace commands {

using kubeclient::Done;
using kubeclient::Error;
using kubeclient::ErrorKind;
using kubeclient::Status;
using std::chrono::milliseconds;

MigrationSession::MigrationSession(const ConnectionOptions& options, Environment& environment)
    : options_(options), environment_(environment), outer_(environment.stop) {
    environment_.stop = stop_.get_token();
    forward_.emplace(outer_, [this] { stop_.request_stop(); });
}

MigrationSession::~MigrationSession() {
    stop_.request_stop();
    environment_.stop = outer_;
}

recovery::Instant MigrationSession::now() const {
    return std::chrono::floor<milliseconds>(environment_.system.now());
}

Status MigrationSession::open() {
    TRY_ASSIGN(connection, environment_.connect(options_));
    follower_.reset();
    executor_.reset();
    api_.reset();
    connection_ = std::make_unique<Connection>(std::move(connection));
    api_ = std::make_unique<kubeclient::Api>(*connection_->transport, warning_sink(environment_));
    auto pause = kubeclient::retry_options(milliseconds(0), environment_.stop).wait;
    if (environment_.pause) {
        pause = [this](milliseconds time) { return environment_.pause(time, environment_.stop); };
    }
    executor_ = std::make_unique<recovery::Executor>(*api_, std::move(pause));
    return Done{};
}

Status MigrationSession::open_in_spite_of_interruption() {
    forward_.reset();
    stop_ = std::stop_source();
    environment_.stop = stop_.get_token();
    return open();
}

Status MigrationSession::follow(const std::string& ns, const std::string& kubevirt_ns) {
    follower_ = environment_.follow(*api_, {ns, kubevirt_ns, [this] { return now(); }});
    constexpr std::chrono::seconds patience{60};
    const auto start = now();
    const auto& sight = follower_->sight();
    const auto read = [](const auto& seen) { return seen.complete || !seen.gap.empty(); };
    while (!read(sight.migrations) || !read(sight.vmis) || !read(sight.launchers)) {
        if (interrupted()) return Error{ErrorKind::canceled, "interrupted"};
        if (now() - start > patience) {
            return Error{ErrorKind::timeout,
                         "the migrations could not be listed: " +
                             (sight.trouble.empty() ? "no reply in a minute" : sight.trouble)};
        }
        follower_->wait(milliseconds(200));
    }
    if (sight.migrations.gap.empty()) return Done{};
    return Error{
        ErrorKind::forbidden, "migrations cannot be watched: " + sight.migrations.gap,
        "see what you may do with: kubectl auth can-i watch virtualmachineinstancemigrations"};
}

void MigrationSession::speak_of_trouble(MigrationTalk& talk) {
    const auto& trouble = follower_->sight().trouble;
    if (trouble.empty() == trouble_.empty()) return;
    talk.say(trouble.empty() ? "the server is back"
                             : "the server cannot be reached, trying again: " + trouble);
    trouble_ = trouble;
}

}  // namespace commands
