#include "commands/render_preflight_table.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "commands/text.hpp"
#include "tests/unit/commands_preflight_report.hpp"

using commands::render_preflight_names;
using commands::render_preflight_table;
using commands::TableStyle;
using preflight::Verdict;
using samples::item;
using samples::report;
using samples::result;

namespace {

TableStyle ascii(int width = 80) {
    return {.width = width};
}
TableStyle unicode(int width = 80) {
    return {.width = width, .unicode = true};
}

preflight::PreflightReport troubled_report() {
    auto all = report({samples::troubled()});
    all.gaps = {samples::forbidden_nodes()};
    all.exit_code = 3;
    return all;
}

std::string text_of_one(const preflight::CheckResult& check, Verdict verdict) {
    auto vm = item("prod", "web", verdict);
    vm.node = "node-a";
    vm.checks = {check};
    return render_preflight_table(report({vm}), ascii());
}

}  // namespace

TEST_CASE("one VM: the verdict first, then what is in the way, worst first, at 80 columns") {
    CHECK(render_preflight_table(troubled_report(), ascii()) ==
          R"(prod/web  FAIL  node-a
  1 blocker, 1 unknown, 1 warning, 1 waived, 1 passed, 1 skipped
KubeVirt 1.8.4, rules 1.8; method BlockMigration; cluster https://10.0.0.1:6443

[FAIL] DISK-001  Every claim can be attached to two nodes
    object  PersistentVolumeClaim/web-data
    seen    ReadWriteOnce
    needed  ReadWriteMany
    why     the disk must be attached to the target node while the source node
            still holds it
    fix     copy the disk to a storage class that offers ReadWriteMany
    run     kubectl get pvc web-data -n prod -o yaml
            virtctl image-upload dv web-rwx -n prod --access-mode ReadWriteMany --size 20Gi

[?]    Not decided, because facts are missing:
    CPU-002  Another node has the CPU model (list nodes)

[warn] NET-004  The migration ports are free
    seen    port 49152 is used by node-exporter on node-b

[~]    NET-004  The migration ports are free, waived
    seen    no TLS

[warn] KubeVirt's own answer differs from these rules
    LiveMigratable
    says    True (since 2026-01-01T00:00:00Z)
    rules   False, DisksNotLiveMigratable: cannot migrate VMI: PVC web-data is
            not shared, live migration requires that all PVCs must be shared
            (using ReadWriteMany access mode)
    migrationMethod
    says    LiveMigration
    rules   BlockMigration
    note    the condition is older than the last change of the claim web-data

Could not be read:
  list nodes: nodes is forbidden: User "eve" cannot list resource "nodes" in API
  group "" at the cluster scope
Rules of a ClusterRole that would let them be read:
  - apiGroups: [""]
    resources: ["nodes"]
    verbs: ["list"]

Next: kubectl get pvc web-data -n prod -o yaml
)");
}

TEST_CASE("one VM at 40 columns with Unicode marks") {
    CHECK(render_preflight_table(troubled_report(), unicode(40)) ==
          R"(prod/web  FAIL  node-a
  1 blocker, 1 unknown, 1 warning, 1
  waived, 1 passed, 1 skipped
KubeVirt 1.8.4, rules 1.8; method
BlockMigration; cluster
https://10.0.0.1:6443

✗ DISK-001  Every claim can be attached
            to two nodes
    object  PersistentVolumeClaim/web-data
    seen    ReadWriteOnce
    needed  ReadWriteMany
    why     the disk must be attached to
            the target node while the
            source node still holds it
    fix     copy the disk to a storage
            class that offers
            ReadWriteMany
    run     kubectl get pvc web-data -n prod -o yaml
            virtctl image-upload dv web-rwx -n prod --access-mode ReadWriteMany --size 20Gi

? Not decided, because facts are
  missing:
    CPU-002  Another node has the CPU
             model (list nodes)

! NET-004  The migration ports are free
    seen    port 49152 is used by
            node-exporter on node-b

~ NET-004  The migration ports are free,
           waived
    seen    no TLS

! KubeVirt's own answer differs from
  these rules
    LiveMigratable
    says    True (since
            2026-01-01T00:00:00Z)
    rules   False,
            DisksNotLiveMigratable:
            cannot migrate VMI: PVC
            web-data is not shared, live
            migration requires that all
            PVCs must be shared (using
            ReadWriteMany access mode)
    migrationMethod
    says    LiveMigration
    rules   BlockMigration
    note    the condition is older than
            the last change of the claim
            web-data

Could not be read:
  list nodes: nodes is forbidden: User
  "eve" cannot list resource "nodes" in
  API group "" at the cluster scope
Rules of a ClusterRole that would let
them be read:
  - apiGroups: [""]
    resources: ["nodes"]
    verbs: ["list"]

Next: kubectl get pvc web-data -n prod -o yaml
)");
}

