#include "kubeclient/credentials.hpp"

#include <algorithm>
#include <mutex>

#include "kubeclient/base64.hpp"
#include "kubeclient/exec_credential.hpp"
#include "kubeclient/exec_plugin.hpp"
#include "kubeclient/plugin_policy.hpp"

namespace kubeclient {
namespace {

// A header value ends at a line break, and what follows would be a header of its own.
Result<std::string> bearer(const std::string& token, const std::string& source) {
    const bool clean = std::none_of(token.begin(), token.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == '\x7f';
    });
    if (clean) return "Bearer " + token;
    return Error{ErrorKind::config, source + " holds a control character, which no header can"};
}

std::string trimmed(const std::string& text) {
    constexpr const char* space = " \t\r\n\v\f";
    const auto first = text.find_first_not_of(space);
    if (first == std::string::npos) return "";
    return text.substr(first, text.find_last_not_of(space) - first + 1);
}

// Puts the new values in place and counts what changed.
void update(Credential& credential, const std::string& authorization,
            const std::string& certificate, const std::string& key) {
    const bool rotated =
        credential.client_certificate != certificate || credential.client_key != key;
    if (rotated) ++credential.generation;
    if (rotated || credential.authorization != authorization) ++credential.serial;
    credential.authorization = authorization;
    credential.client_certificate = certificate;
    credential.client_key = key;
}

class FixedCredentials : public CredentialSource {
public:
    explicit FixedCredentials(Credential credential) : credential_(std::move(credential)) {}
    Result<Credential> current() override { return credential_; }
    void rejected(std::uint64_t) override {}

private:
    const Credential credential_;
};

// A token that somebody else rotates. Until the file can be read once, the kubeconfig's own token
// serves, if there is one.
class FileCredentials : public CredentialSource {
public:
    FileCredentials(std::string path, Credential credential, System system)
        : path_(std::move(path)), system_(std::move(system)), credential_(std::move(credential)) {}

    Result<Credential> current() override {
        const std::lock_guard lock(mutex_);
        constexpr auto good_for = std::chrono::seconds(60 - 10);
        const auto now = system_.now();
        if (read_at_ && now - *read_at_ < good_for && now >= *read_at_) return credential_;
        auto authorization = read();
        if (authorization.ok()) {
            update(credential_, *authorization, credential_.client_certificate,
                   credential_.client_key);
            read_at_ = now;
        } else if (credential_.authorization.empty()) {
            return authorization.error();
        }
        return credential_;
    }

    void rejected(std::uint64_t serial) override {
        const std::lock_guard lock(mutex_);
        if (serial == credential_.serial) read_at_.reset();
    }

private:
    Result<std::string> read() const {
        TRY_ASSIGN(text, system_.read_file(path_).within("reading the token"));
        const auto token = trimmed(text);
        if (token.empty()) {
            return Error{ErrorKind::config, "read empty token from file \"" + path_ + "\""};
        }
        return bearer(token, "token file " + path_);
    }

    const std::string path_;
    const System system_;
    std::mutex mutex_{};
    Credential credential_;
    std::optional<std::chrono::system_clock::time_point> read_at_{};
};

class PluginCredentials : public CredentialSource {
public:
    PluginCredentials(ExecPlugin plugin, std::string user, PluginPolicy policy, System system,
                      std::optional<std::chrono::milliseconds> limit)
        : plugin_(std::move(plugin)),
          user_(std::move(user)),
          policy_(std::move(policy)),
          system_(std::move(system)),
          limit_(limit) {}

    Result<Credential> current() override {
        const std::lock_guard lock(mutex_);
        const bool expired = expires_ && system_.now() > *expires_;
        if (fresh_ && !expired) return credential_;
        // Requests sent in parallel wait here for one run, and share its failure.
        constexpr auto failure_holds = std::chrono::seconds(10);
        if (failure_ && system_.now() - failed_at_ < failure_holds) return *failure_;
        auto outcome = run().within("getting credentials");
        if (!outcome.ok()) {
            failure_ = outcome.error();
            failed_at_ = system_.now();
            return *failure_;
        }
        const auto got = std::move(outcome).value();
        std::string authorization;
        if (!got.token.empty()) {
            TRY_ASSIGN(header, bearer(got.token, "the token that exec plugin " + plugin_.command +
                                                     " returned for user \"" + user_ + "\""));
            authorization = std::move(header);
        }
        update(credential_, authorization, got.client_certificate, got.client_key);
        expires_ = got.expires;
        fresh_ = true;
        return credential_;
    }

