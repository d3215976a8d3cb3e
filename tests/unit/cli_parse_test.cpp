#include "cli/parse.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "cli/command_line.hpp"
#include "preflight/check.hpp"
#include "tests/unit/cli_lines.hpp"

namespace {

using cli_lines::options;
using cli_lines::refusal;
using commands::ExplainOptions;
using commands::OutputFormat;
using commands::PreflightOptions;
using commands::ShowText;
using commands::VersionOptions;

PreflightOptions web() {
    return PreflightOptions{.targets = {"web"}};
}

PreflightOptions with(void (*change)(PreflightOptions&)) {
    PreflightOptions options = web();
    change(options);
    return options;
}

}  // namespace

TEST_CASE("every spelling of a preflight command line gives the options that kubectl would see") {
    struct Row {
        std::string line;
        PreflightOptions expected;
    };
    const std::vector<Row> rows{
        {"web", web()},
        {"vm/web vmi/db", {.targets = {"vm/web", "vmi/db"}}},
        {"virtualmachine.kubevirt.io/web", {.targets = {"vm/web"}}},
        {"virtualmachineinstances/web", {.targets = {"vmi/web"}}},
        {"-- web", web()},
        {"version", {.targets = {"version"}}},
        {"-A", {.all_namespaces = true}},
        {"--all-namespaces=true", {.all_namespaces = true}},
        {"web -A=false", web()},
        {"web --no-headers", with([](auto& o) { o.no_headers = true; })},
        {"web --no-headers=0", web()},
        {"web -o json", with([](auto& o) { o.output = OutputFormat::json; })},
        {"web -o=json", with([](auto& o) { o.output = OutputFormat::json; })},
        {"web -ojson", with([](auto& o) { o.output = OutputFormat::json; })},
        {"web --output json", with([](auto& o) { o.output = OutputFormat::json; })},
        {"web --output=wide", with([](auto& o) { o.output = OutputFormat::wide; })},
        {"web -o json -o yaml", with([](auto& o) { o.output = OutputFormat::yaml; })},
        {"-Aojson", {.all_namespaces = true, .output = OutputFormat::json}},
        {"-l app=web,tier!=test", {.selector = "app=web,tier!=test"}},
        {"-lapp=web", {.selector = "app=web"}},
        {"-l=app=web -A", {.selector = "app=web", .all_namespaces = true}},
        {"--node worker-1", {.all_namespaces = true, .node = "worker-1"}},
        {"--node=node/worker-1.example.com",
         {.all_namespaces = true, .node = "worker-1.example.com"}},
        {"web -n prod", with([](auto& o) { o.connection.ns = "prod"; })},
        {"web -n=prod", with([](auto& o) { o.connection.ns = "prod"; })},
        {"web -nprod", with([](auto& o) { o.connection.ns = "prod"; })},
        {"web -n ns/prod", with([](auto& o) { o.connection.ns = "prod"; })},
        {"--namespace= web", web()},
        {"web -n ''", web()},
        {"web --context -x", with([](auto& o) { o.connection.context = "-x"; })},
        {"web -v 6", with([](auto& o) { o.connection.verbosity = 6; })},
        {"web -v6", with([](auto& o) { o.connection.verbosity = 6; })},
        {"web --v=9", with([](auto& o) { o.connection.verbosity = 9; })},
        {"web --as a --as-group b --as-group [c,d] --as-uid 7", with([](auto& o) {
             o.connection.as = "a";
             o.connection.as_group = {"b", "[c,d]"};
             o.connection.as_uid = "7";
         })},
        {"web --insecure-skip-tls-verify",
         with([](auto& o) { o.connection.insecure_skip_tls_verify = true; })},
        {"web --insecure-skip-tls-verify=false",
         with([](auto& o) { o.connection.insecure_skip_tls_verify = false; })},
        {"web -s https://k:6443 --token t --proxy-url http://p --disable-compression",
         with([](auto& o) {
             o.connection.server = "https://k:6443";
             o.connection.token = "t";
             o.connection.proxy_url = "http://p";
             o.connection.disable_compression = true;
         })},
        {"web --request-timeout 5",
         with([](auto& o) { o.connection.request_timeout = std::chrono::seconds(5); })},
        {"web --request-timeout=1m30s",
         with([](auto& o) { o.connection.request_timeout = std::chrono::seconds(90); })},
        {"web --request-timeout=0", web()},
        {"web --fail-on=warning", with([](auto& o) { o.fail_on_warning = true; })},
        {"--from dir", {.all_namespaces = true, .from = "dir"}},
        {"--from -", {.all_namespaces = true, .from = "-"}},
        {"--from dir web", {.targets = {"web"}, .from = "dir"}},
    };
    for (const auto& row : rows) {
        CAPTURE(row.line);
        CHECK(options<PreflightOptions>("virt-handoff preflight " + row.line) == row.expected);
    }
}