TEST_CASE("a terminal narrower than 40 columns is treated as 40") {
    CHECK(render_preflight_table(troubled_report(), unicode(7)) ==
          render_preflight_table(troubled_report(), unicode(40)));
}

TEST_CASE("only commands and single long words go beyond the width") {
    for (const int width : {40, 57, 80, 120}) {
        CAPTURE(width);
        const auto text = render_preflight_table(troubled_report(), ascii(width));
        for (std::size_t from = 0; from < text.size();) {
            const auto end = text.find('\n', from);
            const auto line = text.substr(from, end - from);
            from = end + 1;
            CAPTURE(line);
            const bool is_command = line.find("kubectl") != std::string::npos ||
                                    line.find("virtctl") != std::string::npos;
            constexpr std::size_t after_label = 12;
            const bool is_word = line.find(' ', after_label) == std::string::npos;
            CHECK((commands::display_width(line) <= width || is_command || is_word));
        }
    }
}

TEST_CASE("a VM that passes takes two lines") {
    auto vm = item("prod", "db", Verdict::pass);
    vm.checks = {result(samples::kCpu, Verdict::pass, "3 nodes"),
                 result(samples::kClaims, Verdict::pass)};
    CHECK(render_preflight_table(report({vm}), ascii()) ==
          "prod/db  PASS  not running  2 passed\n"
          "KubeVirt 1.8.4, rules 1.8; cluster https://10.0.0.1:6443\n");
}

TEST_CASE("wide lists what passed") {
    auto vm = item("prod", "db", Verdict::pass);
    vm.checks = {result(samples::kCpu, Verdict::pass, "3 nodes"),
                 result(samples::kClaims, Verdict::pass),
                 result(samples::kPorts, Verdict::skipped)};
    CHECK(render_preflight_table(report({vm}), {.unicode = true, .wide = true}) ==
          "prod/db  PASS  not running  2 passed, 1 skipped\n"
          "KubeVirt 1.8.4, rules 1.8; cluster https://10.0.0.1:6443\n"
          "\n"
          "✓ CPU-002  Another node has the CPU model: 3 nodes\n"
          "✓ DISK-001  Every claim can be attached to two nodes\n");
}

TEST_CASE("every verdict has its mark and word") {
    const auto& check = samples::kPorts;
    const std::string rules = "KubeVirt 1.8.4, rules 1.8; cluster https://10.0.0.1:6443\n";
    CHECK(text_of_one(result(check, Verdict::fail), Verdict::fail) ==
          "prod/web  FAIL  node-a  1 blocker\n" + rules +
              "\n[FAIL] NET-004  The migration ports are free\n"
              "\nNext: virt-handoff explain NET-004\n");
    CHECK(text_of_one(result(check, Verdict::warn), Verdict::warn) ==
          "prod/web  WARN  node-a  1 warning\n" + rules +
              "\n[warn] NET-004  The migration ports are free\n");
    CHECK(text_of_one(result(check, Verdict::unknown), Verdict::unknown) ==
          "prod/web  UNKNOWN  node-a  1 unknown\n" + rules +
              "\n[?]    Not decided, because facts are missing:\n"
              "    NET-004  The migration ports are free\n"
              "\nNext: virt-handoff explain NET-004\n");
    CHECK(text_of_one(result(check, Verdict::waived), Verdict::pass) ==
          "prod/web  PASS  node-a  1 waived\n" + rules +
              "\n[~]    NET-004  The migration ports are free, waived\n");
    CHECK(text_of_one(result(check, Verdict::skipped), Verdict::pass) ==
          "prod/web  PASS  node-a  1 skipped\n" + rules);
    CHECK(text_of_one(result(check, Verdict::pass), Verdict::pass) ==
          "prod/web  PASS  node-a  1 passed\n" + rules);
}

