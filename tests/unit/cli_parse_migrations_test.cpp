#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "cli/definitions.hpp"
#include "preflight/check.hpp"
#include "tests/unit/cli_lines.hpp"

namespace {

using cli_lines::options;
using cli_lines::refusal;
using commands::CancelOptions;
using commands::DryRunMode;
using commands::MigrateOptions;
using commands::OutputFormat;
using std::chrono::minutes;
using std::chrono::seconds;

MigrateOptions web(void (*change)(MigrateOptions&) = [](auto&) {}) {
    MigrateOptions result{.targets = {"web"}};
    change(result);
    return result;
}

struct Mistake {
    std::string line;
    std::string message;
    std::string hint;
};

void check_mistakes(const std::string& verb, const std::vector<Mistake>& rows) {
    for (const auto& row : rows) {
        CAPTURE(row.line);
        const auto seen = refusal("virt-handoff " + verb + " " + row.line);
        CHECK(seen.verb == verb);
        CHECK(seen.error.kind == kubeclient::ErrorKind::usage);
        CHECK(seen.error.message == row.message);
        const std::string see = "see 'virt-handoff " + verb + " --help' for usage";
        CHECK(seen.error.hint == (row.hint.empty() ? see : row.hint + "\n" + see));
    }
}

const std::string name_rule =
    "names are lower-case letters, digits, '-' and '.', with a letter or digit at both ends";
const std::string label_rule =
    "write KEY=VALUE, or several with commas between; 'kubectl get nodes --show-labels' lists what "
    "there is";
const std::string timeout_rule =
    "write a number with a unit, as in 90s, 10m or 1h30m; 0 is no limit";
const std::string dry_run_rule = "write --dry-run=none, --dry-run=client or --dry-run=server";

}  // namespace

TEST_CASE("every spelling of a migrate command line gives its options") {
    const std::vector<std::pair<std::string, MigrateOptions>> rows{
        {"web", web()},
        {"vm/web vmi/db", {.targets = {"vm/web", "vmi/db"}}},
        {"cancel", {.targets = {"cancel"}}},
        {"-- web", web()},
        {"--join -- join", {.targets = {"join"}, .join = true}},
        {"-A", {.all_namespaces = true}},
        {"-l app=web -n prod", {.connection = {.ns = "prod"}, .selector = "app=web"}},
        {"--node node/n1", {.all_namespaces = true, .node = "n1"}},
        {"--node n1 -n prod", {.connection = {.ns = "prod"}, .node = "n1"}},
        {"web --to n2", web([](auto& o) { o.to = "n2"; })},
        {"web --to=nodes/n2.example.com", web([](auto& o) { o.to = "n2.example.com"; })},
        {"web db --to n2", {.targets = {"web", "db"}, .to = "n2"}},
        {"web --node-selector zone=a,example.com/disk=SSD_1 --node-selector=empty=,zone=a",
         web([](auto& o) {
             o.node_selector = {{"zone", "a"}, {"example.com/disk", "SSD_1"}, {"empty", ""}};
         })},
        {"web --to n2 --node-selector zone=a", web([](auto& o) {
             o.to = "n2";
             o.node_selector = {{"zone", "a"}};
         })},
        {"web --node-selector kubernetes.io/hostname=n2", web([](auto& o) {
             o.node_selector = {{"kubernetes.io/hostname", "n2"}};
         })},
        {"web --wait", web()},
        {"web --wait=false", web([](auto& o) { o.wait = false; })},
        {"web --wait=false --timeout=0 --cancel-on-interrupt=false --join=false",
         web([](auto& o) { o.wait = false; })},
        {"web --timeout 90s", web([](auto& o) { o.timeout = seconds(90); })},
        {"web --timeout=1h30m", web([](auto& o) { o.timeout = minutes(90); })},
        {"web --timeout=1us", web([](auto& o) { o.timeout = std::chrono::milliseconds(1); })},
        {"web --timeout=0", web()},
        {"web --timeout=0s", web()},
        {"-A --max-parallel=2 --max-failures 3 --skip-blocked",
         {.all_namespaces = true, .max_parallel = 2, .max_failures = 3, .skip_blocked = true}},
        {"web --timeout=10m --cancel-on-timeout --cancel-on-interrupt", web([](auto& o) {
             o.timeout = minutes(10);
             o.cancel_on_timeout = true;
             o.cancel_on_interrupt = true;
         })},
        {"web --join", web([](auto& o) { o.join = true; })},
        {"web --join --dry-run=none", web([](auto& o) { o.join = true; })},
        {"web -o jsonl", web([](auto& o) { o.output = OutputFormat::jsonl; })},
        {"web -oname", web([](auto& o) { o.output = OutputFormat::name; })},
    };
    for (const auto& [line, expected] : rows) {
        CAPTURE(line);
        CHECK(options<MigrateOptions>("virt-handoff migrate " + line) == expected);
    }
}