TEST_CASE("with --from a namespace narrows what is judged") {
    const auto result = options<PreflightOptions>("virt-handoff preflight --from dir -n prod");
    CHECK_FALSE(result.all_namespaces);
    CHECK(result.connection.ns == "prod");
}

TEST_CASE("flags may stand before the verb, as with kubectl") {
    const auto result = options<PreflightOptions>("virt-handoff -n prod -o json preflight web");
    CHECK(result.connection.ns == "prod");
    CHECK(result.output == OutputFormat::json);
    CHECK(result.targets == std::vector<std::string>{"web"});
}

TEST_CASE("a check can be waived everywhere, for a name, or for one VM, several at once") {
    const auto& first = preflight::all_checks().front();
    const auto& last = preflight::all_checks().back();
    const std::string id(first.id);
    const std::string slug(last.slug);
    const auto result = options<PreflightOptions>("virt-handoff preflight web --ignore " + id +
                                                  "," + slug + "=prod/web --ignore=" + id + "=db");
    const std::vector<commands::Waiver> expected{{id, ""}, {slug, "prod/web"}, {id, "db"}};
    CHECK(result.ignore == expected);
}

TEST_CASE("the other verbs fill their own options") {
    CHECK(options<ExplainOptions>("virt-handoff explain") == ExplainOptions{});
    CHECK(options<ExplainOptions>("virt-handoff explain DISK-001 -o json") ==
          ExplainOptions{.check = "DISK-001", .output = OutputFormat::json});
    CHECK(options<VersionOptions>("virt-handoff version --client") ==
          VersionOptions{.client_only = true});
    CHECK(options<VersionOptions>("virt-handoff --version") == VersionOptions{.client_only = true});
    CHECK(options<VersionOptions>("virt-handoff version -o yaml --context c") ==
          VersionOptions{.connection = {.context = "c"}, .output = OutputFormat::yaml});
}

TEST_CASE("a lab is made to measure") {
    using commands::LabOptions;
    CHECK(options<LabOptions>("virt-handoff lab") == LabOptions{});
    CHECK(options<LabOptions>("virt-handoff lab no-room --nodes 5 --vms=100 --speed 10x "
                              "--kubeconfig-out f --port 6443") == LabOptions{.scenario = "no-room",
                                                                              .nodes = 5,
                                                                              .machines = 100,
                                                                              .speed = 10,
                                                                              .kubeconfig_out = "f",
                                                                              .port = 6443});
    CHECK(options<LabOptions>("virt-handoff lab --list").list);
    CHECK(options<LabOptions>("virt-handoff lab --speed=0.5").speed == 0.5);
    CHECK(options<LabOptions>("virt-handoff lab --speed=0x").speed == 0);
}

TEST_CASE("help is text, whatever else stands on the line") {
    const std::string all = options<ShowText>("virt-handoff").text;
    CHECK(all == options<ShowText>("virt-handoff --help").text);
    CHECK(all == options<ShowText>("virt-handoff help").text);
    const std::string one = options<ShowText>("virt-handoff preflight --help").text;
    CHECK(one == options<ShowText>("virt-handoff help preflight").text);
    CHECK(one == options<ShowText>("virt-handoff preflight -Ah --bogus").text);
    CHECK(all.find("preflight") != std::string::npos);
    CHECK(options<ShowText>("virt-handoff options").text.find("--kubeconfig FILE") !=
          std::string::npos);
    CHECK(refusal("virt-handoff preflight -- -h").error.message.find("not a valid name") !=
          std::string::npos);
}