TEST_CASE("an undecided blocker stands before warnings, an undecided warning after them") {
    auto vm = item("prod", "web", Verdict::unknown);
    vm.checks = {result(samples::kPorts, Verdict::unknown), result(samples::kPorts, Verdict::warn),
                 result(samples::kCpu, Verdict::unknown)};
    const auto text = render_preflight_table(report({vm}), ascii());
    const auto blocker = text.find("\n    CPU-002");
    const auto warning = text.find("[warn] NET-004");
    const auto undecided = text.find("\n    NET-004");
    CHECK(blocker < warning);
    CHECK(warning < undecided);
    CHECK(undecided != std::string::npos);
}

TEST_CASE("findings of one rank keep the order of the checks") {
    auto vm = item("prod", "web", Verdict::warn);
    for (int i = 100; i < 150; ++i) {
        vm.checks.push_back(result(samples::kPorts, Verdict::warn, std::to_string(i)));
    }
    const auto text = render_preflight_table(report({vm}), ascii());
    std::size_t before = 0;
    for (int i = 100; i < 150; ++i) {
        const auto at = text.find("    seen    " + std::to_string(i));
        CHECK(before < at);
        before = at;
    }
}

TEST_CASE("a waived finding says what was seen, but asks for nothing") {
    auto vm = item("prod", "web", Verdict::pass);
    auto waived = samples::failed_claim();
    waived.finding.verdict = Verdict::waived;
    vm.checks = {waived};
    const auto text = render_preflight_table(report({vm}), ascii());
    CHECK(text.substr(text.find("[~]")) ==
          "[~]    DISK-001  Every claim can be attached to two nodes, waived\n"
          "    object  PersistentVolumeClaim/web-data\n"
          "    seen    ReadWriteOnce\n"
          "    needed  ReadWriteMany\n");
}

TEST_CASE("the object is named where it is not the VM itself") {
    auto vm = item("prod", "web", Verdict::warn);
    vm.checks = {result(samples::kPorts, Verdict::warn)};
    const auto object_of = [&](preflight::Subject subject) {
        vm.checks[0].finding.subject = std::move(subject);
        const auto text = render_preflight_table(report({vm}), ascii());
        const auto at = text.find("    object  ");
        return at == std::string::npos ? "" : text.substr(at + 12, text.find('\n', at) - at - 12);
    };
    CHECK(object_of({"VirtualMachine", "prod", "web"}).empty());
    CHECK(object_of({"VirtualMachineInstance", "prod", "web"}).empty());
    CHECK(object_of({}).empty());
    CHECK(object_of({"VirtualMachine", "test", "web"}) == "VirtualMachine/web in namespace test");
    CHECK(object_of({"PersistentVolumeClaim", "prod", "web"}) == "PersistentVolumeClaim/web");
    CHECK(object_of({"Node", "", "node-a"}) == "Node/node-a");
}

TEST_CASE("counts move to a line of their own when the headline is full") {
    const auto headline_of = [](std::size_t length) {
        auto vm = item("prod", std::string(length, 'x'), Verdict::pass);
        return render_preflight_table(report({vm}), ascii());
    };
    // "prod/" + name + "  PASS  not running  no checks" are 35 columns and the name.
    CHECK(headline_of(45).starts_with("prod/" + std::string(45, 'x') +
                                      "  PASS  not running  no checks\nKubeVirt"));
    CHECK(headline_of(46).starts_with("prod/" + std::string(46, 'x') +
                                      "  PASS  not running\n  no checks\nKubeVirt"));
}

TEST_CASE("a VM from a file that names no namespace is shown by its name") {
    CHECK(render_preflight_table(report({item("", "we\x1b", Verdict::pass)}), ascii())
              .starts_with("we^[  PASS  not running"));
}