TEST_CASE("--dry-run means what it means to kubectl, alone and with every value it takes") {
    const std::vector<std::pair<std::string, DryRunMode>> rows{
        {"", DryRunMode::none},
        {"--dry-run=none", DryRunMode::none},
        {"--dry-run=client", DryRunMode::client},
        {"--dry-run=server", DryRunMode::server},
        {"--dry-run", DryRunMode::client},
        {"--dry-run=true", DryRunMode::client},
        {"--dry-run=false", DryRunMode::none},
        {"--dry-run=server --dry-run", DryRunMode::client},
    };
    for (const auto& [flag, expected] : rows) {
        CAPTURE(flag);
        CHECK(options<MigrateOptions>("virt-handoff migrate web " + flag).dry_run == expected);
        CHECK(options<CancelOptions>("virt-handoff " + flag + " cancel web").dry_run == expected);
    }
}

TEST_CASE("a word behind --dry-run is a virtual machine, as it is a name to kubectl") {
    const auto seen = options<MigrateOptions>("virt-handoff migrate --dry-run server");
    CHECK(seen.dry_run == DryRunMode::client);
    CHECK(seen.targets == std::vector<std::string>{"server"});
}

TEST_CASE("migrate waives checks as preflight does") {
    const std::string id(preflight::all_checks().front().id);
    const auto seen =
        options<MigrateOptions>("virt-handoff migrate web --ignore " + id + "=prod/web");
    CHECK(seen.ignore == std::vector<commands::Waiver>{{id, "prod/web"}});
}

TEST_CASE("cancel fills its options, and waits for five minutes unless told otherwise") {
    CHECK(options<CancelOptions>("virt-handoff cancel web") ==
          CancelOptions{.targets = {"web"}, .wait = true, .timeout = minutes(5)});
    CHECK(options<CancelOptions>("virt-handoff cancel -A --wait=false -o yaml") ==
          CancelOptions{.all_namespaces = true, .wait = false, .output = OutputFormat::yaml});
    CHECK(options<CancelOptions>("virt-handoff cancel --node n1 --timeout=0") ==
          CancelOptions{.all_namespaces = true, .node = "n1", .timeout = minutes(0)});
    CHECK(options<CancelOptions>("virt-handoff cancel -l app=web --timeout=30s -o jsonl") ==
          CancelOptions{
              .selector = "app=web", .timeout = seconds(30), .output = OutputFormat::jsonl});
}

TEST_CASE("migrate refuses what it cannot select, in the words of preflight") {
    check_mistakes(
        "migrate",
        {
            {"", "no virtual machine was named or selected",
             "one of: virt-handoff migrate NAME..., -l SELECTOR, -A, --node NODE"},
            {"web -l app=web", "name cannot be provided when a selector is specified", ""},
            {"web -A", "a virtual machine cannot be retrieved by name across all namespaces",
             "leave out -A, and give the namespace with -n"},
            {"web --node n1", "name cannot be provided with --node",
             "leave out the name to migrate every virtual machine on the node"},
            {"pod/web", "no virtual machine can be meant by \"pod/web\"",
             "write NAME, vm/NAME or vmi/NAME, and the namespace with -n"},
            {"-- --wait", "virtual machine \"--wait\" is not a valid name", name_rule},
            {"web --from dir", "unknown flag: --from", "did you mean --to?"},
        });
}

TEST_CASE("every value that migrate cannot take is refused with what to write") {
    check_mistakes(
        "migrate",
        {
            {"web --to ''", "node \"\" is not a valid name", name_rule},
            {"web --to a/b/c", "node \"a/b/c\" is not a valid name", name_rule},
            {"web --node-selector zone", "--node-selector: \"zone\" is no label", label_rule},
            {"web --node-selector zone=a,", "--node-selector: \"\" is no label", label_rule},
            {"web --node-selector =a", "--node-selector: \"=a\" is no label", label_rule},
            {"web --node-selector a/b/c=d", "--node-selector: \"a/b/c=d\" is no label", label_rule},
            {"web --node-selector a!=b", "--node-selector: \"a!=b\" is no label", label_rule},
            {"web --node-selector a==b", "--node-selector: \"a==b\" is no label", label_rule},
            {"web --node-selector a=-b", "--node-selector: \"a=-b\" is no label", label_rule},
            {"web --node-selector a=b --node-selector a=c",
             "--node-selector wants two values of a: \"b\" and \"c\"",
             "give each key once: a node has one value of it"},
            {"web --dry-run=", "invalid dry-run value \"\"", dry_run_rule},
            {"web --dry-run=all", "invalid dry-run value \"all\"", dry_run_rule},
            {"web --dry-run=lab", "invalid dry-run value \"lab\"", dry_run_rule},
            {"web --dry-run=Client", "invalid dry-run value \"Client\"", dry_run_rule},
            {"web --wait=maybe", "invalid argument \"maybe\" for --wait: must be true or false",
             ""},
            {"web --timeout 5", "invalid argument \"5\" for --timeout", timeout_rule},
            {"web --timeout=-1s", "invalid argument \"-1s\" for --timeout", timeout_rule},
            {"web --timeout=", "invalid argument \"\" for --timeout", timeout_rule},
            {"web --max-parallel=0",
             "invalid argument \"0\" for --max-parallel: must be a number from 1 to 100000",
             "leave out --max-parallel to let the cluster's own limits decide"},
            {"web --max-parallel=",
             "invalid argument \"\" for --max-parallel: must be a number from 1 to 100000",
             "leave out --max-parallel to let the cluster's own limits decide"},
            {"web --max-failures=-1",
             "invalid argument \"-1\" for --max-failures: must be a number from 0 to 100000",
             "--max-failures=0 starts no more after the first failure"},
            {"web -o wide", "unknown output format \"wide\"",
             "allowed formats are: table, json, yaml, jsonl, name"},
        });
}