    void rejected(std::uint64_t serial) override {
        const std::lock_guard lock(mutex_);
        if (serial == credential_.serial) fresh_ = false;
    }

private:
    Result<PluginInput> input() const {
        if (plugin_.interactive == InteractiveMode::never) return PluginInput::none;
        if (system_.stdin_is_terminal) return PluginInput::terminal;
        if (plugin_.interactive == InteractiveMode::if_available) return PluginInput::none;
        return Error{ErrorKind::config,
                     "exec plugin cannot support interactive mode: standard input is not a "
                     "terminal",
                     "run it from a terminal, or log in with " + plugin_.command + " first"};
    }

    Result<std::string> program() const {
        const auto look_up = [&](const std::string& name) {
            return find_program(name, system_.env("PATH").value_or(""));
        };
        auto found = look_up(plugin_.command);
        if (!found.ok()) {
            // A plugin that may not run anyway need not be installed.
            if (policy_.rule == PluginPolicy::Rule::deny_all) {
                TRY(check_plugin(policy_, plugin_.command, plugin_.command, look_up));
            }
            auto error = found.error();
            error.kind = ErrorKind::config;
            error.hint = plugin_.install_hint.empty()
                             ? "the kubeconfig's user \"" + user_ +
                                   "\" needs this credential plugin; install it or correct $PATH"
                             : plugin_.install_hint;
            return error;
        }
        TRY(check_plugin(policy_, plugin_.command, *found, look_up));
        return found;
    }

    Result<ExecCredential> run() const {
        TRY_ASSIGN(stdin_use, input());
        TRY_ASSIGN(path, program());
        auto environment = plugin_.environment;
        environment.emplace_back("KUBERNETES_EXEC_INFO", exec_info(plugin_, stdin_use));
        TRY_ASSIGN(output, run_plugin({.program = path,
                                       .name = plugin_.command,
                                       .arguments = plugin_.arguments,
                                       .environment = std::move(environment),
                                       .input = stdin_use,
                                       .time_limit = limit_}));
        return decode_exec_credential(output, plugin_.api_version);
    }

    const ExecPlugin plugin_;
    const std::string user_;
    const PluginPolicy policy_;
    const System system_;
    const std::optional<std::chrono::milliseconds> limit_;
    std::mutex mutex_{};  // also held while the plugin runs: it may ask a person, once
    Credential credential_{};
    std::optional<Instant> expires_{};
    bool fresh_ = false;
    std::optional<Error> failure_{};  // of the last run
    std::chrono::system_clock::time_point failed_at_{};
};

Result<std::unique_ptr<CredentialSource>> make_plugin(
    const Target& target, const System& system, std::optional<std::chrono::milliseconds> limit) {
    const auto& plugin = *target.credentials.exec;
    if (plugin.api_version != "client.authentication.k8s.io/v1" &&
        plugin.api_version != "client.authentication.k8s.io/v1beta1") {
        return Error{ErrorKind::config,
                     "exec plugin: invalid apiVersion \"" + plugin.api_version + "\"",
                     "user \"" + target.user +
                         "\" needs client.authentication.k8s.io/v1; a newer release of the plugin "
                         "offers it"};
    }
    TRY_ASSIGN(policy, load_plugin_policy(system));
    return std::unique_ptr<CredentialSource>(
        std::make_unique<PluginCredentials>(plugin, target.user, std::move(policy), system, limit));
}

}  // namespace

Result<std::unique_ptr<CredentialSource>> make_credentials(
    const Target& target, const System& system,
    std::optional<std::chrono::milliseconds> plugin_limit) {
    const auto& given = target.credentials;
    const bool has_basic = !given.username.empty() || !given.password.empty();
    const bool has_token = !given.token.empty() || !given.token_file.empty();
    if (given.exec && !has_token && !has_basic && given.client_certificate.empty()) {
        return make_plugin(target, system, plugin_limit);
    }
    Credential credential;
    credential.client_certificate = given.client_certificate;
    credential.client_key = given.client_key;
    if (!given.token.empty()) {
        TRY_ASSIGN(header, bearer(given.token, "the token of user \"" + target.user + "\""));
        credential.authorization = std::move(header);
    } else if (has_basic && given.token_file.empty()) {
        credential.authorization = "Basic " + encode_base64(given.username + ":" + given.password);
    }
    std::unique_ptr<CredentialSource> source;
    if (given.token_file.empty()) {
        source = std::make_unique<FixedCredentials>(std::move(credential));
    } else {
        source = std::make_unique<FileCredentials>(given.token_file, std::move(credential), system);
    }
    return source;
}

}  // namespace kubeclient