TEST_CASE("only the condition that differs is shown") {
    auto vm = item("prod", "web", Verdict::warn);
    vm.agrees = false;
    vm.reported.live_migratable = {"True", "", "", ""};
    vm.recomputed.live_migratable = {"True", "", ""};
    vm.reported.storage_live_migratable = {"False", "NotMigratable", "old words", ""};
    vm.recomputed.storage_live_migratable = {"True", "", ""};
    const auto text = render_preflight_table(report({vm}), ascii());
    CHECK(text.substr(text.find("[warn]")) ==
          "[warn] KubeVirt's own answer differs from these rules\n"
          "    StorageLiveMigratable\n"
          "    says    False, NotMigratable: old words\n"
          "    rules   True\n");
}

TEST_CASE("colour is in the verdict, marks and ids only, and only when asked for") {
    auto vm = item("prod", "web", Verdict::fail);
    vm.checks = {result(samples::kPorts, Verdict::fail, "49152")};
    CHECK(render_preflight_table(report({vm}), {.colour = true, .unicode = true}) ==
          "prod/web  \x1b[31mFAIL\x1b[0m  not running  1 blocker\n"
          "KubeVirt 1.8.4, rules 1.8; cluster https://10.0.0.1:6443\n"
          "\n"
          "\x1b[31m✗\x1b[0m \x1b[1mNET-004\x1b[0m  The migration ports are free\n"
          "    seen    49152\n"
          "\n"
          "Next: virt-handoff explain NET-004\n");
    CHECK(render_preflight_table(troubled_report(), unicode()).find('\x1b') == std::string::npos);
}

TEST_CASE("colour changes nothing but colour") {
    auto coloured =
        render_preflight_table(troubled_report(), {.width = 40, .colour = true, .unicode = true});
    for (std::size_t at = 0; (at = coloured.find('\x1b')) != std::string::npos;) {
        coloured.erase(at, coloured.find('m', at) + 1 - at);
    }
    CHECK(coloured == render_preflight_table(troubled_report(), unicode(40)));
}

TEST_CASE("several VMs: a row for each, then details, gaps and counts") {
    auto web = item("prod", "web", Verdict::fail);
    web.node = "node-a";
    web.recomputed.migration_method = "LiveMigration";
    web.checks = {samples::unread_nodes(), samples::failed_claim()};
    auto lone = item("lab", "größe", Verdict::pass);
    lone.kind = "VirtualMachineInstance";
    lone.node = "node-b";
    lone.checks = {result(samples::kPorts, Verdict::waived)};
    auto all = report({web, lone, item("prod", "db", Verdict::pass)});
    all.gaps = {{"nodes", "list", "nodes", "timed out after 30 s"}};
    CHECK(render_preflight_table(all, unicode()) ==
          R"(NAMESPACE   NAME        VERDICT   NODE     FINDING
prod        web         fail      node-a   DISK-001 claims-shared, 1 more
lab         vmi/größe   pass      node-b   NET-004 migration-ports-open (waived)
prod        db          pass      <none>

prod/web  FAIL  node-a  1 blocker, 1 unknown
method LiveMigration

✗ DISK-001  Every claim can be attached to two nodes
    object  PersistentVolumeClaim/web-data
    seen    ReadWriteOnce
    needed  ReadWriteMany
    why     the disk must be attached to the target node while the source node
            still holds it
    fix     copy the disk to a storage class that offers ReadWriteMany
    run     kubectl get pvc web-data -n prod -o yaml
            virtctl image-upload dv web-rwx -n prod --access-mode ReadWriteMany --size 20Gi

? Not decided, because facts are missing:
    CPU-002  Another node has the CPU model (list nodes)

Could not be read:
  list nodes: timed out after 30 s

3 VMs: 2 pass, 1 fail; KubeVirt 1.8.4, rules 1.8; cluster https://10.0.0.1:6443

Next: kubectl get pvc web-data -n prod -o yaml
)");
}