TEST_CASE("no help line is wider than 80 columns, under the longest of our names") {
    std::vector<std::string> texts{options<ShowText>("kubectl-virt_handoff --help").text,
                                   options<ShowText>("kubectl-virt_handoff options").text};
    for (const auto& verb : cli::verb_texts()) {
        texts.push_back(
            options<ShowText>("kubectl-virt_handoff help " + std::string(verb.name)).text);
    }
    for (const auto& text : texts) {
        std::istringstream lines(text);
        for (std::string each; std::getline(lines, each);) {
            CAPTURE(each);
            CHECK(each.size() <= 80);
        }
    }
}

TEST_CASE("every mistake is one sentence in kubectl's words, and a next step") {
    struct Row {
        std::string line;
        std::string message;
        std::string hint;
    };
    const std::string see = "see 'virt-handoff preflight --help' for usage";
    const std::vector<Row> rows{
        {"preflite", "unknown command \"preflite\" for \"virt-handoff\"",
         "did you mean \"preflight\"?\nsee 'virt-handoff --help' for usage"},
        {"xyzzy", "unknown command \"xyzzy\" for \"virt-handoff\"",
         "see 'virt-handoff --help' for usage"},
        {"-n prod", "no command was given", "see 'virt-handoff --help' for usage"},
        {"help preflite", "unknown command \"preflite\" for \"virt-handoff\"",
         "did you mean \"preflight\"?\nsee 'virt-handoff help --help' for usage"},
        {"preflight web --bogus", "unknown flag: --bogus", see},
        {"preflight web --tokn=secret", "unknown flag: --tokn", "did you mean --token?\n" + see},
        {"preflight web -z", "unknown shorthand flag: 'z' in -z", see},
        {"preflight web -Az", "unknown shorthand flag: 'z' in -Az", see},
        {"preflight web --context", "flag needs an argument: --context", see},
        {"preflight web -n", "flag needs an argument: -n", see},
        {"preflight web --no-headers=maybe",
         "invalid argument \"maybe\" for --no-headers: must be true or false", see},
        {"preflight web -o bogus", "unknown output format \"bogus\"",
         "allowed formats are: table, wide, json, yaml, name\n" + see},
        {"preflight web --request-timeout abc",
         "invalid timeout value \"abc\": timeout must be a single integer in seconds, or an "
         "integer "
         "followed by a corresponding time unit (e.g. 1s | 2m | 3h)",
         see},
        {"preflight web -v=x", "invalid argument \"x\" for -v: must be a number from 0 to 10", see},
        {"preflight", "no virtual machine was named or selected",
         "one of: virt-handoff preflight NAME..., -l SELECTOR, -A, --node NODE\n" + see},
        {"preflight web -l app=web", "name cannot be provided when a selector is specified", see},
        {"preflight web -A", "a virtual machine cannot be retrieved by name across all namespaces",
         "leave out -A, and give the namespace with -n\n" + see},
        {"preflight web --node n1", "name cannot be provided with --node",
         "leave out the name to judge every virtual machine on the node\n" + see},
        {"preflight pod/web", "no virtual machine can be meant by \"pod/web\"",
         "write NAME, vm/NAME or vmi/NAME, and the namespace with -n\n" + see},
        {"preflight vm/a/b", "no virtual machine can be meant by \"vm/a/b\"",
         "write NAME, vm/NAME or vmi/NAME, and the namespace with -n\n" + see},
        {"preflight Web", "virtual machine \"Web\" is not a valid name",
         "names are lower-case letters, digits, '-' and '.', with a letter or digit at both "
         "ends\n" +
             see},
        {"preflight web -n a/b", "namespace \"a/b\" is not a valid name",
         "names are lower-case letters, digits, '-' and '.', with a letter or digit at both "
         "ends\n" +
             see},
        {"preflight --node ''", "node \"\" is not a valid name",
         "names are lower-case letters, digits, '-' and '.', with a letter or digit at both "
         "ends\n" +
             see},
        {"preflight --from ''", "--from needs a path", "give a file, a folder or -\n" + see},
        {"preflight --from dir --context prod",
         "--context has no meaning with --from: files are read, no cluster",
         "leave out --context or --from\n" + see},
        {"preflight --from dir -s https://k",
         "-s has no meaning with --from: files are read, no cluster",
         "leave out -s or --from\n" + see},
        {"preflight web --fail-on=all", "invalid argument \"all\" for --fail-on",
         "write --fail-on=blocking or --fail-on=warning\n" + see},
        {"preflight web --ignore=", "--ignore needs the id of a check, seen \"\"",
         "write --ignore ID or --ignore ID=NAMESPACE/VM\n" + see},
        {"-l app=web version", "unknown flag: -l", "see 'virt-handoff version --help' for usage"},
        {"version --client now", "unexpected argument \"now\" for \"version\"",
         "see 'virt-handoff version --help' for usage"},
        {"explain A B", "unexpected argument \"B\" for \"explain\"",
         "see 'virt-handoff explain --help' for usage"},
        {"lab --speed=fast", "invalid argument \"fast\" for --speed",
         "write how many times faster than a clock, from 0.01x to 1000x: --speed=10x; 0x stands "
         "still\nsee 'virt-handoff lab --help' for usage"},
        {"lab --vms=10001",
         "invalid argument \"10001\" for --vms: must be a number from 0 to 10000",
         "see 'virt-handoff lab --help' for usage"},
        {"lab --kubeconfig f", "--kubeconfig has no meaning for lab: it makes a cluster of its own",
         "leave out --kubeconfig; --kubeconfig-out says where its kubeconfig goes\nsee "
         "'virt-handoff lab --help' for usage"},
        {"version -o wide", "unknown output format \"wide\"",
         "allowed formats are: table, json, yaml\nsee 'virt-handoff version --help' for usage"},
        {"completion", "no shell was named",
         "one of: bash, zsh, fish\nsee 'virt-handoff completion --help' for usage"},
        {"completion csh", "unknown shell \"csh\"",
         "one of: bash, zsh, fish\nsee 'virt-handoff completion --help' for usage"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.line);
        const auto seen = refusal("virt-handoff " + row.line);
        CHECK(seen.error.kind == kubeclient::ErrorKind::usage);
        CHECK(seen.error.message == row.message);
        CHECK(seen.error.hint == row.hint);
    }
}

