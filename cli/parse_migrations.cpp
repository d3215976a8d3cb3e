#include "cli/parse_migrations.hpp"

#include <utility>

#include "cli/words.hpp"

namespace cli {

namespace {

using commands::CancelOptions;
using commands::DryRunMode;
using commands::Invocation;
using commands::MigrateOptions;
using kubeclient::Done;
using kubeclient::Result;
using kubeclient::Status;

// What both verbs take, and read alike.
template <class Options>
Status read_work(const Reading& reading, Options& options, std::string_view deed) {
    TRY_ASSIGN(connection, read_connection(reading));
    options.connection = std::move(connection);
    TRY(read_selection(reading, options));
    TRY_ASSIGN(dry_run, dry_run_mode(reading.bound.dry_run));
    options.dry_run = dry_run;
    options.wait = reading.bound.wait;
    if (reading.tokens.value_of("timeout").has_value()) {
        TRY_ASSIGN(limit, timeout(reading.bound.timeout));
        options.timeout = limit;
    }
    TRY_ASSIGN(output, read_output(reading));
    options.output = output;
    TRY(check_selection(reading, selection_of(options), deed));
    // Who empties a node means every VM on it.
    if (!options.node.empty() && !options.connection.ns.has_value()) options.all_namespaces = true;
    return Done{};
}

// A number of migrations, up to far more than one cluster has; `hint` says what to write instead of
// one that is too small.
Result<int> count(std::string_view word, std::string_view flag, int least, std::string_view hint) {
    constexpr int most = 100'000;
    auto number = whole_number(word, flag, least, most);
    if (number.ok()) return number;
    return usage(number.error().message, std::string(hint));
}

Status read_batch(const Reading& reading, MigrateOptions& options) {
    if (reading.tokens.value_of("max-parallel").has_value()) {
        TRY_ASSIGN(number,
                   count(reading.bound.max_parallel, "--max-parallel", 1,
                         "leave out --max-parallel to let the cluster's own limits decide"));
        options.max_parallel = number;
    }
    TRY_ASSIGN(number, count(reading.bound.max_failures, "--max-failures", 0,
                             "--max-failures=0 starts no more after the first failure"));
    options.max_failures = number;
    return Done{};
}

// The label that carries a node's own name. Source: k8s.io/api core/v1
// well_known_labels.go LabelHostname.
constexpr std::string_view hostname_label = "kubernetes.io/hostname";

Status read_destination(const Reading& reading, MigrateOptions& options) {
    if (reading.tokens.value_of("to").has_value()) {
        TRY_ASSIGN(node, node_name(reading.bound.to));
        options.to = std::move(node);
    }
    for (const auto& word : reading.bound.node_selector) {
        TRY(add_labels(word, options.node_selector));
    }
    if (!options.to.empty() && options.node_selector.contains(std::string(hostname_label))) {
        return usage(
            "--to and --node-selector " + std::string(hostname_label) + " both name a node",
            "leave out one of them");
    }
    return Done{};
}

// With --wait=false nobody is there to do what these flags ask for. A limit of 0 asks for nothing.
template <class Options>
Status refuse_limits_without_wait(const Reading& reading, const Options& options) {
    if (options.wait) return Done{};
    for (const std::string_view flag :
         {"timeout", "max-parallel", "cancel-on-timeout", "cancel-on-interrupt", "join"}) {
        const auto value = reading.tokens.value_of(flag);
        const bool asks = flag == "timeout" ? options.timeout.count() > 0 : value != "false";
        if (!value.has_value() || !asks) continue;
        const std::string name = "--" + std::string(flag);
        return usage(name + " has no meaning with --wait=false: nothing is followed",
                     "leave out " + name + " or --wait=false");
    }
    return Done{};
}

Status check_together(const Reading& reading, const MigrateOptions& options) {
    TRY(refuse_limits_without_wait(reading, options));
    if (options.cancel_on_timeout && options.timeout.count() == 0) {
        return usage("--cancel-on-timeout needs a --timeout",
                     "say how long it may take, as in --timeout=10m, or leave out "
                     "--cancel-on-timeout");
    }
    if (options.join && options.dry_run != DryRunMode::none) {
        return usage("--join has no meaning with --dry-run: a dry run follows nothing",
                     "leave out --join or --dry-run");
    }
    return Done{};
}

}  // namespace

Result<Invocation> to_migrate(const Reading& reading) {
    MigrateOptions options = reading.bound.migrate;
    TRY(read_work(reading, options, "migrate"));
    TRY_ASSIGN(ignore, read_waivers(reading));
    options.ignore = std::move(ignore);
    TRY(read_destination(reading, options));
    TRY(read_batch(reading, options));
    TRY(check_together(reading, options));
    return Invocation{std::move(options)};
}

Result<Invocation> to_cancel(const Reading& reading) {
    CancelOptions options;
    TRY(read_work(reading, options, "cancel the migration of"));
    TRY(refuse_limits_without_wait(reading, options));
    return Invocation{std::move(options)};
}

}  // namespace cli