TEST_CASE("rows fit the terminal; wide shows every finding; headers can be left out") {
    auto web = item("production-cluster-a", "web-frontend-0", Verdict::fail);
    web.checks = {samples::failed_claim(), result(samples::kPorts, Verdict::warn)};
    const auto all = report({web, item("b", "db", Verdict::pass)});
    CHECK(
        render_preflight_table(all, ascii(40))
            .starts_with(
                "NAMESPACE              NAME             VERDICT   NODE     FINDING\n"
                "production-cluster-a   web-frontend-0   fail      <none>   DISK-001 claims-s...\n"
                "b                      db               pass      <none>\n"));
    CHECK(render_preflight_table(all, {.width = 40, .wide = true, .no_headers = true})
              .starts_with("production-cluster-a   web-frontend-0   fail   <none>   "
                           "DISK-001 claims-shared, NET-004 migration-ports-open\n"
                           "b                      db               pass   <none>\n"
                           "\n"));
}

TEST_CASE("a VM that passes while KubeVirt says otherwise is shown in full among several") {
    auto web = samples::troubled();
    web.verdict = Verdict::pass;
    web.checks.clear();
    const auto text = render_preflight_table(report({web, item("a", "b", Verdict::pass)}), ascii());
    CHECK(text.find("\nprod/web  PASS  node-a  no checks\n") != std::string::npos);
    CHECK(text.find("[warn] KubeVirt's own answer differs") != std::string::npos);
}

TEST_CASE("no VM is no text: the note belongs to standard error") {
    auto none = report({});
    none.notes = {"No resources found in prod namespace."};
    CHECK(render_preflight_table(none, ascii()).empty());
    CHECK(render_preflight_names(none).empty());
}

TEST_CASE("a KubeVirt of unknown, older or newer version is said") {
    auto all = report({item("prod", "db", Verdict::pass)});
    all.rules = "1.9";
    all.rules_assumed = true;
    all.kubevirt_version = "v1.12.0";
    CHECK(render_preflight_table(all, ascii())
              .find("\nKubeVirt 1.12.0, rules 1.9, assumed; "
                    "cluster") != std::string::npos);
    all.kubevirt_version = "v1.3.2";
    all.rules = "1.4";
    CHECK(render_preflight_table(all, ascii()).find("\nKubeVirt 1.3.2, rules 1.4, assumed; ") !=
          std::string::npos);
    all.kubevirt_version.clear();
    all.rules = "1.9";
    CHECK(render_preflight_table(all, ascii())
              .find("\nKubeVirt version unknown: rules 1.9, the "
                    "newest, assumed; cluster") != std::string::npos);
}