TEST_CASE("an unknown check id names the nearest, also in a waiver for one VM") {
    std::string id(preflight::all_checks().front().id);
    const std::string right = id;
    id.back() = id.back() == 'x' ? 'y' : 'x';
    const auto seen = refusal("virt-handoff preflight web --ignore " + id + "=prod/web");
    CHECK(seen.error.message == "unknown check \"" + id + "\"");
    CHECK(seen.error.hint.starts_with("did you mean \"" + right + "\"?"));
    CHECK(refusal("virt-handoff preflight web --ignore " + right + "=a/b/c").error.message ==
          "--ignore " + right + ": \"a/b/c\" names no virtual machine");
}

TEST_CASE("a refusal knows which output was asked for, wherever it stands") {
    const std::vector<std::string> lines{"preflight --bogus web -o json", "preflight -o=json -z",
                                         "-ojson preflight", "preflight Web --output json",
                                         "preflight --output=json --context"};
    for (const auto& line : lines) {
        CAPTURE(line);
        const auto seen = refusal("virt-handoff " + line);
        CHECK(seen.output == OutputFormat::json);
        CHECK(seen.verb == "preflight");
    }
    CHECK(refusal("virt-handoff preflight -o bogus").output == OutputFormat::table);
    CHECK(refusal("virt-handoff preflite -o json").output == OutputFormat::json);
}

TEST_CASE("control characters in a mistaken word do not reach the terminal") {
    const char* argv[] = {"virt-handoff", "preflight", "a\x1b[31mb"};
    const auto outcome = cli::parse(argv);
    const auto& message = std::get<cli::Refusal>(outcome).error.message;
    CHECK(message == "virtual machine \"a^[[31mb\" is not a valid name");
}

TEST_CASE("the program is called what the user typed") {
    CHECK(cli::program_name("virt-handoff") == "virt-handoff");
    CHECK(cli::program_name("/usr/bin/virt-handoff") == "virt-handoff");
    CHECK(cli::program_name("/opt/krew/bin/kubectl-virt_handoff") == "kubectl virt-handoff");
    CHECK(cli::program_name("kubectl-virt-handoff") == "kubectl virt handoff");
    CHECK(cli::program_name("") == "virt-handoff");
    CHECK(refusal("/x/kubectl-virt_handoff preflite").error.message ==
          "unknown command \"preflite\" for \"kubectl virt-handoff\"");
}