TEST_CASE("migrate refuses flags that contradict each other, and says which to leave out") {
    const auto unfollowed = [](const std::string& flag) {
        return flag + " has no meaning with --wait=false: nothing is followed";
    };
    const auto leave_out = [](const std::string& flag) {
        return "leave out " + flag + " or --wait=false";
    };
    std::vector<Mistake> rows{
        {"web --cancel-on-timeout", "--cancel-on-timeout needs a --timeout",
         "say how long it may take, as in --timeout=10m, or leave out --cancel-on-timeout"},
        {"web --cancel-on-timeout --timeout=0", "--cancel-on-timeout needs a --timeout",
         "say how long it may take, as in --timeout=10m, or leave out --cancel-on-timeout"},
        {"web --join --dry-run", "--join has no meaning with --dry-run: a dry run follows nothing",
         "leave out --join or --dry-run"},
        {"web --join --dry-run=server",
         "--join has no meaning with --dry-run: a dry run follows nothing",
         "leave out --join or --dry-run"},
        {"web --to n2 --node-selector kubernetes.io/hostname=n2",
         "--to and --node-selector kubernetes.io/hostname both name a node",
         "leave out one of them"},
        {"web --wait=false --timeout=5m", unfollowed("--timeout"), leave_out("--timeout")},
        {"-A --wait=false --max-parallel=2", unfollowed("--max-parallel"),
         leave_out("--max-parallel")},
    };
    for (const std::string flag : {"--cancel-on-timeout", "--cancel-on-interrupt", "--join"}) {
        rows.push_back({"web --wait=false " + flag, unfollowed(flag), leave_out(flag)});
    }
    check_mistakes("migrate", rows);
}

TEST_CASE("cancel has its own mistakes") {
    check_mistakes(
        "cancel",
        {
            {"", "no virtual machine was named or selected",
             "one of: virt-handoff cancel NAME..., -l SELECTOR, -A, --node NODE"},
            {"web --node n1", "name cannot be provided with --node",
             "leave out the name to cancel the migration of every virtual machine on the node"},
            {"web --wait=false --timeout=30s",
             "--timeout has no meaning with --wait=false: nothing is followed",
             "leave out --timeout or --wait=false"},
            {"web -o wide", "unknown output format \"wide\"",
             "allowed formats are: table, json, yaml, jsonl, name"},
            {"web --timeout=-5m", "invalid argument \"-5m\" for --timeout", timeout_rule},
            {"web --max-parallel=2", "unknown flag: --max-parallel", ""},
        });
}

TEST_CASE("the other verbs refuse the flags and the format of migrate") {
    for (const std::string flag : {"--to=n", "--join", "--wait", "--dry-run", "--timeout=1s",
                                   "--max-failures=1", "--skip-blocked"}) {
        const std::string name = flag.substr(0, flag.find('='));
        CHECK(refusal("virt-handoff preflight web " + flag).error.message ==
              "unknown flag: " + name);
        CHECK(refusal("virt-handoff " + flag + " preflight web").error.message ==
              "unknown flag: " + name);
    }
    for (const std::string verb : {"preflight web", "explain", "version"}) {
        CAPTURE(verb);
        const auto seen = refusal("virt-handoff " + verb + " -o jsonl");
        CHECK(seen.error.message == "unknown output format \"jsonl\"");
        CHECK(seen.output == OutputFormat::jsonl);
    }
}

TEST_CASE("a flag that several verbs have takes a value in all of them or in none") {
    // Before the verb is known, the reader takes the first verb's flag for all.
    const auto line = cli::describe_command_line();
    for (const auto& one : line.verbs) {
        for (const auto& other : line.verbs) {
            for (const auto& flag : one.flags) {
                for (const auto& twin : other.flags) {
                    if (flag.name != twin.name && (flag.letter == 0 || flag.letter != twin.letter))
                        continue;
                    CAPTURE(flag.name);
                    CHECK(flag.name == twin.name);
                    CHECK(flag.letter == twin.letter);
                    CHECK(flag.is_switch() == twin.is_switch());
                    CHECK(flag.alone == twin.alone);
                }
            }
        }
    }
}