TEST_CASE("no word of an object can steer the terminal") {
    const std::string evil = "x\x1b]0;owned\x07\x1b[2J\r\ny\xC2\x9B";
    auto vm = item(evil, evil, Verdict::fail);
    vm.node = evil;
    vm.kind = evil;
    vm.agrees = false;
    vm.differs = {evil};
    vm.reported = {preflight::ReportedCondition{evil, evil, evil, evil},
                   preflight::ReportedCondition{evil, evil, evil, evil}, evil};
    vm.recomputed = {{evil, evil, "m"}, {evil, evil, "m"}, evil + "2", {evil}};
    auto check = samples::failed_claim();
    auto& found = check.finding;
    found.subject = {evil, evil + "2", evil};
    found.seen = found.needed = found.why = found.fix.text = evil;
    found.fix.commands = {evil};
    found.gaps = {evil, "unlisted" + evil};
    vm.checks = {check, result(samples::kCpu, Verdict::pass, evil)};
    auto all = report({vm});
    all.source = all.kubevirt_version = all.rules = evil;
    all.gaps = {{evil, evil, evil, "forbidden" + evil}};
    auto several = all;
    several.items.push_back(vm);
    const TableStyle wide{.wide = true, .program = evil};
    for (const auto& text : {render_preflight_table(all, wide),
                             render_preflight_table(several, wide), render_preflight_names(all)}) {
        CAPTURE(text);
        CHECK(std::ranges::none_of(text, [](char c) {
            return (static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7F;
        }));
        CHECK(text.find("\xC2\x9B") == std::string::npos);
    }
}

TEST_CASE("a line break in a command is shown, never printed") {
    auto vm = item("prod", "web", Verdict::fail);
    auto check = samples::failed_claim();
    check.finding.fix.commands = {"kubectl get pvc a\nrm -rf x"};
    vm.checks = {check};
    const auto text = render_preflight_table(report({vm}), ascii());
    CHECK(text.find("    run     kubectl get pvc a^Jrm -rf x\n") != std::string::npos);
    CHECK(text.ends_with("\nNext: kubectl get pvc a^Jrm -rf x\n"));
}

TEST_CASE("rights that are missing are asked for once, by API group") {
    auto all = report({item("prod", "db", Verdict::unknown)});
    all.gaps = {{"kv", "list", "kubevirts.kubevirt.io", "kubevirts is forbidden: no"},
                {"pvc/prod/a", "get", "persistentvolumeclaims", "a is forbidden: no"},
                {"pvc/prod/b", "get", "persistentvolumeclaims", "b is forbidden: no"},
                {"pvc/prod/c", "get", "persistentvolumeclaims", "c is forbidden: no"},
                {"pvcs", "list", "persistentvolumeclaims", "list is forbidden: no"},
                {"sc", "list", "storageclasses.storage.k8s.io", "timed out"}};
    const auto text = render_preflight_table(all, ascii());
    CHECK(text.substr(text.find("Could")) ==
          R"(Could not be read:
  list kubevirts.kubevirt.io: kubevirts is forbidden: no
  get persistentvolumeclaims: a is forbidden: no (and 2 more like it)
  list persistentvolumeclaims: list is forbidden: no
  list storageclasses.storage.k8s.io: timed out
Rules of a ClusterRole that would let them be read:
  - apiGroups: [""]
    resources: ["persistentvolumeclaims"]
    verbs: ["get", "list"]
  - apiGroups: ["kubevirt.io"]
    resources: ["kubevirts"]
    verbs: ["list"]

Next: virt-handoff explain
)");
}

TEST_CASE("the next command is that of the worst VM") {
    auto unknown = item("a", "unknown", Verdict::unknown);
    unknown.checks = {result(samples::kCpu, Verdict::unknown)};
    auto warned = item("a", "warned", Verdict::warn);
    warned.checks = {result(samples::kPorts, Verdict::warn)};
    auto failed = item("b", "failed", Verdict::fail);
    failed.checks = {samples::failed_claim()};
    const auto next = [](const preflight::PreflightReport& all) {
        const auto text = render_preflight_table(all, {.program = "kubectl virt-handoff"});
        const auto at = text.rfind("\nNext: ");
        return at == std::string::npos ? "" : text.substr(at + 1);
    };
    CHECK(next(report({unknown, failed, warned})) ==
          "Next: kubectl get pvc web-data -n prod -o yaml\n");
    CHECK(next(report({warned, unknown})) == "Next: kubectl virt-handoff explain CPU-002\n");
    CHECK(next(report({warned})).empty());
    auto strict = report({warned});
    strict.exit_code = 4;
    CHECK(next(report({item("a", "b", Verdict::fail)})) == "Next: kubectl virt-handoff explain\n");
    CHECK(next(strict) == "Next: kubectl virt-handoff explain NET-004\n");
}

TEST_CASE("ten thousand VMs take a line each") {
    const std::vector<preflight::Item> items(10'000, item("prod", "web", Verdict::pass));
    const auto text = render_preflight_table(report(items), ascii());
    CHECK(std::ranges::count(text, '\n') == 10'000 + 3);
    CHECK(
        text.ends_with("\n10000 VMs: 10000 pass; KubeVirt 1.8.4, rules 1.8; cluster "
                       "https://10.0.0.1:6443\n"));
}

TEST_CASE("names are those of kubectl") {
    auto lone = item("lab", "cirros", Verdict::pass);
    lone.kind = "VirtualMachineInstance";
    CHECK(render_preflight_names(report({item("prod", "web", Verdict::fail), lone})) ==
          "virtualmachine.kubevirt.io/web\n"
          "virtualmachineinstance.kubevirt.io/cirros\n");
}
